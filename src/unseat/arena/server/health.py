"""Health, readiness, metrics and the static files."""

from __future__ import annotations

import mimetypes

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from sqlalchemy.exc import DBAPIError

from unseat.arena import accounts
from unseat.arena.server.app import STATIC, Arena, Denied, exists

_FOREVER = "public, max-age=31536000, immutable"


def router(arena: Arena) -> APIRouter:
    """The routes that machines ask for."""
    routes = APIRouter(include_in_schema=False)
    files = {path.name: (path.read_bytes(), mimetypes.guess_type(path.name)[0] or "application/octet-stream")
             for path in STATIC.iterdir()}  # fmt: skip

    @routes.get("/healthz")
    async def alive() -> Response:
        return PlainTextResponse("alive\n")

    @routes.get("/readyz")
    def ready() -> Response:
        try:
            with arena.database.read() as connection:
                well = exists(connection)
        except DBAPIError:
            well = False
        return PlainTextResponse("ready\n" if well else "the database is away\n", 200 if well else 503)

    @routes.get("/metrics")
    def metrics(request: Request) -> Response:
        word = request.headers.get("authorization", "").removeprefix("Bearer ")
        with arena.database.read() as connection:
            user = accounts.by_token(connection, word)
        if user is None or not user.organiser:
            raise Denied(401, "Metrics are for an organiser's API token.")
        return Response(arena.metrics.text(arena.database), media_type="text/plain; version=0.0.4; charset=utf-8")

    @routes.get("/static/{mark}/{name}")
    async def static(mark: str, name: str) -> Response:
        if name not in files or mark != arena.static[name]:
            return PlainTextResponse("There is no such file.\n", 404)
        content, kind = files[name]
        return Response(content, media_type=kind, headers={"cache-control": _FOREVER})

    return routes
