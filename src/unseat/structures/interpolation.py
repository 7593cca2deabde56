"""Interpolation search: guess a key's place from the line between the ends of what is left.

Papers: Perl, Itai and Avni, Interpolation Search, CACM 21 (1978), which takes log log n steps on uniform keys; Van
Sandt, Chronis and Patel, Efficiently Searching In-Memory Sorted Arrays: Revenge of the Interpolation Search?, SIGMOD
2019, for the guess from three points, which follows a curve, and for guesses that reuse one slope. On keys that no
guess fits, all of them may take n steps. So guesses that leave more than half are followed by a step that halves, or
strides double, which bounds the steps by a small multiple of those of binary search.

Guesses are made on codes of the keys (`unseat.structures.codes`), as float64 of differences between codes: rounding
moves a guess and never an answer, which comparisons of the keys alone decide.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import inlined, jit
from unseat.structures.codes import code
from unseat.structures.last_mile import fetch, finish
from unseat.structures.locator import Locator
from unseat.structures.prefetch import BLOCK, prefetch

FEW = 16
"""Keys left that are searched without another guess."""
PATIENCE = 2
"""Guesses in a row that may leave more than half: two, since one on either side of the query closes in on it."""
GUESSES = 3
"""Guesses of the interleaved form: on uniform keys, each leaves about the square root of the distance before it."""
STRIDE = 8
"""Keys from the last guess to the first place that is tried on its other side."""


def build(keys: NDArray[Any], budget: int | None = None, *, form: str = "interleaved") -> Locator:
    """Interpolation search; holds nothing besides the keys.

    Args:
        keys: Not read.
        budget: Not needed.
        form: "sequential": one query at a time, between two points. "three points": one at a time, by a curve.
            "interleaved": by the slope of the whole array, a block of
            queries in step.
    """
    return Locator(f"interpolation search, {form}", FORMS[form])


@jit
def two_points(keys: NDArray[Any], queries: NDArray[Any], out: NDArray[np.int64]) -> None:
    """The sequential form; a kernel as in `unseat.structures.locator.Run`."""
    least, most = code(keys[0]), code(keys[len(keys) - 1])
    for i in range(len(queries)):
        query = queries[i]
        low, high = _ends(keys, query)
        below, above, image = least, most, code(query)
        slow = 0
        # keys[low - 1] < query <= keys[high]; `below` and `above` are the codes of the two.
        while high - low > FEW:
            middle = (low + high) >> 1 if slow == PATIENCE else _guess(low, high, below, above, image)
            before, probe = high - low, keys[np.uint64(middle)]
            if probe < query:
                low, below = middle + 1, code(probe)
            else:
                high, above = middle, code(probe)
            slow = slow + 1 if slow < PATIENCE and 2 * (high - low) > before else 0
        out[i] = _scan(keys, query, low, high)


@jit
def three_points(keys: NDArray[Any], queries: NDArray[Any], out: NDArray[np.int64]) -> None:
    """The sequential form with guesses from three points; a kernel as in `unseat.structures.locator.Run`."""
    least, most = code(keys[0]), code(keys[len(keys) - 1])
    for i in range(len(queries)):
        query = queries[i]
        low, high = _ends(keys, query)
        below, above, image = least, most, code(query)
        inner, between, known = 0, np.uint64(0), False
        slow = 0
        while high - low > FEW:
            if slow == PATIENCE:
                middle = (low + high) >> 1
            elif known:
                middle = _curve(low, high, inner, below, above, between, image)
            else:
                middle = _guess(low, high, below, above, image)
            before, probe = high - low, keys[np.uint64(middle)]
            # The end that is given up becomes the third point: it lies near, on the other side of the new end.
            known = True
            if probe < query:
                inner, between = low - 1, below
                low, below = middle + 1, code(probe)
            else:
                inner, between = high, above
                high, above = middle, code(probe)
            slow = slow + 1 if slow < PATIENCE and 2 * (high - low) > before else 0
        out[i] = _scan(keys, query, low, high)


@jit
def interleaved(keys: NDArray[Any], queries: NDArray[Any], out: NDArray[np.int64]) -> None:
    """The interleaved form; a kernel as in `unseat.structures.locator.Run`."""
    last = len(keys) - 1
    least, span = code(keys[0]), max(float(code(keys[last]) - code(keys[0])), 1.0)
    slope = last / span
    low, high = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64)
    image = np.empty(BLOCK, np.uint64)
    for first in range(0, len(queries), BLOCK):
        length = min(BLOCK, len(queries) - first)
        for j in range(length):
            image[j] = code(queries[first + j])
            low[j] = int(min(float(max(image[j], least) - least), span) * slope)
        for _ in range(GUESSES - 1):
            for j in range(length):
                prefetch(keys, low[j])
            for j in range(length):
                place = code(keys[np.uint64(low[j])])
                ahead = image[j] > place
                distance = float(image[j] - place if ahead else place - image[j]) * slope
                distance = min(distance, float(last))
                low[j] = min(max(low[j] + (int(distance) if ahead else -int(distance)), 0), last)
        _bracket(keys, queries, first, length, low, high, out)
        for j in range(length):
            fetch(keys, low[j], high[j])
        finish(keys, queries, first, length, low, high, out)


@inlined
def _bracket(
    keys: NDArray[Any],
    queries: NDArray[Any],
    first: int,
    length: int,
    low: NDArray[np.int64],
    high: NDArray[np.int64],
    out: NDArray[np.int64],
) -> None:
    """From the guesses in `low`, find windows that hold the lower bounds, by strides that double.

    Each query walks away from its guess until it has passed its lower bound. Leaves `low` and `high` as `finish`
    takes them.
    """
    size = len(keys)
    for j in range(length):
        prefetch(keys, low[j])
        out[first + j] = j
    # The strides so far are known from the window: it begins, or ends, where the last one did.
    for j in range(length):
        up = keys[np.uint64(low[j])] < queries[first + j]
        low[j] += int(up)
        high[j] = min(low[j] + STRIDE, size) if up else -max(low[j] - STRIDE, 0) - 1
        prefetch(keys, high[j] - 1 if up else -high[j] - 2)
    walking = length
    while walking > 0:
        still = 0
        for t in range(walking):
            at = np.uint64(out[first + t])
            query = queries[np.uint64(first) + at]
            out[first + still] = int(at)
            if high[at] >= 0:
                # Upwards from low: all keys before it are less.
                if high[at] < size and keys[np.uint64(high[at] - 1)] < query:
                    stride = 2 * (high[at] - low[at])
                    low[at] = high[at]
                    high[at] = min(low[at] + stride, size)
                    prefetch(keys, high[at] - 1)
                    still += 1
            else:
                # Downwards from low, to the place that is kept as its complement: no key from low on is less.
                begin = -high[at] - 1
                if begin > 0 and not keys[np.uint64(begin - 1)] < query:
                    stride = 2 * (low[at] - begin)
                    low[at] = begin - 1
                    high[at] = -max(low[at] - stride, 0) - 1
                    prefetch(keys, -high[at] - 2)
                    still += 1
                else:
                    low[at], high[at] = begin, low[at]
        walking = still


@inlined
def _ends(keys: NDArray[Any], query: Any) -> tuple[int, int]:
    """Where to begin: an empty window for a query outside the keys' range, else all that the ends do not decide."""
    size = len(keys)
    if query <= keys[0]:
        return 0, 0
    if query > keys[size - 1]:
        return size, size
    return 1, size - 1


@inlined
def _guess(low: int, high: int, below: Any, above: Any, image: Any) -> int:
    """The place in ``[low, high)`` on the line from ``(below, low - 1)`` to ``(above, high)``."""
    share = float(max(min(image, above), below) - below) / max(float(above - below), 1.0)
    return min(max(low - 1 + int(share * (high - low + 1)), low), high - 1)


@inlined
def _curve(low: int, high: int, inner: int, below: Any, above: Any, between: Any, image: Any) -> int:
    """The place where the hyperbola through three points, the last being ``(between, inner)``, meets the query."""
    left, right = -float(image - below), float(above - image)
    third = float(between - image) if between >= image else -float(image - between)
    to_left, to_right = float(inner - low + 1), float(inner - high)
    bottom = right * to_right * (third - left) - left * to_left * (third - right)
    if bottom == 0.0:
        return _guess(low, high, below, above, image)
    place = inner - third * to_right * to_left * (right - left) / bottom
    if not low <= place < high:
        return _guess(low, high, below, above, image)
    return int(place)


@inlined
def _scan(keys: NDArray[Any], query: Any, low: int, high: int) -> int:
    """The lower bound, by counting the last few keys."""
    for i in range(low, high):
        low += int(keys[np.uint64(i)] < query)
    return low


FORMS = {"sequential": two_points, "three points": three_points, "interleaved": interleaved}
