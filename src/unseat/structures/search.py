"""Binary search: the incumbents that hold nothing besides the keys, and the last step of those that hold something.

`plain` branches as the textbook does, and the processor guesses half of the branches wrong. `branchless` computes the
next position instead (Khuong and Morin, Array Layouts for Comparison-Based Searching, JEA 2017), asking for both
places that the step after can read. Either still waits for one query's memory at a time. `interleaved` takes a block
of queries down together (group prefetching: Chen, Ailamaki, Gibbons and Mowry, ICDE 2004; for binary search:
Psaropoulos, Legler, May and Ailamaki, Interleaving with Coroutines, VLDB 2017), which is several times faster and the
one to beat.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import inlined, jit
from unseat.structures.locator import Locator, OverBudget
from unseat.structures.prefetch import BLOCK, prefetch

LESS_THAN_HALF = 0.382
"""Where the first step divides the array (the golden section), so that later ones probe no multiples of a power of two.

Halving an array of 2**24 keys probes places that share a few sets of the cache; lines that were asked for are dropped
before they are read, and a block takes near three times as long as in an array of 10**7 (measured). Dividing unevenly
once costs a third of a step.
"""


def plain(keys: NDArray[Any], budget: int | None = None) -> Locator:
    """The textbook's binary search, one query at a time, by branches."""
    return Locator("binary search, plain", plain_search)


@jit
def plain_search(keys: NDArray[Any], queries: NDArray[Any], out: NDArray[np.int64]) -> None:
    """See `plain`; a kernel as in `unseat.structures.locator.Run`."""
    for i in range(len(queries)):
        query = queries[i]
        low, high = 0, len(keys)
        while low < high:
            middle = (low + high) >> 1
            if keys[np.uint64(middle)] < query:
                low = middle + 1
            else:
                high = middle
        out[i] = low


def branchless(keys: NDArray[Any], budget: int | None = None) -> Locator:
    """Binary search without branches, one query at a time."""
    return Locator("binary search, branchless", branchless_search)


@jit
def branchless_search(keys: NDArray[Any], queries: NDArray[Any], out: NDArray[np.int64]) -> None:
    """See `branchless`; a kernel as in `unseat.structures.locator.Run`."""
    for i in range(len(queries)):
        query = queries[i]
        low, width = 0, len(keys)
        while width > 1:
            half = width >> 1
            width -= half
            prefetch(keys, low + (width >> 1) - 1)
            prefetch(keys, low + half + (width >> 1) - 1)
            low += half * (keys[np.uint64(low + half - 1)] < query)
        out[i] = low + (keys[np.uint64(low)] < query)


def interleaved(keys: NDArray[Any], budget: int | None = None) -> Locator:
    """Binary search without branches, a block of queries in step, with prefetches."""
    return Locator("binary search, interleaved", interleaved_search)


@jit
def interleaved_search(keys: NDArray[Any], queries: NDArray[Any], out: NDArray[np.int64]) -> None:
    """See `interleaved`; a kernel as in `unseat.structures.locator.Run`."""
    size = len(keys)
    half = int(size * LESS_THAN_HALF)
    division = keys[max(half - 1, 0)]
    low = np.empty(BLOCK, np.int64)
    block = np.empty(BLOCK, keys.dtype)
    for first in range(0, len(queries), BLOCK):
        length = min(BLOCK, len(queries) - first)
        for j in range(length):
            block[j] = queries[first + j]
            low[j] = half * (division < block[j])
        narrow(keys, block, length, low, size - half, 1)
        for j in range(length):
            out[first + j] = low[j] + (keys[np.uint64(low[j])] < block[j])


def numpy_searchsorted(keys: NDArray[Any], budget: int | None = None) -> Locator:
    """`numpy.searchsorted`, what a Python program calls today."""
    return Locator("numpy.searchsorted", _numpy_search)


def _numpy_search(keys: NDArray[Any], queries: NDArray[Any], out: NDArray[np.int64]) -> None:
    out[:] = np.searchsorted(keys, queries)


def within(locator: Locator, budget: int | None) -> Locator:
    """The locator, if it fits.

    Raises:
        OverBudget: It holds more than `budget` bytes.
    """
    if budget is not None and locator.nbytes > budget:
        raise OverBudget(f"{locator.name} holds {locator.nbytes} bytes, the budget is {budget}")
    return locator


@inlined
def narrow(keys: NDArray[Any], block: NDArray[Any], length: int, low: NDArray[np.int64], width: int, least: int) -> int:
    """Halve the windows of a block, all of the same width.

    Args:
        keys: The sorted array.
        block: The block's queries.
        length: How many there are.
        low: The lower bound of query j lies in ``[low[j], low[j] + width]``, within 0 and ``len(keys)``; updated.
        width: See `low`.
        least: Go on until windows are no wider.

    Returns:
        The width they have then.
    """
    while width > least:
        half = width >> 1
        width -= half
        for j in range(length):
            low[j] += half * (keys[np.uint64(low[j] + half - 1)] < block[j])
        # Apart from the comparisons, which a prefetch in their loop would keep from being vectorised.
        if width > least:
            ahead = (width >> 1) - 1
            for j in range(length):
                prefetch(keys, low[j] + ahead)
    return width


@inlined
def count_few(keys: NDArray[Any], queries: NDArray[Any], first: int, length: int, out: NDArray[np.int64]) -> None:
    """Answer a block by counting: for arrays that do not fill two cache lines."""
    for j in range(length):
        smaller = 0
        for i in range(len(keys)):
            smaller += int(keys[np.uint64(i)] < queries[first + j])
        out[first + j] = smaller
