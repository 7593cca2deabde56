"""Sorted texts and bytes: 8-byte codes for the model, exact comparison for what the codes leave open.

Texts are ordered as their UTF-8 bytes, which is the order of their code points and so that of Python's ``str``; a text
that is a prefix of another comes first. The code of a text is its first 8 bytes after the prefix that all keys share,
as a big-endian number padded with zeros: for texts a <= b, code(a) <= code(b). An index on the codes finds where those
equal to the query's begin, and `unseat.structures.text_search` goes on from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import UserError
from unseat.core.jit import jit
from unseat.structures.admission import Kind, check_whole, is_text
from unseat.structures.text_search import code_at, compare

ENCODING = ("utf-8", "surrogatepass")
"""Lone surrogates are code points like others here, so that every ``str`` has its place."""


@dataclass(frozen=True)
class Texts:
    """Texts end to end.

    Attributes:
        data: Their UTF-8 bytes (or bytes), uint8.
        ends: int64 of length n + 1: text i is ``data[ends[i]:ends[i + 1]]``.
    """

    data: NDArray[np.uint8]
    ends: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ends) - 1

    @property
    def nbytes(self) -> int:
        """Bytes of the texts and of where they end."""
        return self.data.nbytes + self.ends.nbytes

    def take(self, order: NDArray[np.int64]) -> Texts:
        """The texts at these places, in this order."""
        return Texts(*_take(self.data, self.ends, order))

    def slice(self, start: int, stop: int) -> Texts:
        """The texts from `start` to before `stop`."""
        first, last = self.ends[start], self.ends[stop]
        return Texts(self.data[first:last], self.ends[start : stop + 1] - first)

    def joined(self, other: Texts) -> Texts:
        """These, then the others."""
        ends = np.concatenate([self.ends, self.ends[-1] + other.ends[1:]])
        return Texts(np.concatenate([self.data, other.data]), ends)

    def values(self, text: str) -> list[Any]:
        """As Python's "str" or "bytes"."""
        raw, ends = self.data.tobytes(), self.ends.tolist()
        pieces = [raw[start:end] for start, end in pairwise(ends)]
        return [piece.decode(*ENCODING) for piece in pieces] if text == "str" else pieces


def admit_texts(values: Any, text: str, what: str) -> Texts:
    """Texts in any order: a list, or an array of NumPy's U, S, T or object type.

    Args:
        text: The type that all must have, "str" or "bytes".
        what: How errors call them.

    Raises:
        UserError: One of them is of another type.
    """
    check_whole(values, what)
    if text == "bytes" and isinstance(values, np.ndarray) and values.dtype.kind == "S":
        rows = np.ascontiguousarray(values).reshape(-1)
        return Texts(*_packed(rows.view(np.uint8).reshape(len(rows), values.itemsize)))
    flat: Sequence[Any] = np.ravel(values).tolist() if isinstance(values, np.ndarray) else values
    wanted: tuple[type, ...] = (str,) if text == "str" else (bytes, bytearray)
    if any(not issubclass(kind, wanted) for kind in set(map(type, flat))):
        wrong = next(i for i, value in enumerate(flat) if not isinstance(value, wanted))
        raise UserError(f"{what}[{wrong}] is of type {type(flat[wrong]).__name__}, and the keys are {text}")
    # One join and one encoding for all: a call for each text would cost more than the rest. Into a bytearray, as
    # kernels are compiled for arrays that may be written.
    ends = np.zeros(len(flat) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, flat), np.int64, len(flat)), out=ends[1:])
    if text == "bytes":
        return Texts(np.frombuffer(bytearray().join(flat), np.uint8), ends)
    data = np.frombuffer(bytearray("".join(flat), *ENCODING), np.uint8)
    if len(data) != ends[-1]:
        _byte_ends(data, ends)
    return Texts(data, ends)


def sorted_texts(texts: Texts) -> Texts:
    """A sorted copy."""
    return admit_texts(sorted(texts.values("bytes")), "bytes", "keys")


def admit_text_queries(queries: Any, kind: Kind) -> tuple[Texts, tuple[int, ...]]:
    """Queries against texts, flat, and the shape that they came in.

    Raises:
        UserError: They are not of the keys' type.
    """
    if is_text(queries):
        if isinstance(queries, (str, bytes, bytearray)):
            return admit_texts([queries], kind.text, "queries"), ()
        shape = queries.shape if isinstance(queries, np.ndarray) else (len(queries),)
        return admit_texts(queries, kind.text, "queries"), shape
    nested = _unnested(queries)
    if is_text(nested):
        return admit_texts(nested, kind.text, "queries"), nested.shape
    if nested.size == 0:
        return admit_texts([], kind.text, "queries"), nested.shape
    raise UserError(f"queries of type {type(queries).__name__} cannot be compared with {kind} keys")


def _unnested(queries: Any) -> NDArray[Any]:
    try:
        return np.asarray(queries, object)
    except ValueError:
        raise UserError("queries are nested lists of unequal lengths") from None


def text_disorder(texts: Texts) -> int:
    """The first i whose text is greater than the next, or -1."""
    return int(_disorder(texts.data, texts.ends))


def shared_prefix(texts: Texts) -> int:
    """Bytes that all of the sorted texts begin with."""
    if not len(texts):
        return 0
    first, last = (texts.slice(i, i + 1).data for i in (0, len(texts) - 1))
    short = min(len(first), len(last))
    differs = np.flatnonzero(first[:short] != last[:short])
    return int(differs[0]) if len(differs) else short


def text_codes(texts: Texts, skip: int) -> NDArray[np.uint64]:
    """The code of each text, past its first `skip` bytes."""
    out = np.empty(len(texts), np.uint64)
    _codes(texts.data, texts.ends, skip, out)
    return out


@jit
def _take(
    data: NDArray[np.uint8], ends: NDArray[np.int64], order: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    new = np.empty(len(order) + 1, np.int64)
    new[0] = 0
    for i in range(len(order)):
        new[i + 1] = new[i] + ends[order[i] + 1] - ends[order[i]]
    out = np.empty(new[-1], np.uint8)
    for i in range(len(order)):
        begin = ends[order[i]]
        for j in range(new[i + 1] - new[i]):
            out[new[i] + j] = data[begin + j]
    return out, new


@jit
def _packed(rows: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Rows without the zeros that fill them up, end to end."""
    count, width = rows.shape
    ends = np.zeros(count + 1, np.int64)
    for i in range(count):
        length = width
        while length and rows[i, length - 1] == 0:
            length -= 1
        ends[i + 1] = ends[i] + length
    out = np.empty(ends[-1], np.uint8)
    for i in range(count):
        for j in range(ends[i + 1] - ends[i]):
            out[ends[i] + j] = rows[i, j]
    return out, ends


@jit
def _byte_ends(data: NDArray[np.uint8], ends: NDArray[np.int64]) -> None:
    """Ends counted in characters of UTF-8 text, in bytes."""
    at, passed = 0, 0
    for i in range(1, len(ends)):
        while passed < ends[i]:
            lead = data[at]
            at += 1 if lead < 0x80 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
            passed += 1
        ends[i] = at


@jit
def _disorder(data: NDArray[np.uint8], ends: NDArray[np.int64]) -> int:
    for i in range(len(ends) - 2):
        if compare(data, ends[i], ends[i + 1], data, ends[i + 1], ends[i + 2]) > 0:
            return i
    return -1


@jit
def _codes(data: NDArray[np.uint8], ends: NDArray[np.int64], skip: int, out: NDArray[np.uint64]) -> None:
    for i in range(len(out)):
        out[i] = code_at(data, ends[i] + skip, ends[i + 1])
