"""Sorted texts and bytes: 8-byte codes for the model, exact comparison for what the codes leave open.

Texts are ordered as their UTF-8 bytes, which is the order of their code points and so that of Python's ``str``; a text
that is a prefix of another comes first. The code of a text is its first 8 bytes after the prefix that all keys share,
as a big-endian number padded with zeros: for texts a <= b, code(a) <= code(b). An index on the codes finds where those
equal to the query's begin, and among them whole texts are compared.
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
from unseat.structures.admission import Kind, is_text

ENCODING = ("utf-8", "surrogatepass")
"""Lone surrogates are code points like others here, so that every ``str`` has its place."""
_TOP = np.uint64((1 << 64) - 1)


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
    flat: Sequence[Any] = np.ravel(values).tolist() if isinstance(values, np.ndarray) else list(values)
    # One join and one encoding for all: a call for each text would cost more than the rest.
    wanted: tuple[type, ...] = (str,) if text == "str" else (bytes, bytearray)
    wrong = next((i for i, value in enumerate(flat) if not isinstance(value, wanted)), None)
    if wrong is not None:
        raise UserError(f"{what}[{wrong}] is of type {type(flat[wrong]).__name__}, and the keys are {text}")
    pieces = [value.encode(*ENCODING) for value in flat] if text == "str" else flat
    ends = np.zeros(len(pieces) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, pieces), np.int64, len(pieces)), out=ends[1:])
    # A bytearray, as kernels are compiled for arrays that may be written.
    return Texts(np.frombuffer(bytearray().join(pieces), np.uint8), ends)


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
    if np.size(queries) == 0:
        return admit_texts([], kind.text, "queries"), np.shape(queries)
    raise UserError(f"queries of type {type(queries).__name__} cannot be compared with {kind} keys")


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


def finish(
    keys: Texts, codes: NDArray[np.uint64], queries: Texts, query_codes: NDArray[np.uint64], skip: int, strict: bool,
    out: NDArray[np.int64],
) -> None:  # fmt: skip
    """From the first place of each query's code in `out` to the first place of the query itself.

    With `strict` the first place past it. Queries without the keys' shared prefix go before or after all.
    """
    _finish(keys.data, keys.ends, codes, queries.data, queries.ends, query_codes, skip, strict, out)


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
def _compare(
    a: NDArray[np.uint8], a_start: int, a_end: int, b: NDArray[np.uint8], b_start: int, b_end: int
) -> int:  # fmt: skip
    """Negative, zero or positive as a's text is less than, equal to or greater than b's."""
    for i in range(min(a_end - a_start, b_end - b_start)):
        if a[a_start + i] != b[b_start + i]:
            return -1 if a[a_start + i] < b[b_start + i] else 1
    return (a_end - a_start) - (b_end - b_start)


@jit
def _disorder(data: NDArray[np.uint8], ends: NDArray[np.int64]) -> int:
    for i in range(len(ends) - 2):
        if _compare(data, ends[i], ends[i + 1], data, ends[i + 1], ends[i + 2]) > 0:
            return i
    return -1


@jit
def _codes(data: NDArray[np.uint8], ends: NDArray[np.int64], skip: int, out: NDArray[np.uint64]) -> None:
    for i in range(len(out)):
        start, end = ends[i] + skip, ends[i + 1]
        code = np.uint64(0)
        for j in range(8):
            byte = np.uint64(data[start + j]) if start + j < end else np.uint64(0)
            code = (code << np.uint64(8)) | byte
        out[i] = code


@jit
def _past(codes: NDArray[np.uint64], code: np.uint64, start: int) -> int:
    """The first place from `start` on whose code is greater: few share one as a rule, so it gallops."""
    step = 1
    low, high = start, start
    while high < len(codes) and codes[high] <= code:
        low = high + 1
        high += step
        step *= 2
    high = min(high, len(codes))
    while low < high:
        middle = (low + high) // 2
        if codes[middle] <= code:
            low = middle + 1
        else:
            high = middle
    return low


@jit
def _finish(
    data: NDArray[np.uint8], ends: NDArray[np.int64], codes: NDArray[np.uint64], query_data: NDArray[np.uint8],
    query_ends: NDArray[np.int64], query_codes: NDArray[np.uint64], skip: int, strict: bool, out: NDArray[np.int64],
) -> None:  # fmt: skip
    count = len(codes)
    below = 0 if strict else -1
    for i in range(len(out)):
        start, end = query_ends[i], query_ends[i + 1]
        side = _compare(data, 0, skip, query_data, start, min(end, start + skip))
        if side != 0:
            out[i] = 0 if side > 0 else count
            continue
        low = out[i]
        high = _past(codes, query_codes[i], low)
        while low < high:
            middle = (low + high) // 2
            if _compare(data, ends[middle], ends[middle + 1], query_data, start, end) <= below:
                low = middle + 1
            else:
                high = middle
        out[i] = low
