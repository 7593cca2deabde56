"""RadixSpline: a linear spline through some of the keys, and a radix table that says where in it to look.

Source: Kipf et al., RadixSpline: A Single-Pass Learned Index (aiDM 2020); its spline is the greedy corridor of Neumann
and Michel, Smooth Interpolating Histograms with Error Guarantees (BNCOD 2008). One pass over the keys fits it, another
measures how far it errs, for keys that are not there too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import inlined, jit
from unseat.structures.codes import code
from unseat.structures.last_mile import fetch, finish
from unseat.structures.locator import Locator, OverBudget
from unseat.structures.pgm import steeper
from unseat.structures.prefetch import BLOCK, prefetch
from unseat.structures.roots import BITS, FIRST, SPAN, U, Words, as_codes, root_shape, spread

Ranks = NDArray[np.uint32]

_LAST = U(0xFFFFFFFFFFFFFFFF)
MOST_BITS = 22


@jit
def fit_spline(codes: Words, error: int, limit: int) -> tuple[Words, Ranks]:
    """Knots such that between two of them no key's rank lies more than `error` off the line.

    A code with copies counts twice: it has the rank of its first copy, the value above it the rank after the last.

    Returns:
        The knots' places, relative to the first code, and their ranks; nothing where there are more than `limit`.
    """
    size = len(codes)
    most = min(2 * size, limit) + 2
    places, ranks = np.empty(most, np.uint64), np.empty(most, np.uint32)
    places[0], ranks[0] = U(0), np.uint32(0)
    knots, points = 1, 0
    from_x, from_y, last_x, last_y = U(0), 0, U(0), 0
    high_rise, high_run, low_rise, low_run = 0, U(1), 0, U(1)
    i, x, y = 0, U(0), 0
    while i < size:
        if x > from_x:
            rise, run = y - from_y, x - from_x
            if points > 0 and (steeper(rise, run, high_rise, high_run) or steeper(low_rise, low_run, rise, run)):
                if knots >= limit:
                    return places[:0].copy(), ranks[:0].copy()
                places[knots], ranks[knots] = last_x, np.uint32(last_y)
                knots += 1
                from_x, from_y, points = last_x, last_y, 0
                rise, run = y - from_y, x - from_x
            if points == 0 or steeper(high_rise, high_run, rise + error, run):
                high_rise, high_run = rise + error, run
            if points == 0 or steeper(rise - error, run, low_rise, low_run):
                low_rise, low_run = rise - error, run
            points += 1
        last_x, last_y = x, y
        if y == i:
            copy = i + 1
            while copy < size and codes[copy] == codes[i]:
                copy += 1
            if copy - i > 1 and codes[i] < _LAST and (copy == size or codes[copy] - codes[i] > U(1)):
                x, y = x + U(1), copy
                continue
            i = copy
        else:
            i = y
        if i < size:
            x, y = codes[i] - codes[0], i
    places[knots], ranks[knots] = last_x, np.uint32(last_y)
    knots += 1
    return places[:knots].copy(), ranks[:knots].copy()


@jit
def radix_table(places: Words, shape: Words) -> NDArray[np.uint32]:
    """For each prefix the number of knots with a smaller one, and at the end all."""
    table = np.zeros((1 << np.int64(shape[BITS])) + 1, np.uint32)
    prefix = 0
    for knot in range(len(places)):
        own = np.int64(spread(shape[FIRST] + min(places[knot], shape[SPAN]), shape) >> (U(64) - shape[BITS]))
        while prefix <= own:
            table[prefix] = knot
            prefix += 1
    table[prefix:] = len(places)
    return table


@inlined
def predict(place: np.uint64, knot: int, places: Words, ranks: Ranks) -> Any:
    """The rank on the line that ends at the knot; it does not pass the knot's own, so it never falls."""
    start = places[knot - 1]
    low, high = np.int64(ranks[knot - 1]), np.int64(ranks[knot])
    # Two knots at one place end a spline whose first point is its last.
    run = np.float64(max(places[knot] - start, U(1)))
    rise = np.float64(high - low) / run * np.float64(min(place, places[knot]) - start)
    return low + min(np.int64(rise), high - low)


@jit
def search(
    keys: NDArray[Any],
    queries: NDArray[Any],
    out: NDArray[np.int64],
    shape: Words,
    table: NDArray[np.uint32],
    places: Words,
    ranks: Ranks,
    errors: NDArray[np.int64],
) -> None:
    """The kernel."""
    below, above = errors
    size, knots = len(keys), len(places)
    prefix_shift = U(64) - shape[BITS]
    place, prefix, knot = np.empty(BLOCK, np.uint64), np.empty(BLOCK, np.uint64), np.empty(BLOCK, np.int64)
    low, high = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64)
    for first in range(0, len(queries), BLOCK):
        length = min(BLOCK, len(queries) - first)
        for j in range(length):
            own = code(queries[first + j])
            place[j] = max(own, shape[FIRST]) - shape[FIRST]
            prefix[j] = spread(own, shape) >> prefix_shift
        for j in range(length):
            prefetch(table, int(prefix[j]))
        for j in range(length):
            low[j], high[j] = np.int64(table[prefix[j]]), np.int64(table[prefix[j] + U(1)])
            fetch(places, low[j], high[j])
        finish(places, place, 0, length, low, high, knot)
        for j in range(length):
            knot[j] = min(max(knot[j], 1), knots - 1)
            prefetch(ranks, knot[j])
        for j in range(length):
            guess = predict(place[j], knot[j], places, ranks)
            low[j] = min(max(guess - below, 0), size)
            high[j] = min(guess + above, size)
            fetch(keys, low[j], high[j])
        finish(keys, queries, first, length, low, high, out)


@jit
def measure(codes: Words, places: Words, ranks: Ranks) -> NDArray[np.int64]:
    """How far the ranks of all values, present or not, lie below and above the predictions, which never fall."""
    below, above = 0, 0
    knot, size = 1, len(codes)
    i = 0
    while i < size:
        copy = i + 1
        while copy < size and codes[copy] == codes[i]:
            copy += 1
        place = codes[i] - codes[0]
        while knot + 1 < len(places) and places[knot] < place:
            knot += 1
        guess = predict(place, knot, places, ranks)
        below, above = max(below, guess - i), max(above, i - guess)
        if codes[i] < _LAST:
            if copy - i > 1:
                after = knot + 1 if knot + 1 < len(places) and places[knot] == place else knot
                guess = predict(place + U(1), after, places, ranks)
            above = max(above, copy - guess)
        i = copy
    return np.array([below, above])


def build(
    keys: NDArray[Any],
    budget: int | None,
    *,
    error: int | None = None,
    bits: int | None = None,
    logarithmic: bool = False,
) -> Locator:
    """Build a RadixSpline.

    Args:
        keys: Sorted, at least one, fewer than 2**32.
        budget: Most bytes to use; None for no limit.
        error: By how many ranks the spline may err, from 1; None for the smallest power of 2 from 4 on that fits.
        bits: log2 of the radix table's size; None for about a knot an entry.
        logarithmic: Whether prefixes are taken on a logarithmic scale.

    Raises:
        OverBudget: It does not fit.
    """
    if len(keys) >= 1 << 32:
        raise OverBudget("a RadixSpline indexes fewer than 2**32 keys")
    codes = as_codes(keys)
    tried = error or 4
    fixed = 2 * 8 + 5 * 8 + 4 * ((1 << (bits or 1)) + 1)
    while True:
        limit = 2 * len(keys) + 2 if budget is None else max((budget - fixed) // 12, 0)
        places, ranks = fit_spline(codes, tried, limit)
        room = limit - len(places)
        if len(places) > 0 and room >= 0:
            break
        if error is not None or tried > len(keys):
            raise OverBudget(f"no RadixSpline with error {tried} fits into {budget} bytes")
        tried *= 2
    if bits is None:
        bits = max(min(len(places).bit_length(), (3 * room + 2).bit_length() - 1, MOST_BITS), 1)
    shape = root_shape(codes, logarithmic, bits)
    table = radix_table(places, shape)
    errors = measure(codes, places, ranks)
    config = {"error": tried, "knots": len(places), "bits": bits, "logarithmic": logarithmic}
    return Locator("radix_spline", search, (shape, table, places, ranks, errors), config)
