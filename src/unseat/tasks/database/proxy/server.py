"""The proxy: every client has a connection of its own to the server, and most bytes pass as they are.

Before a query that is to run under other settings than the last one, and only while the connection is idle and outside
a transaction, the proxy sends ``SET`` commands of its own and keeps the answers to itself. In transactions, in the
middle of a pipeline, during COPY and on encrypted connections it changes nothing. A client that sets a
planner's switch itself is left alone from then on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, cast

from unseat.tasks.database.proxy import wire
from unseat.tasks.database.proxy.decisions import Decisions
from unseat.tasks.database.query.arms import ARMS, DEFAULT

IDLE = b"I"
MOST_STATEMENTS = 10_000


def _switches(arm: int) -> Mapping[str, str]:
    return ARMS[arm].settings


def change(before: int, after: int) -> bytes:
    """The commands that lead from one hint set to another; what is on again gets the server's own value."""
    reset = [f"RESET {name}" for name in _switches(before) if name not in _switches(after)]
    off = [f"SET {name} = off" for name in _switches(after) if name not in _switches(before)]
    return "; ".join([*reset, *off]).encode()


class Upstream(asyncio.Protocol):
    """The connection to the server."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.client.connected(self)

    def data_received(self, data: bytes) -> None:
        self.client.from_server(data)

    def connection_lost(self, error: Exception | None) -> None:
        self.client.close()

    def pause_writing(self) -> None:
        self.client.read(False)

    def resume_writing(self) -> None:
        self.client.read(True)


class Client(asyncio.Protocol):
    """A client's connection, and what is known of its state.

    Args:
        decisions: Who says which hint set.
        address: Of the server: a socket's path, or host and port.
    """

    def __init__(self, decisions: Decisions, address: str | tuple[str, int]) -> None:
        self.decisions, self.address = decisions, address
        self.transport: asyncio.Transport | None = None
        self.upstream: Upstream | None = None
        self.waiting, self.reader = bytearray(), wire.Reader()
        self.cut = wire.Cutter()
        self.started, self.opaque, self.asked_tls = False, False, False
        self.arm, self.pending, self.unsynced, self.status, self.swallow = DEFAULT, 0, False, b"", False
        self.steers, self.statements = True, dict[bytes, bytes]()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        loop = asyncio.get_running_loop()
        opening = (
            loop.create_unix_connection(lambda: Upstream(self), self.address) if isinstance(self.address, str)
            else loop.create_connection(lambda: Upstream(self), *self.address)
        )  # fmt: skip
        self.opening = loop.create_task(opening)
        self.opening.add_done_callback(self._opened)

    def _opened(self, task: asyncio.Task[Any]) -> None:
        if task.cancelled() or task.exception() is not None:
            self.close()

    def connected(self, upstream: Upstream) -> None:
        """The server is there: what has come meanwhile goes on."""
        self.upstream = upstream
        data = bytes(self.waiting)
        self.waiting.clear()
        if data:
            self.data_received(data)
        if self.transport is not None and self.transport.is_closing():
            # It has come and gone meanwhile, as one does that asks to cancel.
            self.close()

    def connection_lost(self, error: Exception | None) -> None:
        self.close()

    def close(self) -> None:
        """End both connections."""
        for transport in (self.transport, self.upstream.transport if self.upstream else None):
            if transport is not None and not transport.is_closing():
                transport.close()

    def read(self, on: bool) -> None:
        """Take more from the client, or not while the server is slow."""
        if self.transport is not None and not self.transport.is_closing():
            (self.transport.resume_reading if on else self.transport.pause_reading)()

    def pause_writing(self) -> None:
        if self.upstream is not None and self.upstream.transport is not None:
            self.upstream.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.upstream is not None and self.upstream.transport is not None:
            self.upstream.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Bytes of the client."""
        if self.upstream is None or self.upstream.transport is None:
            self.waiting += data
            return
        if self.opaque:
            self.upstream.transport.write(data)
            return
        try:
            data = data if self.started else self._begin(data)
            out = [part for kind, message in self.reader.messages(data) for part in self._ask(kind, message)]
        except wire.Malformed:
            self.close()
            return
        if out:
            self.upstream.transport.write(b"".join(out) if len(out) > 1 else out[0])

    def _begin(self, data: bytes) -> bytes:
        """Send the first message on; what is behind it."""
        self.waiting += data
        if self.waiting[:1] == b"\x16":
            # A client that begins with TLS at once; there is nothing that could be read.
            self.opaque = True
            assert self.upstream is not None and self.upstream.transport is not None
            self.upstream.transport.write(bytes(self.waiting))
            return b""
        told = wire.first(bytes(self.waiting[:8]))
        if told is None or len(self.waiting) < told[0] or self.asked_tls:
            return b""
        length, code = told
        message, rest = bytes(self.waiting[:length]), bytes(self.waiting[length:])
        self.waiting.clear()
        assert self.upstream is not None and self.upstream.transport is not None
        self.upstream.transport.write(message)
        if code in (wire.TLS, wire.GSS):
            # The server's answer, one byte, says whether all that follows is encrypted.
            self.asked_tls = True
            self.waiting += rest
            return b""
        self.started = True
        return rest

    def _ask(self, kind: bytes, message: bytes) -> list[bytes]:
        """A message of the client, with settings before it where they have to change."""
        out = [message]
        # Before the server has once said that it is ready nobody knows who the client is.
        if self.status and (self.steers or self.arm != DEFAULT) and kind in (b"Q", b"P", b"B"):
            arm = self._arm(kind, message) if self.steers else DEFAULT
            idle = not self.pending and not self.unsynced and self.status == IDLE
            if idle and arm is not None and arm != self.arm:
                out = [wire.query(change(self.arm, arm)), message]
                self.arm, self.swallow = arm, True
        if kind in (b"Q", b"S", b"F"):
            self.pending, self.unsynced = self.pending + 1, False
        elif kind in (b"P", b"B", b"E", b"D", b"C"):
            self.unsynced = True
        return out

    def _arm(self, kind: bytes, message: bytes) -> int | None:
        """The hint set of a query; None for a statement that nobody knows."""
        if kind == b"B":
            known = self.statements.get(wire.statement_of(message))
            return None if known is None else self.decisions.arm(known)
        name, text = (b"", wire.text_of(message)) if kind == b"Q" else wire.parse_of(message)
        if b"enable_" in text:
            # From here on the switches are the client's, as they would be without a proxy.
            self.steers = False
            return DEFAULT
        if kind == b"P" and (name in self.statements or len(self.statements) < MOST_STATEMENTS):
            # The text, since a decision about it may only come later.
            self.statements[name] = text
        return self.decisions.arm(text)

    def from_server(self, data: bytes) -> None:
        """Bytes of the server."""
        assert self.transport is not None and self.upstream is not None
        if self.opaque:
            self.transport.write(data)
            return
        if self.asked_tls:
            # N: it has none, and the client may go on in the clear or leave.
            self.opaque, self.asked_tls = data[:1] != b"N", False
            self.transport.write(data)
            waiting, self.waiting = bytes(self.waiting), bytearray()
            if waiting:
                self.data_received(waiting)
            return
        try:
            told = None if self.swallow else self.cut.ready(data)
            if told is not None:
                if told[0]:
                    self.pending, self.status = max(0, self.pending - told[0]), told[1]
                self.transport.write(data)
                return
            data = self.cut.head + data
            out = [data[first:last] for first, last in self._kept(data)]
        except wire.Malformed:
            self.close()
            return
        if out:
            self.transport.write(out[0] if len(out) == 1 else b"".join(out))

    def _kept(self, data: bytes) -> list[tuple[int, int]]:
        """The parts of what came that are for the client, and not an answer to the proxy itself."""
        kept, begin, cut = list[tuple[int, int]](), 0, self.cut
        for at, end, kind, whole in cut.scan(data):
            if self.swallow and kind not in (b"N", b"A"):
                # Notices and notifications are the client's all the same.
                if at > begin:
                    kept.append((begin, at))
                begin = end
                self.steers = self.steers and kind != b"E"
                self.swallow = not (whole and kind == b"Z")
            elif whole and kind == b"Z":
                self.pending, self.status = max(0, self.pending - 1), data[end - 1 : end]
        if cut.taken > begin:
            kept.append((begin, cut.taken))
        return kept


async def serve(decisions: Decisions, address: str | tuple[str, int], listen: tuple[str, int]) -> asyncio.Server:
    """Begin to listen."""
    return await asyncio.get_running_loop().create_server(lambda: Client(decisions, address), *listen)
