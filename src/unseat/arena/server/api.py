"""The API: the same as the pages, as JSON. `GET /api/openapi.json` describes it."""

from __future__ import annotations

from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

from unseat.arena import accounts, board, queue, tables, tracks
from unseat.arena.accounts import User
from unseat.arena.database import moment
from unseat.arena.server import view
from unseat.arena.server.app import Arena, Asking, Denied
from unseat.arena.tracks import Track
from unseat.core.errors import UserError

Slug = Annotated[str, Path(max_length=40, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Number = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]


class Fault(BaseModel):
    """What went wrong, in a line."""

    detail: str


class Made(BaseModel):
    """A submission that was taken."""

    id: str
    state: str


class Submission(BaseModel):
    """A submission and what came of it; scores on private instances are there once the track has ended."""

    id: str
    track: str
    name: str
    kind: str
    state: str
    reason: str
    created: float
    scored: float | None
    ahead: int | None
    each: list[dict[str, Any]]


_FAULTS: dict[int | str, dict[str, Any]] = {
    code: {"model": Fault} for code in (400, 401, 403, 404, 405, 413, 422, 429, 503)
}


def router(arena: Arena) -> APIRouter:
    """The routes of the API."""
    routes = APIRouter(prefix="/api", responses=_FAULTS)

    @routes.get("/tracks")
    def listed() -> list[dict[str, Any]]:
        """All tracks."""
        with arena.database.read() as connection:
            return [tracks.shown(one.spec) for one in tracks.all_tracks(connection)]

    @routes.get("/tracks/{slug}")
    def track(slug: Slug) -> dict[str, Any]:
        """A track: its task, limits and dates."""
        with arena.database.read() as connection:
            return tracks.shown(_track(connection, slug).spec)

    @routes.get("/tracks/{slug}/board")
    def leaderboard(
        slug: Slug,
        sort: Annotated[str, Query(max_length=20)] = "rank",
        show: Annotated[str, Query(max_length=20)] = "all",
        q: Annotated[str, Query(max_length=60)] = "",
        page: Annotated[int, Query(ge=1, le=99_999)] = 1,
    ) -> dict[str, Any]:
        """A page of a track's board."""
        with arena.database.read() as connection:
            one = _track(connection, slug)
            body = (board.of_track(connection, one.id) or (0, EMPTY))[1]
            private = one.spec.over(moment(connection))
        asked = view.Query.of({"sort": sort, "show": show, "q": q, "page": str(page)})
        found = view.page(view.visible(body, private), asked, body["objective"].get("minimise", True))
        return {"objective": body["objective"], "final": private, "found": found.found, "page": found.page,
                "pages": found.pages, "rows": found.rows, "history": body["history"]}  # fmt: skip

    @routes.post("/tracks/{slug}/submissions", status_code=201, openapi_extra={
        "requestBody": {"required": True, "content": {"application/zip": {"schema": {
            "type": "string", "format": "binary"}}}}, "security": [{"token": []}]})  # fmt: skip
    async def submit(slug: Slug, request: Request, name: Annotated[str, Query(min_length=1, max_length=80)]) -> Made:
        """Submit an archive; needs an API token. It is kept and queued when this answers."""
        user = await run_in_threadpool(bearer, arena, request)
        address = request.client.host if request.client else ""
        arena.limited(Asking(None, user, address), "upload", 600, 60, f"user {user.id}")
        archive = await request.body()
        made = await run_in_threadpool(_submit, arena, user, slug, name, archive, address)
        return Made(id=made, state="queued")

    @routes.get("/submissions/{number}")
    def submission(number: Number, request: Request) -> Submission:
        """A submission: scored ones are everybody's to see, others their owner's."""
        return seen(arena, number, viewer(arena, request))

    return routes


EMPTY: dict[str, Any] = {"objective": {}, "instances": {"public": 0, "private": 0}, "rows": [], "history": [],
                         "beaten": [], "anytime": {}}  # fmt: skip


def bearer(arena: Arena, request: Request) -> User:
    """Whose token a request carries.

    Raises:
        Denied: It carries none that is one.
    """
    kind, _, word = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        with arena.database.read() as connection:
            if user := accounts.by_token(connection, word.strip()):
                return user
    address = request.client.host if request.client else ""
    if not arena.limiter.allows("token", address, times=60, seconds=60):
        raise Denied(429, "Too many tokens that are none; wait a while.")
    raise Denied(401, "This needs an API token: `Authorization: Bearer TOKEN`. Your account's page makes one.")


def viewer(arena: Arena, request: Request) -> User | None:
    """Who looks, by token or cookie."""
    if "authorization" in request.headers:
        return bearer(arena, request)
    return arena.asking(request).user


def seen(arena: Arena, number: str, user: User | None) -> Submission:
    """A submission as this person may see it.

    Raises:
        Denied: There is none, or none that they may see: which of the two is not said.
    """
    own = tables.submissions
    with arena.database.read() as connection:
        row = connection.execute(sa.select(own).where(own.c.id == number)).first()
        mine = row is not None and user is not None and (user.organiser or row.user == user.id)
        if row is None or not (mine or row.state == "scored"):
            raise Denied(404, "There is no such submission.")
        track = Track.of(connection.execute(sa.select(tables.tracks).where(tables.tracks.c.id == row.track)).one())
        private = track.spec.over(moment(connection)) or (user is not None and user.organiser)
        each = [_score(one) for one in connection.execute(
            sa.select(tables.scores, tables.instances.c.part)
            .join(tables.instances, sa.and_(tables.instances.c.number == tables.scores.c.number,
                                            tables.instances.c.track == track.id))
            .where(tables.scores.c.submission == number)
            .order_by(tables.scores.c.number, tables.scores.c.seed))
            if private or one.part == "public"]  # fmt: skip
        ahead = None
        if row.state == "queued":
            before = sa.select(sa.func.count()).where(tables.jobs.c.state == "queued",
                                                      tables.jobs.c.created < row.created)  # fmt: skip
            ahead = connection.scalar(before)
    return Submission(id=row.id, track=track.spec.slug, name=row.name, kind=row.kind, state=row.state,
                      reason=row.reason if mine else "", created=row.created, scored=row.scored, ahead=ahead,
                      each=each)  # fmt: skip


def _score(row: Any) -> dict[str, Any]:
    return {"number": row.number, "seed": row.seed, "part": row.part, "status": row.status, "value": row.value,
            "key": row.key}  # fmt: skip


def _track(connection: sa.Connection, slug: str) -> Track:
    try:
        return tracks.by_slug(connection, slug)
    except UserError as error:
        raise Denied(404, str(error)) from error


def _submit(arena: Arena, user: User, slug: str, name: str, archive: bytes, address: str) -> str:
    with arena.database.read() as connection:
        _track(connection, slug)
    return queue.submit(arena.database, user.id, slug, name, archive, address)
