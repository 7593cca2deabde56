"""The pages of visitors and participants."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Form, Request, Response, UploadFile
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from unseat.arena import accounts, kit, queue, tables, tracks
from unseat.arena.accounts import User
from unseat.arena.database import moment
from unseat.arena.packing import MOST_UPLOAD
from unseat.arena.server import view
from unseat.arena.server.api import Number, Slug, seen
from unseat.arena.server.app import Arena, Asking, Denied
from unseat.arena.server.boards import Boards
from unseat.arena.server.security import COOKIE
from unseat.arena.tracks import Track
from unseat.core import registry
from unseat.core.errors import UserError

Text = Annotated[str, Form(max_length=300)]


def router(arena: Arena) -> APIRouter:
    """The routes."""
    routes = APIRouter(include_in_schema=False)
    _looking(routes, arena)
    _submitting(routes, arena)
    _signing(routes, arena)
    _account(routes, arena)
    return routes


def _looking(routes: APIRouter, arena: Arena) -> None:
    boards = Boards(arena)

    @routes.get("/")
    def front(request: Request) -> Response:
        with arena.database.read() as connection:
            found, now = tracks.all_tracks(connection), moment(connection)
            counts: dict[int, int] = dict(connection.execute(
                sa.select(tables.submissions.c.track, sa.func.count()).where(tables.submissions.c.user.is_not(None))
                .group_by(tables.submissions.c.track)).all())  # fmt: skip
        return arena.page(request, "front.html.j2", arena.asking(request), tracks=found, counts=counts, at=now)

    def board_page(request: Request, slug: str) -> Response:
        asking = arena.asking(request)
        with arena.database.read() as connection:
            one, now = found(connection, slug), moment(connection)
            number, body = boards.body(connection, one)
        final = one.spec.over(now) or asking.organiser
        asked = view.Query.of(request.query_params)
        return arena.page(request, "track.html.j2", asking, track=one.spec, at=now, final=final,
                          table=boards.table(one, number, body, asked, final))  # fmt: skip

    @routes.get("/tracks/{slug}")
    async def track(request: Request, slug: Slug) -> Response:
        if COOKIE in request.cookies:
            return await run_in_threadpool(board_page, request, slug)
        key = slug, view.Query.of(request.query_params)
        return (await boards.shared(key, partial(board_page, request, slug))).answer(request)

    @routes.get("/tracks/{slug}/about")
    def about(request: Request, slug: Slug) -> Response:
        with arena.database.read() as connection:
            one, now = found(connection, slug), moment(connection)
            parts: dict[str, int] = dict(connection.execute(
                sa.select(tables.instances.c.part, sa.func.count()).where(tables.instances.c.track == one.id)
                .group_by(tables.instances.c.part)).all())  # fmt: skip
        task = registry.task(one.spec.task)
        return arena.page(request, "about.html.j2", arena.asking(request), track=one.spec, at=now, instances=parts,
                          card=task.card, objective=task.objective)  # fmt: skip

    @routes.get("/tracks/{slug}/kit.zip")
    def starter(request: Request, slug: Slug) -> Response:
        arena.limited(arena.asking(request), "kit", 20, 60)
        with arena.database.read() as connection:
            one = found(connection, slug)
        return Response(kit.archive(tracks.shown(one.spec)), media_type="application/zip",
                        headers={"content-disposition": f'attachment; filename="{slug}-kit.zip"'})  # fmt: skip

    @routes.get("/submissions/{number}")
    def submission(request: Request, number: Number) -> Response:
        asking = arena.asking(request)
        one = seen(arena, number, asking.user)
        with arena.database.read() as connection:
            track, now = found(connection, one.track), moment(connection)
            row = connection.execute(sa.select(tables.submissions.c.user, tables.users.c.name)
                                     .outerjoin(tables.users, tables.users.c.id == tables.submissions.c.user)
                                     .where(tables.submissions.c.id == number)).one()  # fmt: skip
        mine = asking.user is not None and row.user == asking.user.id
        return arena.page(request, "submission.html.j2", asking, one=one, track=track.spec, mine=mine, who=row.name,
                          objective=registry.task(track.spec.task).objective, final=track.spec.over(now))  # fmt: skip

    @routes.get("/submissions/{number}/archive.zip")
    def archive(request: Request, number: Number) -> Response:
        user = someone(arena.asking(request))
        own = tables.submissions
        with arena.database.read() as connection:
            row = connection.execute(sa.select(own.c.user, tables.blobs.c.content).join(
                tables.blobs, tables.blobs.c.hash == own.c.content).where(own.c.id == number)).first()  # fmt: skip
        if row is None or not (user.organiser or row.user == user.id):
            raise Denied(404, "There is no such submission.")
        return Response(row.content, media_type="application/zip",
                        headers={"content-disposition": f'attachment; filename="{number}.zip"'})  # fmt: skip


def _submitting(routes: APIRouter, arena: Arena) -> None:
    @routes.get("/tracks/{slug}/submit")
    def form(request: Request, slug: Slug) -> Response:
        asking = arena.asking(request)
        user = someone(asking)
        with arena.database.read() as connection:
            one, now = found(connection, slug), moment(connection)
            joined = one.spec.open or queue.is_member(connection, one.id, user.id)
        return arena.page(request, "submit.html.j2", asking, track=one.spec, joined=joined, at=now, most=MOST_UPLOAD,
                          fault="", name="")  # fmt: skip

    @routes.post("/tracks/{slug}/submit")
    def submit(request: Request, slug: Slug, token: Text, name: Text, archive: UploadFile) -> Response:
        asking = arena.asking(request)
        user = someone(asking)
        arena.form(asking, request, token)
        arena.limited(asking, "upload", 120, 60, f"user {user.id}")
        with arena.database.read() as connection:
            one, now = found(connection, slug), moment(connection)
        try:
            content = archive.file.read(MOST_UPLOAD + 1)
            made = queue.submit(arena.database, user.id, slug, name, content, asking.address)
        except UserError as error:
            return arena.page(request, "submit.html.j2", asking, status=422, track=one.spec, joined=True, at=now,
                              most=MOST_UPLOAD, fault=str(error), name=name)  # fmt: skip
        return RedirectResponse(f"/submissions/{made}", 303)


def _signing(routes: APIRouter, arena: Arena) -> None:
    @routes.get("/sign-in")
    def sign_in_form(request: Request) -> Response:
        return arena.page(request, "sign-in.html.j2", arena.asking(request), fault="", name="")

    @routes.post("/sign-in")
    def sign_in(request: Request, token: Text, name: Text, password: Text) -> Response:
        asking = arena.asking(request)
        arena.form(asking, request, token)
        arena.limited(asking, "sign-in", 10, 60, f"name {name.casefold()[:80]}")
        with arena.database.read() as connection:
            known = accounts.by_name(connection, name)
        user = accounts.signed_in(known, password)
        if user is None:
            arena.noted(asking, "sign-in refused", name)
            return arena.page(request, "sign-in.html.j2", asking, status=403, name=name,
                              fault="Name or password is wrong.")  # fmt: skip
        arena.noted(asking, "sign-in", user.name, str(user.id))
        response = RedirectResponse("/account", 303)
        arena.sessions.begin(response, user)
        return response

    @routes.get("/sign-up")
    def sign_up_form(request: Request, invitation: str = "") -> Response:
        return arena.page(request, "sign-up.html.j2", arena.asking(request), fault="", name="",
                          invitation=invitation[:100], open=is_open(arena))  # fmt: skip

    @routes.post("/sign-up")
    def sign_up(
        request: Request, token: Text, name: Text, password: Text, invitation: Annotated[str, Form(max_length=100)] = ""
    ) -> Response:
        asking = arena.asking(request)
        arena.form(asking, request, token)
        arena.limited(asking, "sign-up", 20, 600)
        try:
            user = _joined(arena, asking, name, password, invitation)
        except UserError as error:
            return arena.page(request, "sign-up.html.j2", asking, status=422, name=name, invitation=invitation,
                              fault=str(error), open=is_open(arena))  # fmt: skip
        response = RedirectResponse("/account", 303)
        arena.sessions.begin(response, user)
        return response

    @routes.post("/sign-out")
    def sign_out(request: Request, token: Text) -> Response:
        asking = arena.asking(request)
        arena.form(asking, request, token)
        if asking.user:
            with arena.database.write() as connection:
                accounts.end_sessions(connection, asking.user.id)
        response = RedirectResponse("/", 303)
        arena.sessions.end(response)
        return response


def _joined(arena: Arena, asking: Asking, name: str, password: str, invitation: str) -> User:
    """A new account; by invitation with the role it is for, else as a participant where that is allowed."""
    if not invitation and not is_open(arena):
        raise UserError("this arena takes new participants by invitation only")
    accounts.hashed(password)  # refused before an invitation is looked at, and before anything is locked
    with arena.database.write() as connection:
        now, role, track = moment(connection), accounts.PARTICIPANT, None
        if invitation:
            role, track = accounts.use_invitation(connection, invitation, now)
        user = accounts.create(connection, name, password, role, now)
        if track is not None:
            accounts.join(connection, track, user.id)
        queue.record(connection, now, str(user.id), asking.address, "sign-up", f"{user.name} as {role}")
    return user


def _account(routes: APIRouter, arena: Arena) -> None:
    @routes.get("/account")
    def account(request: Request) -> Response:
        return _account_page(arena, request, arena.asking(request))

    @routes.post("/account/tokens")
    def token_made(request: Request, token: Text, label: Text) -> Response:
        asking = arena.asking(request)
        user = someone(asking)
        arena.form(asking, request, token)
        try:
            with arena.database.write() as connection:
                now = moment(connection)
                word = accounts.make_token(connection, user.id, label, now)
                queue.record(connection, now, str(user.id), asking.address, "token made", label)
        except UserError as error:
            return _account_page(arena, request, asking, fault=str(error), status=422)
        return _account_page(arena, request, asking, word=word)

    @routes.post("/account/tokens/{number}/revoke")
    def token_revoked(request: Request, number: int, token: Text) -> Response:
        asking = arena.asking(request)
        user = someone(asking)
        arena.form(asking, request, token)
        own = tables.tokens
        with arena.database.write() as connection:
            # Somebody else's token is not there for this account.
            connection.execute(sa.delete(own).where(own.c.id == min(number, 2**31 - 1), own.c.user == user.id))
            queue.record(connection, moment(connection), str(user.id), asking.address, "token revoked", str(number))
        return RedirectResponse("/account", 303)

    @routes.post("/account/password")
    def password(request: Request, token: Text, old: Text, new: Text) -> Response:
        asking = arena.asking(request)
        user = someone(asking)
        arena.form(asking, request, token)
        arena.limited(asking, "password", 10, 60, f"user {user.id}")
        with arena.database.read() as connection:
            known = accounts.by_name(connection, user.name)
        if accounts.signed_in(known, old) is None:
            return _account_page(arena, request, asking, fault="The old password is wrong.", status=403)
        try:
            with arena.database.write() as connection:
                accounts.set_password(connection, user.id, new)
                queue.record(connection, moment(connection), str(user.id), asking.address, "password changed", "")
                changed = accounts.by_id(connection, user.id)
        except UserError as error:
            return _account_page(arena, request, asking, fault=str(error), status=422)
        response = RedirectResponse("/account", 303)
        arena.sessions.begin(response, changed)
        return response

    @routes.post("/account/join")
    def join(request: Request, token: Text, invitation: Text) -> Response:
        asking = arena.asking(request)
        user = someone(asking)
        arena.form(asking, request, token)
        arena.limited(asking, "join", 10, 60)
        try:
            with arena.database.write() as connection:
                _, track = accounts.use_invitation(connection, invitation, moment(connection))
                if track is None:
                    raise UserError("this invitation is for a new account, not for a track")
                accounts.join(connection, track, user.id)
        except UserError as error:
            return _account_page(arena, request, asking, fault=str(error), status=422)
        return RedirectResponse("/account", 303)


def _account_page(
    arena: Arena, request: Request, asking: Asking, *, word: str = "", fault: str = "", status: int = 200
) -> Response:
    user, own = someone(asking), tables.submissions
    with arena.database.read() as connection:
        mine = connection.execute(
            sa.select(own.c.id, own.c.name, own.c.kind, own.c.state, own.c.created, own.c.reason, tables.tracks.c.slug)
            .join(tables.tracks, tables.tracks.c.id == own.c.track)
            .where(own.c.user == user.id).order_by(own.c.created.desc()).limit(200)
        ).all()  # fmt: skip
        keys = connection.execute(sa.select(tables.tokens).where(tables.tokens.c.user == user.id)
                                  .order_by(tables.tokens.c.id)).all()  # fmt: skip
    return arena.page(request, "account.html.j2", asking, status=status, mine=mine, keys=keys, word=word, fault=fault)


def someone(asking: Asking) -> User:
    """Who is signed in.

    Raises:
        Denied: Nobody is.
    """
    if asking.user is None:
        raise Denied(401, "Please sign in first.")
    return asking.user


def found(connection: sa.Connection, slug: str) -> Track:
    """A track by its name.

    Raises:
        Denied: There is none.
    """
    try:
        return tracks.by_slug(connection, slug)
    except UserError as error:
        raise Denied(404, "There is no such track.") from error


def is_open(arena: Arena) -> bool:
    """Whether somebody without an invitation may make an account."""
    own = tables.settings
    with arena.database.read() as connection:
        return connection.scalar(sa.select(own.c.value).where(own.c.key == "sign-up")) == "open"
