"""What of PostgreSQL's wire protocol the proxy must understand: where messages end, and which are questions.

PostgreSQL's documentation, chapter "Frontend/Backend Protocol", version 3.0. The first message of a client has no type.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

CANCEL, TLS, GSS = 80877102, 80877103, 80877104
"""Codes that stand where a start-up message has the protocol's version."""

LONGEST = 1 << 30

_LENGTH = struct.Struct("!I")
_HEAD = struct.Struct("!cI")


class Malformed(Exception):
    """What came is no message."""


@dataclass
class Reader:
    """Cuts a stream of bytes into messages with a type.

    Attributes:
        rest: What has come of a message that is not whole yet.
        awaited: Bytes that it has at least, when it is.
    """

    rest: bytearray = field(default_factory=bytearray)
    awaited: int = 0

    def messages(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Type and the whole message, header included, of every message that is complete now.

        Raises:
            Malformed: A length is impossible.
        """
        if self.rest:
            self.rest += data
            if len(self.rest) < self.awaited:
                return
            data = bytes(self.rest)
            self.rest.clear()
        at, end = 0, len(data)
        while end - at >= 5:
            kind, length = _HEAD.unpack_from(data, at)
            if not 4 <= length <= LONGEST:
                raise Malformed(f"a message of type {kind!r} with {length} bytes")
            after = at + 1 + length
            if after > end:
                # A large message is put together once, and not again with each piece that comes.
                self.awaited = after - at
                break
            yield kind, data[at:after]
            at = after
        else:
            self.awaited = 0
        if at < end:
            self.rest += data[at:]


@dataclass
class Cutter:
    """Finds where messages begin and end in a stream that is passed on as it comes, whole or not.

    Attributes:
        head: A header that is not whole yet; the next `scan` gets it in front of what came.
        left: Bytes of the last message that are still to come.
        kind: Its type.
        taken: How much of what `scan` got may be passed on.
    """

    head: bytes = b""
    left: int = 0
    kind: bytes = b""
    taken: int = 0

    def ready(self, data: bytes) -> tuple[int, bytes] | None:
        """Of a piece that holds whole messages only: how often the server says that it is ready, and its last status.

        What `scan` would find, quickly; None where a message is cut, and nothing has been taken then.

        Raises:
            Malformed: A length is impossible.
        """
        if self.left or self.head:
            return None
        at, size, count, status, unpack = 0, len(data), 0, b"", _HEAD.unpack_from
        while size - at >= 5:
            kind, length = unpack(data, at)
            if not 4 <= length <= LONGEST:
                raise Malformed(f"a message of type {kind!r} with {length} bytes")
            at += length + 1
            if kind == b"Z":
                count, status = count + 1, data[at - 1 : at]
        return (count, status) if at == size else None

    def scan(self, data: bytes) -> Iterator[tuple[int, int, bytes, bool]]:
        """Begin and end in `data`, type, and whether it ends there, of every message or part of one.

        Raises:
            Malformed: A length is impossible.
        """
        at, size, unpack = 0, len(data), _HEAD.unpack_from
        while at < size:
            begin = at
            if not self.left:
                if size - at < 5:
                    break
                self.kind, length = unpack(data, at)
                if not 4 <= length <= LONGEST:
                    raise Malformed(f"a message of type {self.kind!r} with {length} bytes")
                at, self.left = at + 5, length - 4
            step = min(self.left, size - at)
            at, self.left = at + step, self.left - step
            # What is asked about it is answered before the next one, so that `swallow` may end between two.
            yield begin, at, self.kind, not self.left
        self.head, self.taken = data[at:], at


def first(data: bytes) -> tuple[int, int] | None:
    """Length and code of a client's first message; None where they have not come yet."""
    if len(data) < 8:
        return None
    (length,), (code,) = _LENGTH.unpack_from(data, 0), _LENGTH.unpack_from(data, 4)
    if not 8 <= length <= 10_000:
        raise Malformed(f"a first message of {length} bytes")
    return int(length), int(code)


def query(text: bytes) -> bytes:
    """A simple query."""
    return b"Q" + _LENGTH.pack(len(text) + 5) + text + b"\0"


def text_of(message: bytes) -> bytes:
    """The text of a simple query."""
    return message[5:].partition(b"\0")[0]


def parse_of(message: bytes) -> tuple[bytes, bytes]:
    """Name and text of a Parse message."""
    name, _, rest = message[5:].partition(b"\0")
    return name, rest.partition(b"\0")[0]


def statement_of(message: bytes) -> bytes:
    """The prepared statement that a Bind message is about."""
    return message[5:].partition(b"\0")[2].partition(b"\0")[0]
