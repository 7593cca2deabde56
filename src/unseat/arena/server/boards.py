"""Boards as pages, made once for all who look: what most requests are for."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any

import sqlalchemy as sa
from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from markupsafe import Markup

from unseat.arena import board, tables
from unseat.arena.server import figures, view
from unseat.arena.server.api import EMPTY
from unseat.arena.server.app import Arena
from unseat.arena.tracks import Track
from unseat.report import digits

_KEPT = 200
RECENT_S, STALE_S = 1.0, 10.0
"""Seconds that a board is shown without a look at the database, and that an old one is while a new one is made."""


@dataclass(frozen=True)
class Shared:
    """A page that is the same for everybody, ready to be sent.

    Attributes:
        plain: The page.
        packed: The same for a browser that takes gzip; there is nothing secret in it that its length could tell.
        tag: Tells a browser that has it already.
    """

    plain: bytes
    packed: bytes
    tag: str

    @classmethod
    def of(cls, plain: bytes) -> Shared:
        """From the page."""
        return cls(plain, gzip.compress(plain, 6, mtime=0), f'W/"{hashlib.sha256(plain).hexdigest()[:20]}"')

    def answer(self, request: Request) -> Response:
        """What this browser needs of it; it is asked again each time, since a score may have come."""
        head = {"etag": self.tag, "cache-control": "no-cache", "vary": "accept-encoding, cookie",
                "content-type": "text/html; charset=utf-8"}  # fmt: skip
        if request.headers.get("if-none-match") == self.tag:
            return Response(status_code=304, headers=head)
        if "gzip" in (takes := request.headers.get("accept-encoding", "")) and "gzip;q=0" not in takes.replace(" ", ""):
            return Response(self.packed, headers={**head, "content-encoding": "gzip"})
        return Response(self.plain, headers=head)


_NOTHING = Shared(b"", b"", "")


class Boards:
    """Boards as HTML, kept until a score comes; one for each way of looking at it."""

    def __init__(self, arena: Arena) -> None:
        self._arena, self._lock = arena, Lock()
        self._bodies: dict[int, tuple[int, dict[str, Any]]] = {}
        self._pages: OrderedDict[tuple[Any, ...], Markup] = OrderedDict()
        self._recent: dict[tuple[str, view.Query], tuple[float, Shared]] = {}
        self._making: dict[tuple[str, view.Query], asyncio.Task[Shared]] = {}
        self._one = asyncio.Semaphore(1)

    async def shared(self, key: tuple[str, view.Query], make: Callable[[], Response]) -> Shared:
        """A page that is the same for everybody: made once for all who ask, and shown a moment longer meanwhile."""
        until, page = self._recent.get(key, (-STALE_S, _NOTHING))
        now = time.monotonic()
        if until > now:
            return page
        if key not in self._making:
            self._making[key] = asyncio.create_task(self._made(key, make))
            # Where nobody waits for it, nobody asks what went wrong; the next one who comes will.
            self._making[key].add_done_callback(lambda done: done.cancelled() or done.exception())
        return page if until > now - STALE_S else await asyncio.shield(self._making[key])

    async def _made(self, key: tuple[str, view.Query], make: Callable[[], Response]) -> Shared:
        def packed() -> Shared:
            plain, before = bytes(make().body), self._recent.get(key, (0.0, _NOTHING))[1]
            return before if plain == before.plain else Shared.of(plain)

        try:
            # One at a time: several would take turns, and all who wait would wait longer.
            async with self._one:
                page = await run_in_threadpool(packed)
            if len(self._recent) >= _KEPT:
                self._recent.clear()
            self._recent[key] = time.monotonic() + RECENT_S, page
            return page
        finally:
            del self._making[key]

    def body(self, connection: sa.Connection, track: Track) -> tuple[int, dict[str, Any]]:
        """A track's board and its number, read anew only where there is a newer one."""
        number = connection.scalar(sa.select(tables.boards.c.changed).where(tables.boards.c.track == track.id))
        if number is None:
            return -1, EMPTY
        kept = self._bodies.get(track.id)
        if kept is None or kept[0] != number:
            kept = board.of_track(connection, track.id) or (-1, EMPTY)
            self._bodies[track.id] = kept
        return kept

    def table(self, track: Track, number: int, body: dict[str, Any], query: view.Query, final: bool) -> Markup:
        """The table with its controls."""
        key = track.id, number, query, final
        with self._lock:
            if key in self._pages:
                self._pages.move_to_end(key)
                return self._pages[key]
        minimise = body["objective"].get("minimise", True)
        rows = view.visible(body, final)
        names = {row["id"]: f"{row['who']}: {row['name']}" if row["who"] else row["name"] for row in rows}
        curves = {names[one]: points for one, points in body["anytime"].items() if one in names}
        days: Callable[[float], str] = self._arena.templates.filters["day"]
        history = [(one["at"], one["value"]) for one in body["history"]]
        made = Markup(self._arena.templates.get_template("board.html.j2").render(
            track=track.spec, body=body, query=query, page=view.page(rows, query, minimise), final=final, names=names,
            change=lambda versus: figures.change(versus, minimise),
            lead=figures.steps({"lead": history}, "The best public score over time", days) if len(history) > 1 else "",
            anytime=figures.steps(curves, "Public score over seconds of a run", digits.seconds, log=True),
            curves=list(curves)))  # fmt: skip
        with self._lock:
            self._pages[key] = made
            while len(self._pages) > _KEPT:
                self._pages.popitem(last=False)
        return made
