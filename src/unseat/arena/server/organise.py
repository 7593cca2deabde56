"""The organisers' pages: tracks, invitations, accounts, the audit log."""

from __future__ import annotations

from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from unseat.arena import accounts, queue, tables, tracks
from unseat.arena.accounts import User
from unseat.arena.database import moment
from unseat.arena.server.app import Arena, Asking, Denied
from unseat.arena.server.pages import Text, found, is_open, someone
from unseat.core import registry
from unseat.core.errors import UserError


def router(arena: Arena) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/organise", include_in_schema=False)

    @routes.get("")
    def front(request: Request) -> Response:
        asking = arena.asking(request)
        organiser(asking)
        return _page(arena, request, asking)

    @routes.post("/sign-up")
    def sign_up(request: Request, token: Text, open: Annotated[str, Form(max_length=5)] = "") -> Response:
        asking = arena.asking(request)
        organiser(asking)
        arena.form(asking, request, token)
        own, value = tables.settings, "open" if open else "invited"
        with arena.database.write() as connection:
            connection.execute(sa.delete(own).where(own.c.key == "sign-up"))
            connection.execute(sa.insert(own), {"key": "sign-up", "value": value})
        arena.noted(asking, "sign-up rule", value)
        return RedirectResponse("/organise", 303)

    @routes.post("/invite")
    def invite(
        request: Request, token: Text, role: Text, uses: Annotated[int, Form(ge=1, le=1000)] = 1,
        track: Annotated[str, Form(max_length=40)] = "",
    ) -> Response:  # fmt: skip
        asking = arena.asking(request)
        organiser(asking)
        arena.form(asking, request, token)
        if role not in accounts.ROLES:
            raise UserError(f"there is no role {role[:20]!r}")
        with arena.database.write() as connection:
            number = found(connection, track).id if track else None
            now = moment(connection)
            word = accounts.invite(connection, role, now, track=number, uses=uses)
            queue.record(connection, now, str(organiser(asking).id), asking.address, "invitation",
                         f"{role} ×{uses} {track}")  # fmt: skip
        return _page(arena, request, asking, word=word)

    @routes.post("/tracks")
    def track(
        request: Request, token: Text, slug: Text, title: Text, task: Text, seed: Text, starts: Text, ends: Text,
        per_day: Annotated[int, Form(ge=1, le=100_000)] = 10, wall_s: Annotated[float, Form(gt=0, le=3600)] = 60,
        suite: Annotated[str, Form(max_length=20)] = "", text: Annotated[str, Form(max_length=20_000)] = "",
        open: Annotated[str, Form(max_length=5)] = "",
    ) -> Response:  # fmt: skip
        asking = arena.asking(request)
        organiser(asking)
        arena.form(asking, request, token)
        try:
            if task not in registry.names():
                # By a page no module is named that would be imported; the command line may.
                raise UserError(f"there is no task {task[:40]!r}; there are {', '.join(registry.names())}")
            content = {"slug": slug, "title": title, "task": task, "text": text, "starts": _utc(starts),
                       "ends": _utc(ends), "per_day": per_day, "wall_s": wall_s, "open": bool(open),
                       **({"suite": suite} if suite else {"seed": _number(seed)})}  # fmt: skip
            made = tracks.create(arena.database, tracks.checked(content, "track"))
        except UserError as error:
            return _page(arena, request, asking, fault=str(error), status=422)
        arena.noted(asking, "track made", made.spec.slug)
        return RedirectResponse(f"/tracks/{made.spec.slug}", 303)

    @routes.post("/users/{number}/sign-out")
    def ended(request: Request, number: int, token: Text) -> Response:
        asking = arena.asking(request)
        organiser(asking)
        arena.form(asking, request, token)
        with arena.database.write() as connection:
            accounts.end_sessions(connection, min(number, 2**31 - 1))
        arena.noted(asking, "sessions ended", str(number))
        return RedirectResponse("/organise", 303)

    return routes


def organiser(asking: Asking) -> User:
    """The organiser who asks.

    Raises:
        Denied: It is none.
    """
    user = someone(asking)
    if not user.organiser:
        raise Denied(403, "This is for organisers.")
    return user


def _utc(text: str) -> str:
    """A form's moment, which browsers give without a zone: it is meant in UTC, as the label says."""
    return text if text.endswith("Z") or "+" in text else f"{text}Z"


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise UserError("seed: give a whole number of at most 18 digits, which nobody can guess")
    return int(text)


def _page(
    arena: Arena, request: Request, asking: Asking, *, word: str = "", fault: str = "", status: int = 200
) -> Response:
    with arena.database.read() as connection:
        people = connection.execute(sa.select(tables.users).order_by(tables.users.c.id).limit(1000)).all()
        lines = connection.execute(
            sa.select(tables.audit, tables.users.c.name)
            .outerjoin(tables.users, sa.cast(tables.users.c.id, sa.String) == tables.audit.c.who)
            .order_by(tables.audit.c.id.desc()).limit(200)
        ).all()  # fmt: skip
        depth, known = queue.depth(connection), tracks.all_tracks(connection)
    return arena.page(request, "organise.html.j2", asking, status=status, people=people, lines=lines, depth=depth,
                      tracks=known, tasks=registry.names(), open=is_open(arena), word=word, fault=fault,
                      roles=accounts.ROLES)  # fmt: skip
