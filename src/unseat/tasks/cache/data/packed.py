"""The densest file of a trace whose objects keep their size: what the embedded traces are stored in.

Layout (little-endian): the magic `UNSEATC1`; n and m as uint64; the differences of successive keys (from 0, modulo
2**32) as four planes of n bytes, lowest byte first; m int64 sizes, one an object in order of first request (m is 0 for
a trace without sizes, 1 where all objects have one size). Planes and neighbouring keys make it small under xz.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import UserError
from unseat.tasks.cache.data.trace import RawTrace

MAGIC = b"UNSEATC1"
_HEAD = len(MAGIC) + 16


def encode(trace: RawTrace, place: str) -> bytes:
    """The file's content.

    Raises:
        UserError: a key beyond 32 bits, or an object whose size changes.
    """
    if len(trace.keys) and trace.keys.max() >= 2**32:
        raise UserError(f"{place}: packed traces hold keys below 2**32; write i64 or oracleGeneral")
    sizes = _object_sizes(trace, place)
    keys = trace.keys.astype(np.uint32)
    steps = np.diff(keys, prepend=np.uint32(0)).astype("<u4")
    planes = steps.view(np.uint8).reshape(-1, 4).T
    head = np.array([len(keys), len(sizes)], dtype="<u8")
    return MAGIC + head.tobytes() + planes.tobytes() + sizes.astype("<i8").tobytes()


def decode(content: bytes, place: str) -> tuple[NDArray[np.uint64], NDArray[np.int64] | None]:
    """Keys (uint64, (n,)) and sizes (int64, (n,), or None).

    Raises:
        UserError: the content is not of this format, or not whole.
    """
    if not content.startswith(MAGIC):
        raise UserError(f"{place}: record 1: not a packed trace, or a truncated one; name the right format")
    n, m = (int(x) for x in np.frombuffer(content[:_HEAD].ljust(_HEAD, b"\0"), dtype="<u8", offset=len(MAGIC)))
    if len(content) != _HEAD + 4 * n + 8 * m:
        record = max(len(content) - _HEAD, 0) // 4 + 1
        raise UserError(f"{place}: record {max(min(record, n), 1)}: the file is truncated or damaged; fetch it again")
    planes = np.frombuffer(content, dtype=np.uint8, count=4 * n, offset=_HEAD).reshape(4, n)
    steps = np.ascontiguousarray(planes.T).view("<u4").ravel()
    keys = np.cumsum(steps, dtype=np.uint32).astype(np.uint64)
    if m == 0:
        return keys, None
    sizes = np.frombuffer(content, dtype="<i8", offset=_HEAD + 4 * n).astype(np.int64)
    if m == 1:
        return keys, np.repeat(sizes, n)
    _, first, dense = np.unique(keys, return_index=True, return_inverse=True)
    if len(first) != m:
        raise UserError(f"{place}: {m} sizes for {len(first)} objects; the file is damaged, fetch it again")
    by_first = np.empty(m, dtype=np.int64)
    by_first[np.argsort(first)] = sizes
    return keys, by_first[dense]


def _object_sizes(trace: RawTrace, place: str) -> NDArray[np.int64]:
    if trace.sizes is None or len(trace.sizes) == 0:
        return np.zeros(0, dtype=np.int64)
    _, first, dense = np.unique(trace.keys, return_index=True, return_inverse=True)
    sizes = trace.sizes[first]
    if not np.array_equal(sizes[dense], trace.sizes):
        at = int(np.flatnonzero(sizes[dense] != trace.sizes)[0])
        raise UserError(f"{place}: record {at + 1}: an object changed its size; write oracleGeneral or csv instead")
    return sizes[:1] if np.all(sizes == sizes[0]) else trace.sizes[np.sort(first)]
