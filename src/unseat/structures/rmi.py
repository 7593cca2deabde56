"""A two-layer recursive model index: a root model sends a query to one of many leaves, a leaf says where to look.

Source: Kraska et al., The Case for Learned Index Structures (SIGMOD 2018); what works is known from Marcus et al.,
CDFShop (SIGMOD 2020) and Maltry and Dittrich, A Critical Analysis of Recursive Model Indexes (PVLDB 2022): cheap roots
that spread the keys evenly, many leaves, error bounds per leaf.

The root (`roots`) is monotone, so a leaf owns a range of the array, whatever the root thinks, and the answer to every
query that is sent there, in the array or not, lies in that range. Leaves know these ranges, so that no bound on an
error has to be trusted, only narrowed:

- ``counts``: a cache line holds 56 leaves, as the number of keys before the line and one byte a leaf, the keys up to
  its end. (A correction layer in the sense of Hadian and Heinis, Shift-Table, EDBT 2021, packed.) At 1.14 bytes a leaf,
  a leaf for every key or two fits into a tenth of the keys' bytes.
- ``spline``: 16 bytes: a line from the leaf's first key to its last, and how far keys lie off it.
- ``regression``: the same with the slope of least squares.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import inlined, jit
from unseat.structures.lanes import aligned
from unseat.structures.last_mile import fetch, finish
from unseat.structures.locator import Locator, OverBudget
from unseat.structures.prefetch import BLOCK, prefetch
from unseat.structures.roots import (
    MOST_LEAVES,
    U,
    Words,
    as_codes,
    root_shape,
    root_table,
    segment_ends,
    send,
    send_block,
    spread,
)

LEAVES = 56
"""Leaves in a line of counts: what a cache line holds beside the count before it."""
_LOW32 = U(0xFFFFFFFF)
_BASE_COUNTS = U((1 << 50) - 1)
_BASE_LINE = U((1 << 40) - 1)
_ROUND = U(127)


# --- leaves of counts -----------------------------------------------------------------------------------------------


@inlined
def _window(place: np.uint64, lines: Words, ends: NDArray[np.uint8], size: np.uint64) -> tuple[np.uint64, np.uint64]:
    """The range of the array that the leaf owns."""
    line = place >> U(40)
    leaf = (((place >> U(8)) & _LOW32) * U(LEAVES)) >> U(32)
    head = lines[line << U(3)]
    base, scale = head & _BASE_COUNTS, head >> U(50)
    at = (line << U(6)) + leaf
    low = base + (U(ends[at + U(7)]) << scale)
    high = base + (U(ends[at + U(8)]) << scale) + (U(1) << scale) - U(1)
    return low, min(high, size)


@jit
def search_counts(
    keys: NDArray[Any],
    queries: NDArray[Any],
    out: NDArray[np.int64],
    shape: Words,
    table: NDArray[np.uint32],
    lines: Words,
) -> None:
    """The kernel on ``counts`` leaves."""
    ends = lines.view(np.uint8)
    size = U(len(keys))
    place = np.empty(BLOCK, np.uint64)
    low, high = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64)
    for first in range(0, len(queries), BLOCK):
        length = min(BLOCK, len(queries) - first)
        send_block(queries, first, length, shape, table, lines, 3, place)
        for j in range(length):
            begin, end = _window(place[j], lines, ends, size)
            low[j], high[j] = np.int64(begin), np.int64(end)
            fetch(keys, low[j], high[j])
        finish(keys, queries, first, length, low, high, out)


@jit
def fill_counts(keys: Words, shape: Words, table: NDArray[np.uint32], lines: Words) -> None:
    """Count the keys of every leaf, line by line in one pass.

    A line of more than 255 keys counts in units of a power of two: its leaves' ranges then overlap by less than a unit.
    """
    ends = lines.view(np.uint8)
    count = np.zeros(LEAVES, np.int64)
    size = len(keys)
    base = 0
    i = 0
    for line in range(len(lines) >> 3):
        count[:] = 0
        while i < size:
            place = send(spread(keys[i], shape), table, shape)
            if place >> U(40) != U(line):
                break
            count[(((place >> U(8)) & _LOW32) * U(LEAVES)) >> U(32)] += 1
            i += 1
        scale = 0
        while (i - base) >> scale > 255:
            scale += 1
        lines[line << 3] = U(base) | (U(scale) << U(50))
        total = 0
        for leaf in range(LEAVES):
            total += count[leaf]
            ends[(line << 6) + 8 + leaf] = total >> scale
        base = i


# --- leaves of lines ------------------------------------------------------------------------------------------------
# Word 0: the keys before the leaf (40 bits), the error below (12), the error above (12).
# Word 1: the place within the leaf of its first key (32), the slope in keys (float32).


@inlined
def round_up(error: np.uint64) -> np.uint64:
    """Twelve bits for a number that is at least `error` and at most a 64th more: 7 bits, shifted by 5."""
    exponent = U(0)
    while (error + (U(1) << exponent) - U(1)) >> exponent > _ROUND:
        exponent += U(1)
    return (exponent << U(7)) | ((error + (U(1) << exponent) - U(1)) >> exponent)


@inlined
def _rounded(number: np.uint64) -> np.uint64:
    return (number & _ROUND) << (number >> U(7))


@inlined
def _slope(word: np.uint64) -> np.float64:
    return np.float64(np.uint32(word & _LOW32).view(np.float32))


@inlined
def predict(within: np.uint64, origin: np.uint64, slope: np.float64, count: np.uint64) -> np.uint64:
    """How many of a leaf's `count` keys the line says lie before the place; it never falls."""
    rise = slope * (np.float64(within) - np.float64(origin))
    return U(min(max(rise, 0.0), np.float64(count)))


@jit
def search_lines(
    keys: NDArray[Any],
    queries: NDArray[Any],
    out: NDArray[np.int64],
    shape: Words,
    table: NDArray[np.uint32],
    leaves: Words,
) -> None:
    """The kernel on ``spline`` and ``regression`` leaves."""
    place = np.empty(BLOCK, np.uint64)
    low, high = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64)
    for first in range(0, len(queries), BLOCK):
        length = min(BLOCK, len(queries) - first)
        send_block(queries, first, length, shape, table, leaves, 1, place)
        for j in range(length):
            # A leaf's range ends where the next one begins, which is in the next line for every fourth.
            prefetch(leaves, (int(place[j] >> U(40)) << 1) + 2)
        for j in range(length):
            at = (place[j] >> U(40)) << U(1)
            head, line = leaves[at], leaves[at + U(1)]
            base = head & _BASE_LINE
            count = (leaves[at + U(2)] & _BASE_LINE) - base
            guess = predict((place[j] >> U(8)) & _LOW32, line >> U(32), _slope(line), count)
            below, above = _rounded((head >> U(40)) & U(0xFFF)), _rounded(head >> U(52))
            low[j] = np.int64(base + guess - min(below, guess))
            high[j] = np.int64(base + min(guess + above, count))
            fetch(keys, low[j], high[j])
        finish(keys, queries, first, length, low, high, out)


@jit
def fit_line(within: NDArray[np.float64], count: int, least_squares: bool) -> np.float32:
    """The slope over places within a leaf, the first `count` of `within`: by the end points or by least squares."""
    span = within[count - 1] - within[0]
    if span <= 0.0:
        return np.float32(0.0)
    if not least_squares:
        return np.float32((count - 1) / span)
    middle = 0.0
    for i in range(count):
        middle += within[i]
    middle /= count
    covariance, variance = 0.0, 0.0
    for i in range(count):
        covariance += (within[i] - middle) * i
        variance += (within[i] - middle) ** 2
    return np.float32(covariance / variance)


@jit
def line_errors(within: NDArray[np.float64], count: int, slope: np.float32) -> tuple[np.uint64, np.uint64]:
    """How far answers lie below and above the prediction.

    A key at i in the leaf is the answer i to its own query and, if it is the last of its value, the reason for i + 1
    to the queries after it. The prediction never falls, so what holds at the keys holds between them.
    """
    below, above = np.int64(0), np.int64(0)
    origin = U(within[0])
    for i in range(count):
        guess = np.int64(predict(U(within[i]), origin, np.float64(slope), U(count)))
        below = max(below, guess - i)
        above = max(above, i + 1 - guess)
    return U(below), U(above)


@jit
def fill_lines(keys: Words, shape: Words, table: NDArray[np.uint32], leaves: Words, least_squares: bool) -> None:
    """Fit every leaf's line to its keys and measure how far they lie off it, leaf by leaf in one pass."""
    size = len(keys)
    # As long as the largest leaf could be; memory that is not touched costs nothing.
    within = np.empty(size, np.float64)
    i = 0
    for leaf in range((len(leaves) >> 1) - 1):
        base, count = i, 0
        while i < size:
            place = send(spread(keys[i], shape), table, shape)
            if place >> U(40) != U(leaf):
                break
            within[count] = np.float64((place >> U(8)) & _LOW32)
            count += 1
            i += 1
        leaves[2 * leaf], leaves[2 * leaf + 1] = U(base), U(0)
        if count > 0:
            slope = fit_line(within, count, least_squares)
            below, above = line_errors(within, count, slope)
            leaves[2 * leaf] = U(base) | (round_up(below) << U(40)) | (round_up(above) << U(52))
            leaves[2 * leaf + 1] = (U(within[0]) << U(32)) | U(np.float32(slope).view(np.uint32))
    leaves[len(leaves) - 2], leaves[len(leaves) - 1] = U(size), U(0)


# --- building -------------------------------------------------------------------------------------------------------


def build(
    keys: NDArray[Any],
    budget: int | None,
    *,
    leaf: str = "counts",
    logarithmic: bool = False,
    bits: int = 12,
    leaves: int | None = None,
) -> Locator:
    """Build an RMI.

    Args:
        keys: Sorted, at least one, fewer than 2**32.
        budget: Most bytes to use; None for a leaf of counts a key, or 16 bytes of line every 64 keys.
        leaf: "counts", "spline" or "regression".
        logarithmic: Whether the root's segments are equal in the logarithm of a key's distance from the first key.
        bits: log2 of the number of the root's segments, from 1 to 24.
        leaves: Number of lines of counts or of leaves; None for what the budget allows.

    Raises:
        OverBudget: Not even one leaf would fit.
    """
    if len(keys) >= 1 << 32:
        raise OverBudget("an RMI indexes fewer than 2**32 keys")
    codes = as_codes(keys)
    shape = root_shape(codes, logarithmic, bits)
    leaf_words = 8 if leaf == "counts" else 2
    if leaves is None:
        leaves = len(keys) // (LEAVES if leaf == "counts" else 64) + 1
        if budget is not None:
            left = budget - shape.nbytes - 4 * ((1 << bits) + 1) - (0 if leaf == "counts" else 16)
            leaves = min(leaves, left // (8 * leaf_words))
    if leaves < 1:
        raise OverBudget(f"no RMI with {1 << bits} root segments fits into {budget} bytes")
    leaves = min(leaves, MOST_LEAVES)
    table = root_table(segment_ends(codes, shape), leaves)
    config = {"leaf": leaf, "logarithmic": logarithmic, "bits": bits, "leaves": leaves}
    if leaf == "counts":
        lines = aligned(leaves * 8, np.uint64)
        fill_counts(codes, shape, table, lines)
        return Locator("rmi", search_counts, (shape, table, lines), config)
    records = aligned(2 * (leaves + 1), np.uint64)
    fill_lines(codes, shape, table, records, leaf == "regression")
    return Locator("rmi", search_lines, (shape, table, records), config)
