"""The bound: what one read of the key array costs.

Any index that answers queries in their order and compares them with a key reads at least one cache line of the array a
query, and which one depends on the query. This kernel does that and nothing else: the position comes from the query by
one multiplication (Fibonacci hashing: Knuth, The Art of Computer Programming 3, 6.4), as if a perfect model had given
it in one instruction; queries stream in and positions stream out as they do for an index. The read is asked for a
fixed number of queries ahead, which overlaps as many reads as the processor can and waits at no block's end.

A relaxation: its answers are wrong, its time cannot be beaten. It holds for queries in random order only, since
queries that come sorted read lines that are there already.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import inlined, jit
from unseat.structures.codes import code
from unseat.structures.locator import Locator
from unseat.structures.prefetch import prefetch

AHEAD = 48
"""Reads in flight. Processors have 10 to 64 line-fill buffers or so; asking for a few more costs nothing."""
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(11)


def build(keys: NDArray[Any], budget: int | None = None) -> Locator:
    """The bound in the form of an index; ``out`` gets positions that are not the queries'."""
    return Locator("memory floor", touch)


@jit
def touch(keys: NDArray[Any], queries: NDArray[Any], out: NDArray[np.int64]) -> None:
    """Read one key a query, at a random position; same signature as an index."""
    scale = len(keys) * 2.0**-53
    last = len(queries) - 1
    for i in range(len(queries)):
        prefetch(keys, _place(queries[min(i + AHEAD, last)], scale))
        query = queries[i]
        position = _place(query, scale)
        out[i] = position + (keys[np.uint64(position)] < query)


@inlined
def _place(query: Any, scale: float) -> int:
    return int(np.int64((code(query) * _GOLDEN) >> _SHIFT) * scale)
