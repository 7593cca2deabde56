"""The last mile: from a window that surely holds the answer to the answer, for a block of queries at once.

A model says that a query's lower bound lies in ``[low, high]``; to settle it only ``keys[low:high]`` need be read. Two
facts make this cheap. First, the queries of a block are searched in step, each asking for the line it reads next
before any of them waits (group prefetching). Second, a window of up to a cache line's worth of keys is not searched but
counted: the answer is the number of smaller keys, and as the array is sorted, keys beyond the window never change that
number. So the last window may be shifted to where no further line is touched, has the same length for all, and is
compared by one vector instruction without a branch to mispredict.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import inlined
from unseat.structures.lanes import LINE, count_less, opaque
from unseat.structures.prefetch import prefetch

SPARSE = 4
"""All queries of a block are searched in step while more than one in so many still needs it."""


@inlined
def fetch(keys: NDArray[Any], low: int, high: int) -> None:
    """Ask for what `finish` reads first of the window: both ends if it is counted at once, else the middle."""
    # A branch: most models give windows that are nearly all small, and then it costs less than selecting addresses.
    if high - low > LINE // keys.itemsize:
        prefetch(keys, (low + high) >> 1)
    else:
        prefetch(keys, low)
        prefetch(keys, high - 1)


@inlined
def _fetch_next(keys: NDArray[Any], low: int, high: int) -> None:
    """The same during a search, where whether the window is small by now cannot be predicted."""
    wide = -opaque(np.int64(high - low > LINE // keys.itemsize))
    half = (high - low) >> 1
    prefetch(keys, low + (half & wide))
    prefetch(keys, high - 1 - ((high - 1 - low - half) & wide))


@inlined
def _finish_few(
    keys: NDArray[Any],
    queries: NDArray[Any],
    first: int,
    length: int,
    low: NDArray[np.int64],
    high: NDArray[np.int64],
    out: NDArray[np.int64],
) -> None:
    """Narrow the windows that are still too wide to be counted, of which there are few, without touching the others."""
    width = LINE // keys.itemsize
    # Until the answers go there, `out` lists the queries at work.
    wide = 0
    for j in range(length):
        out[first + wide] = j
        wide += int(high[j] - low[j] > width)
    while wide > 0:
        left = 0
        for i in range(wide):
            j = out[first + i]
            middle = (low[j] + high[j]) >> 1
            right = -opaque(np.int64(keys[np.uint64(middle)] < queries[first + j]))
            low[j] += (middle + 1 - low[j]) & right
            high[j] -= (high[j] - middle) & ~right
            _fetch_next(keys, low[j], high[j])
            out[first + left] = j
            left += int(high[j] - low[j] > width)
        wide = left


@inlined
def finish(
    keys: NDArray[Any],
    queries: NDArray[Any],
    first: int,
    length: int,
    low: NDArray[np.int64],
    high: NDArray[np.int64],
    out: NDArray[np.int64],
) -> None:
    """Settle ``out[first : first + length]``, the lower bounds of those queries.

    Args:
        keys: The sorted array.
        queries: All queries.
        first: Index of the block's first query.
        length: How many queries the block has, at most ``len(low)``.
        low: Where each query's window begins; overwritten.
        high: Where it ends: the lower bound lies in ``[low, high]``, within 0 and ``len(keys)``; overwritten.
        out: Where the answers go.
    """
    width = LINE // keys.itemsize
    wide = 0
    for j in range(length):
        wide += int(high[j] - low[j] > width)
    while wide * SPARSE > length:
        wide = 0
        for j in range(length):
            begin, end = low[j], high[j]
            # A window that is small already stays as it is: its half is 0, and its end is not moved.
            open_still = -opaque(np.int64(end - begin > width))
            half = ((end - begin) >> 1) & open_still
            probe = min(begin + half, np.int64(len(keys)) - 1)
            right = -opaque(np.int64(keys[np.uint64(probe)] < queries[first + j]))
            low[j] = begin + (half & right)
            high[j] = end - ((end - begin - half) & open_still & ~right)
            _fetch_next(keys, low[j], high[j])
            wide += int(high[j] - low[j] > width)
    if wide > 0:
        _finish_few(keys, queries, first, length, low, high, out)
    last = len(keys) - width
    if last >= 0:
        offset = keys.ctypes.data // keys.itemsize
        for j in range(length):
            # A window within one line is counted by reading that line alone; one over two lines has both fetched.
            line = low[j] - ((offset + low[j]) & (width - 1))
            start = min(max(line if high[j] <= line + width else low[j], 0), last)
            out[first + j] = start + count_less(keys, start, queries[first + j])
    else:
        for j in range(length):
            smaller = np.int64(0)
            for i in range(len(keys)):
                smaller += np.int64(keys[i] < queries[first + j])
            out[first + j] = smaller
