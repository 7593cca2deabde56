"""The PGM-index: the fewest line segments that miss no rank by more than a given error, indexed by the same again.

Source: Ferragina and Vinciguerra, The PGM-index (PVLDB 2020). The segments are O'Rourke's (An On-Line Algorithm for
Fitting Straight Lines Between Data Ranges, CACM 1981): lines that pass between a ceiling and a floor at every key, as
long as one such line exists, which greedily gives the smallest number. All comparisons of slopes are exact, in integers
of 128 bits; only a finished segment's line is rounded, and by how much it then errs is measured.

Lookups go down the levels a block of queries at a time. The upper levels' error is such that a level's window is
compared by one vector instruction.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import llvmlite.ir as ir
import numpy as np
from numba.core import types
from numba.extending import intrinsic, overload
from numpy.typing import NDArray

from unseat.core.jit import inlined, jit
from unseat.structures.codes import code
from unseat.structures.lanes import aligned
from unseat.structures.last_mile import fetch, finish
from unseat.structures.locator import Locator, OverBudget
from unseat.structures.prefetch import BLOCK, prefetch
from unseat.structures.roots import U, Words, as_codes

Slopes = NDArray[np.float64]
Models = NDArray[np.int64]
Segments = tuple[Words, NDArray[np.float32], NDArray[np.int64]]

UPPER_ERROR = 3
"""Error of the levels above the lowest: with it windows have about 8 keys, a vector's worth."""
TOP = 8
"""A level of so few segments is searched at once."""
MARGIN = 1e-3
"""In ranks; nearer to a limit than this, floating point is not asked."""
_LOW32 = np.int64(0xFFFFFFFF)
_LAST = U(0xFFFFFFFFFFFFFFFF)


# --- exact comparison of slopes -------------------------------------------------------------------------------------


def steeper(rise: int, run: np.uint64, other_rise: int, other_run: np.uint64) -> bool:
    """Whether ``rise / run > other_rise / other_run``, exactly; with a run of 0 a slope is infinite."""
    return int(rise) * int(other_run) > int(other_rise) * int(run)


def _generate_steeper(typing_context: Any, rise: Any, run: Any, other_rise: Any, other_run: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        wide = ir.IntType(128)
        rise, run, other_rise, other_run = arguments
        left = builder.mul(builder.sext(rise, wide), builder.zext(other_run, wide))
        right = builder.mul(builder.sext(other_rise, wide), builder.zext(run, wide))
        return builder.icmp_signed(">", left, right)

    return types.boolean(types.int64, types.uint64, types.int64, types.uint64), generate


_steeper = intrinsic(_generate_steeper)


def _compiled_steeper(rise: Any, run: Any, other_rise: Any, other_run: Any) -> Callable[..., Any]:
    return lambda rise, run, other_rise, other_run: _steeper(rise, run, other_rise, other_run)


overload(steeper, strict=False)(_compiled_steeper)


# --- optimal segments -----------------------------------------------------------------------------------------------

POINTS, CEILING, CEILINGS, FLOOR, FLOORS = range(5)
"""Of a segment in the making: its points, and where the used parts of the ceilings' and floors' hulls begin and end."""
FLAT, STEEP = 0, 2
"""Where the two ends of the flattest and of the steepest line that still pass are kept."""


@inlined
def admit(
    x: np.uint64,
    y: int,
    error: int,
    state: NDArray[np.int64],
    ceiling_x: Words,
    ceiling_y: NDArray[np.int64],
    floor_x: Words,
    floor_y: NDArray[np.int64],
    line_x: Words,
    line_y: NDArray[np.int64],
) -> bool:
    """Take a point into the segment, if some line passes within `error` of it and of all points before.

    The flattest line leads from a ceiling to a later floor, the steepest from a floor to a later ceiling. Of the
    ceilings only the lower convex hull matters, of the floors the upper.
    """
    top, bottom = y + error, y - error
    if state[POINTS] < 2:
        at = state[POINTS]
        ceiling_x[at], ceiling_y[at], floor_x[at], floor_y[at] = x, top, x, bottom
        line_x[FLAT + at], line_y[FLAT + at] = x, bottom if at else top
        line_x[STEEP + at], line_y[STEEP + at] = x, top if at else bottom
        state[POINTS], state[CEILING], state[FLOOR] = at + 1, 0, 0
        state[CEILINGS], state[FLOORS] = at + 1, at + 1
        return True
    flat_rise, flat_run = line_y[FLAT + 1] - line_y[FLAT], line_x[FLAT + 1] - line_x[FLAT]
    steep_rise, steep_run = line_y[STEEP + 1] - line_y[STEEP], line_x[STEEP + 1] - line_x[STEEP]
    if steeper(flat_rise, flat_run, top - line_y[FLAT], x - line_x[FLAT]):
        return False
    if steeper(bottom - line_y[STEEP], x - line_x[STEEP], steep_rise, steep_run):
        return False
    if steeper(steep_rise, steep_run, top - line_y[STEEP], x - line_x[STEEP]):
        at = state[FLOOR]
        while at + 1 < state[FLOORS] and not steeper(
            top - floor_y[at + 1], x - floor_x[at + 1], top - floor_y[at], x - floor_x[at]
        ):
            at += 1
        state[FLOOR] = at
        line_x[STEEP], line_y[STEEP], line_x[STEEP + 1], line_y[STEEP + 1] = floor_x[at], floor_y[at], x, top
        end = state[CEILINGS]
        while end - state[CEILING] >= 2 and not steeper(
            top - ceiling_y[end - 1],
            x - ceiling_x[end - 1],
            ceiling_y[end - 1] - ceiling_y[end - 2],
            ceiling_x[end - 1] - ceiling_x[end - 2],
        ):
            end -= 1
        ceiling_x[end], ceiling_y[end] = x, top
        state[CEILINGS] = end + 1
    if steeper(bottom - line_y[FLAT], x - line_x[FLAT], flat_rise, flat_run):
        at = state[CEILING]
        while at + 1 < state[CEILINGS] and not steeper(
            bottom - ceiling_y[at], x - ceiling_x[at], bottom - ceiling_y[at + 1], x - ceiling_x[at + 1]
        ):
            at += 1
        state[CEILING] = at
        line_x[FLAT], line_y[FLAT], line_x[FLAT + 1], line_y[FLAT + 1] = ceiling_x[at], ceiling_y[at], x, bottom
        end = state[FLOORS]
        while end - state[FLOOR] >= 2 and not steeper(
            floor_y[end - 1] - floor_y[end - 2],
            floor_x[end - 1] - floor_x[end - 2],
            bottom - floor_y[end - 1],
            x - floor_x[end - 1],
        ):
            end -= 1
        floor_x[end], floor_y[end] = x, bottom
        state[FLOORS] = end + 1
    state[POINTS] += 1
    return True


@inlined
def _slope(line_x: Words, line_y: NDArray[np.int64], line: int) -> Any:
    return np.float64(line_y[line + 1] - line_y[line]) / np.float64(line_x[line + 1] - line_x[line])


@inlined
def settle(
    origin: np.uint64, state: NDArray[np.int64], line_x: Words, line_y: NDArray[np.int64]
) -> tuple[np.float32, Any]:
    """The finished segment's line, as slope and value at the origin: midway between the flattest and the steepest."""
    if state[POINTS] == 1:
        return np.float32(0.0), (line_y[FLAT] + line_y[STEEP]) >> 1
    flat, steep = _slope(line_x, line_y, FLAT), _slope(line_x, line_y, STEEP)
    # Both pass where they cross, and so does every line between them.
    flat_x, steep_x = np.float64(line_x[FLAT] - origin), np.float64(line_x[STEEP] - origin)
    flat_y, steep_y = np.float64(line_y[FLAT]), np.float64(line_y[STEEP])
    cross_x, cross_y = flat_x, flat_y
    if steep > flat:
        cross_x = ((flat_y - flat * flat_x) - (steep_y - steep * steep_x)) / (steep - flat)
        cross_y = flat_y + flat * (cross_x - flat_x)
    slope = np.float32(max((flat + steep) / 2, 0.0))
    return slope, np.int64(np.floor(cross_y - np.float64(slope) * cross_x + 0.5))


@inlined
def _surely_between(x: np.uint64, y: int, error: int, line_x: Words, line_y: NDArray[np.int64], slopes: Slopes) -> Any:
    """Whether a point changes nothing, as all lines that pass so far pass it too; no where rounding leaves a doubt.

    Ranks are less than 2**31 and doubles have 53 bits, so what is computed here is off by far less than the margin.
    """
    flat = np.float64(line_y[FLAT]) + slopes[0] * np.float64(x - line_x[FLAT])
    steep = np.float64(line_y[STEEP]) + slopes[1] * np.float64(x - line_x[STEEP])
    return steep + MARGIN < np.float64(y + error) and flat - MARGIN > np.float64(y - error)


@jit
def fit_segments(codes: Words, error: int, limit: int) -> Segments:
    """The fewest segments for the ranks of sorted codes, relative to the first code.

    Every code is to have the rank of its first copy, and the value above a code with copies the rank after the last.

    Returns:
        Nothing in each where more than `limit` segments are needed; else

        origins: Where each segment begins, less one but in the first: the last place of the segment before it.
        slopes: In ranks.
        bases: The line's value at the origin.
    """
    size = len(codes)
    most = min(size // error, limit) + 2
    origins, slopes, bases = np.empty(most, np.uint64), np.empty(most, np.float32), np.empty(most, np.int64)
    # No hull has more points than there are keys; memory that is not touched costs nothing.
    ceiling_x, ceiling_y = np.empty(2 * size + 2, np.uint64), np.empty(2 * size + 2, np.int64)
    floor_x, floor_y = np.empty(2 * size + 2, np.uint64), np.empty(2 * size + 2, np.int64)
    between = np.zeros(2)
    line_x, line_y = np.empty(4, np.uint64), np.empty(4, np.int64)
    state = np.zeros(5, np.int64)
    segments = 0
    origins[0] = U(0)
    i, x, y = 0, U(0), 0
    while i < size:
        fits = state[POINTS] >= 2 and _surely_between(x, y, error, line_x, line_y, between)
        if not fits:
            fits = admit(x, y, error, state, ceiling_x, ceiling_y, floor_x, floor_y, line_x, line_y)
            if state[POINTS] >= 2:
                between[0], between[1] = _slope(line_x, line_y, FLAT), _slope(line_x, line_y, STEEP)
        if fits:
            if y == i:
                copy = i + 1
                while copy < size and codes[copy] == codes[i]:
                    copy += 1
                ended = copy == size
                if copy - i > 1 and codes[i] < _LAST and (ended or codes[copy] - codes[i] > U(1)):
                    x, y = x + U(1), copy
                    continue
                i = copy
            else:
                i = y
            if i < size:
                x, y = codes[i] - codes[0], i
        else:
            slopes[segments], bases[segments] = settle(origins[segments], state, line_x, line_y)
            segments += 1
            if segments >= limit:
                return origins[:0].copy(), slopes[:0].copy(), bases[:0].copy()
            origins[segments] = x - U(1)
            state[POINTS] = 0
    slopes[segments], bases[segments] = settle(origins[segments], state, line_x, line_y)
    segments += 1
    return origins[:segments].copy(), slopes[:segments].copy(), bases[:segments].copy()


# --- the index ------------------------------------------------------------------------------------------------------
# shape: first code, number of levels, then of each level from the top down: place of its first segment, segments, how
# far the answer may lie below and above the prediction.


@inlined
def predict(place: np.uint64, segment: int, origins: Words, models: Models) -> Any:
    """The rank that the segment's line gives; it does not pass the next segment's base, so it never falls."""
    model = models[segment]
    slope = np.float64(np.uint32(model & _LOW32).view(np.float32))
    rise = slope * np.float64(place - origins[segment])
    base = model >> 32
    next_base = models[segment + 1] >> 32
    return base + np.int64(min(rise, np.float64(max(next_base - base, 0))))


@jit
def search(
    keys: NDArray[Any],
    queries: NDArray[Any],
    out: NDArray[np.int64],
    shape: NDArray[np.int64],
    origins: Words,
    models: Models,
) -> None:
    """The kernel."""
    first_code, levels = U(shape[0]), shape[1]
    place, segment = np.empty(BLOCK, np.uint64), np.empty(BLOCK, np.int64)
    low, high = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64)
    for first in range(0, len(queries), BLOCK):
        length = min(BLOCK, len(queries) - first)
        for j in range(length):
            place[j] = max(code(queries[first + j]), first_code) - first_code
            low[j], high[j] = 0, shape[3] - 1
        for level in range(levels):
            at, count = shape[2 + 4 * level], shape[3 + 4 * level]
            below, above = shape[4 + 4 * level], shape[5 + 4 * level]
            finish(origins[at + 1 : at + count], place, 0, length, low, high, segment)
            for j in range(length):
                prefetch(models, at + segment[j])
            last = level + 1 == levels
            size = len(keys) if last else shape[7 + 4 * level] - 1
            under = origins[at + count + 2 :]
            for j in range(length):
                guess = predict(place[j], at + segment[j], origins, models)
                low[j] = min(max(guess - below, 0), size)
                high[j] = max(min(guess + above, size), 0)
                if last:
                    fetch(keys, low[j], high[j])
                else:
                    fetch(under, low[j], high[j])
        finish(keys, queries, first, length, low, high, out)


@jit
def measure(codes: Words, at: int, origins: Words, models: Models) -> tuple[int, int]:
    """How far the ranks of all values, present or not, lie below and above a lowest level's predictions.

    A prediction never falls: below a code it is at most the code's own, above it at least.
    """
    below, above = 0, 0
    segment, size = at, len(codes)
    i = 0
    while i < size:
        copy = i + 1
        while copy < size and codes[copy] == codes[i]:
            copy += 1
        place = codes[i] - codes[0]
        while segment + 2 < len(origins) and origins[segment + 1] < place:
            segment += 1
        guess = predict(place, segment, origins, models)
        below, above = max(below, guess - i), max(above, i - guess)
        if codes[i] < _LAST:
            if copy - i > 1:
                after = segment
                if segment + 2 < len(origins) and origins[segment + 1] < place + U(1):
                    after = segment + 1
                guess = predict(place + U(1), after, origins, models)
            above = max(above, copy - guess)
        i = copy
    return below, above


@jit
def measure_upper(at: int, count: int, under: Words, origins: Words, models: Models) -> tuple[int, int]:
    """The same for a level above segments that begin after `under`: at the first and last place of each of them."""
    below, above = 0, 0
    segment = at
    for i in range(len(under)):
        for end in range(2):
            if end == 1 and i + 1 == len(under):
                break
            place = under[i + end] + U(1 - end) if i + end > 0 else U(0)
            while segment + 1 < at + count and origins[segment + 1] < place:
                segment += 1
            guess = predict(place, segment, origins, models)
            below, above = max(below, guess - i), max(above, i - guess)
    return below, above


def build(keys: NDArray[Any], budget: int | None, *, error: int | None = None) -> Locator:
    """Build a PGM-index.

    Args:
        keys: Sorted, at least one, fewer than 2**31.
        budget: Most bytes to use; None for no limit.
        error: By how many ranks a segment may err, from 1; None for the smallest power of 2 from 4 on that fits.

    Raises:
        OverBudget: It does not fit.
    """
    if len(keys) >= 1 << 31:
        raise OverBudget("a PGM-index indexes fewer than 2**31 keys")
    codes = as_codes(keys)
    tried = error or 4
    while True:
        limit = len(keys) + 2 if budget is None else budget // 16
        levels = _levels(codes, tried, limit)
        words = sum(len(origins) + 1 for origins, _, _ in levels)
        shape = np.zeros(2 + 4 * len(levels), np.int64)
        if levels and (budget is None or 16 * words + shape.nbytes <= budget):
            break
        if error is not None or tried > len(keys):
            raise OverBudget(f"no PGM-index with error {tried} fits into {budget} bytes")
        tried *= 2
    origins, models = _lay_out(codes, levels, words, shape)
    config = {"error": tried, "segments": len(levels[-1][0]), "levels": len(levels)}
    return Locator("pgm", search, (shape, origins, models), config)


def _levels(codes: Words, error: int, limit: int) -> list[Segments]:
    """The levels' segments from the top down, none if they are too many."""
    level = fit_segments(codes, error, limit)
    levels = [level]
    while len(level[0]) > TOP:
        starts = level[0] + U(1)
        starts[0] = U(0)
        level = fit_segments(starts, UPPER_ERROR, limit)
        levels.insert(0, level)
    return levels if len(level[0]) > 0 else []


def _lay_out(
    codes: Words, levels: list[Segments], words: int, shape: NDArray[np.int64]
) -> tuple[Words, NDArray[np.int64]]:
    """Write the levels one after the other, each with a last segment that begins where there are no keys any more."""
    origins, models = aligned(words, np.uint64), aligned(words, np.int64)
    shape[:2] = codes[:1].view(np.int64)[0], len(levels)
    at = 0
    for i, (starts, slopes, bases) in enumerate(levels):
        end = at + len(starts)
        origins[at:end], origins[end] = starts, _LAST
        models[at:end] = (bases << 32) | slopes.view(np.uint32).astype(np.int64)
        models[end] = (len(codes) if i + 1 == len(levels) else len(levels[i + 1][0]) - 1) << 32
        if i + 1 == len(levels):
            errors = measure(codes, at, origins, models)
        else:
            errors = measure_upper(at, len(starts), levels[i + 1][0], origins, models)
        shape[2 + 4 * i : 6 + 4 * i] = at, len(starts), *errors
        at = end + 1
    return origins, models
