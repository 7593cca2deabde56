"""A radix table of two levels: the top bits of a key lead to a short window of the sorted array.

The first level divides the range between the first key and the last, which have a common prefix that tells nothing, by
the top bits of what is left (radix tables with binary search are the baseline RBS of Marcus et al., Benchmarking
Learned Indexes, VLDB 2020; and the root of RadixSpline: Kipf et al., aiDM 2020). Real keys crowd in some of its cells.
So each cell divides the range of its own keys once more, into as many slots as its share of the keys pays for, and a
slot says where in the array its keys begin. What a slot holds is found by interleaved search.

All is computed on codes of the keys (`unseat.structures.codes`), which compare as the keys do. A slot's number never
falls as the code grows, so the lower bound of any query lies between the first key of its slot and that of the next.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import jit
from unseat.structures.codes import code, codes
from unseat.structures.last_mile import fetch, finish
from unseat.structures.locator import Locator
from unseat.structures.prefetch import BLOCK, prefetch
from unseat.structures.search import within

MOST_CELLS = 1 << 16
"""As many as leave the first level in the second-level cache."""
_CELL = 16
"""Bytes of a cell: its least code; and, in one number, its first slot (32 bits), its last (24) and the shift (8)."""
_FIRST, _LAST = np.uint64(32), np.uint64(8)
_LAST_MASK, _SHIFT_MASK = np.uint64(0xFFFFFF), np.uint64(0xFF)
_ONE = np.uint64(1)


def build(keys: NDArray[Any], budget: int | None = None, *, cells: int | None = None) -> Locator:
    """The table over sorted keys.

    Args:
        keys: At least one.
        budget: Bytes; None gives about a slot for each key.
        cells: Cells of the first level, a power of two; by default as many as fit in a fifth of the budget.

    Raises:
        OverBudget: Not even a table of one cell and one slot fits.
    """
    kind = np.dtype(np.uint32 if len(keys) < 1 << 32 else np.uint64)
    room = 1024 + (_CELL + kind.itemsize) * len(keys) if budget is None else budget
    if cells is None:
        cells = 1
        while 2 * cells <= MOST_CELLS and 10 * cells * _CELL <= room:
            cells *= 2
    images = codes(keys)
    header, bounds = _divide(images, cells)
    slots = min((room - _CELL * (len(bounds) - 1) - header.nbytes) // kind.itemsize - 1, (1 << 32) - 1)
    plan = np.empty(2 * (len(bounds) - 1), np.uint64)
    total = _share(images, bounds, slots, plan)
    begins = np.empty(total + 1, kind)
    _fill(images, bounds, plan, begins)
    config = {"cells": len(bounds) - 1, "slots": total}
    return within(Locator("radix table", search, (plan, begins, header), config), budget)


def _divide(images: NDArray[np.uint64], cells: int) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """The header (least code, shift, last cell) and where in the array each cell begins, and the last ends."""
    span = int(images[-1] - images[0])
    shift = max(0, span.bit_length() - (cells.bit_length() - 1))
    cells = (span >> shift) + 1 if shift < 64 else 1
    edges = images[0] + (np.arange(cells, dtype=np.uint64) << np.uint64(min(shift, 63)))
    bounds = np.append(np.searchsorted(images, edges), len(images))
    return np.array([images[0], min(shift, 63), cells - 1], np.uint64), bounds


def _share(images: NDArray[np.uint64], bounds: NDArray[np.int64], slots: int, plan: NDArray[np.uint64]) -> int:
    """Write the cells with no more slots than given, if that can be, and as few keys a slot as that allows."""
    low, high = 0.5, float(len(images) + 1)
    if _write_cells(images, bounds, low, plan) <= slots:
        return int(_write_cells(images, bounds, low, plan))
    while high / low > 1.001:
        middle = (low * high) ** 0.5
        low, high = (low, middle) if _write_cells(images, bounds, middle, plan) <= slots else (middle, high)
    return int(_write_cells(images, bounds, high, plan))


@jit
def _write_cells(
    images: NDArray[np.uint64], bounds: NDArray[np.int64], keys_a_slot: float, plan: NDArray[np.uint64]
) -> int:
    """Write the cells for so many keys a slot in the mean; how many slots they have in all."""
    total = 0
    for cell in range(len(bounds) - 1):
        begin, end = bounds[cell], bounds[cell + 1]
        least, shift, last = images[min(begin, len(images) - 1)], np.uint64(0), np.uint64(0)
        if end > begin:
            width = images[end - 1] - least
            most = np.uint64(min(max((end - begin) / keys_a_slot, 1.0), 16777216.0)) - _ONE
            while width >> shift > most and shift < np.uint64(63):
                shift += _ONE
            last = min(width >> shift, most)
        plan[2 * cell] = least
        plan[2 * cell + 1] = np.uint64(total) << _FIRST | last << _LAST | shift
        total += int(last) + 1
    return total


@jit
def _fill(
    images: NDArray[np.uint64], bounds: NDArray[np.int64], plan: NDArray[np.uint64], begins: NDArray[Any]
) -> None:
    """Write where each slot's keys begin."""
    for cell in range(len(bounds) - 1):
        least, packed = plan[2 * cell], plan[2 * cell + 1]
        shift, last = packed & _SHIFT_MASK, int(packed >> _LAST & _LAST_MASK)
        first, slot = int(packed >> _FIRST), 0
        begins[first] = bounds[cell]
        for i in range(bounds[cell], bounds[cell + 1]):
            own = min(int((images[i] - least) >> shift), last)
            while slot < own:
                slot += 1
                begins[first + slot] = i
    begins[len(begins) - 1] = len(images)


@jit
def search(
    keys: NDArray[Any],
    queries: NDArray[Any],
    out: NDArray[np.int64],
    plan: NDArray[np.uint64],
    begins: NDArray[Any],
    header: NDArray[np.uint64],
) -> None:
    """A kernel as in `unseat.structures.locator.Run`."""
    least, shift, last = header[0], header[1], header[2]
    image = np.empty(BLOCK, np.uint64)
    low = np.empty(BLOCK, np.int64)
    high = np.empty(BLOCK, np.int64)
    for first in range(0, len(queries), BLOCK):
        length = min(BLOCK, len(queries) - first)
        for j in range(length):
            image[j] = max(code(queries[first + j]), least)
            low[j] = 2 * np.int64(min((image[j] - least) >> shift, last))
        for j in range(length):
            prefetch(plan, low[j])
        for j in range(length):
            start, packed = plan[np.uint64(low[j])], plan[np.uint64(low[j] + 1)]
            slot = min((max(image[j], start) - start) >> (packed & _SHIFT_MASK), packed >> _LAST & _LAST_MASK)
            low[j] = np.int64((packed >> _FIRST) + slot)
        for j in range(length):
            prefetch(begins, low[j])
        for j in range(length):
            slot = np.uint64(low[j])
            low[j] = np.int64(begins[slot])
            high[j] = np.int64(begins[slot + _ONE])
            fetch(keys, low[j], high[j])
        finish(keys, queries, first, length, low, high, out)
