"""Which learned index fits a set of keys best, in a number of bytes.

A lookup costs some fixed steps, and a step more for every halving that its window needs before a cache line holds it.
So the tuner fits many roots of an RMI (cheap: a search a segment), looks at the windows that their leaves would have
at a sample of the keys, and takes the combination of root, leaf and their numbers with the least expected cost. Where
samples say that a RadixSpline or a PGM-index could cost less, it is built and judged by the same measure. Everything is
computed from the keys alone, no clock is read: the same keys and budget give the same index.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import inlined, jit
from unseat.structures import pgm, radix_spline, rmi
from unseat.structures.lanes import LINE
from unseat.structures.locator import Locator, OverBudget
from unseat.structures.roots import BITS, U, Words, as_codes, root_shape, root_table, segment_ends, send, spread

SAMPLE = 256
"""Keys at which windows are looked at."""
MOST_KEYS = 1024
"""Of a leaf that has more keys, only so many are looked at."""
ROOTS = (1, 4, 8, 10, 12, 14, 16, 18)
"""log2 of the roots' segments that are tried."""
CHUNKS = 16
"""Of a 32nd of the keys, to tell how many segments a structure would have."""
LEAST_ERROR = 16
KEYS_A_LINE = (16, 32, 128)
"""Least keys a leaf of a line that are tried."""

# Nanoseconds on a machine with 32 MiB of last-level cache, 10 million keys; only their ratios matter.
_FIXED = {"counts": 11.5, "spline": 13.0, "regression": 13.0, "radix_spline": 23.0, "pgm": 9.0}
_HALVING, _HALVING_OF_FEW = 5.0, 15.0
_SECOND_LINE = 2.5
_LEVEL, _FAN_OUT = 8.0, 18
_ROOT_DOUBLING = 0.4
_LOGARITHM = 0.3
_FIRST_LEVEL_CACHE = 1 << 15


@inlined
def _unit(key: np.uint64, shape: Words, table: NDArray[np.uint32], per_leaf: np.uint64) -> Any:
    """The number of the `per_leaf`-th of a leaf that a code is sent to."""
    place = send(spread(key, shape), table, shape)
    return (place >> U(40)) * per_leaf + ((((place >> U(8)) & U(0xFFFFFFFF)) * per_leaf) >> U(32))


@jit
def _range(codes: Words, i: int, shape: Words, table: NDArray[np.uint32], per_leaf: np.uint64) -> tuple[int, int]:
    """Where the codes begin and end that go where the i-th does; by galloping."""
    own = _unit(codes[i], shape, table, per_leaf)
    begin, end = i, i + 1
    step = 1
    while begin - step >= 0 and _unit(codes[begin - step], shape, table, per_leaf) == own:
        begin -= step
        step *= 2
    while step > 0:
        if begin - step >= 0 and _unit(codes[begin - step], shape, table, per_leaf) == own:
            begin -= step
        step >>= 1
    step = 1
    while end + step <= len(codes) and _unit(codes[end + step - 1], shape, table, per_leaf) == own:
        end += step
        step *= 2
    while step > 0:
        if end + step <= len(codes) and _unit(codes[end + step - 1], shape, table, per_leaf) == own:
            end += step
        step >>= 1
    return begin, end


@jit
def counts_windows(
    codes: Words, sample: NDArray[np.int64], shape: Words, table: NDArray[np.uint32]
) -> NDArray[np.float64]:
    """The windows that leaves of counts would give the sampled keys."""
    out = np.empty(len(sample))
    for s in range(len(sample)):
        begin, end = _range(codes, sample[s], shape, table, U(rmi.LEAVES))
        line_begin, line_end = _range(codes, sample[s], shape, table, U(1))
        out[s] = end - begin + (line_end - line_begin) // 256
    return out


@jit
def line_windows(
    codes: Words, sample: NDArray[np.int64], shape: Words, table: NDArray[np.uint32], least_squares: bool
) -> NDArray[np.float64]:
    """The windows that leaves of lines would give the sampled keys; about, where leaves are large."""
    out = np.empty(len(sample))
    within = np.empty(MOST_KEYS + 1)
    for s in range(len(sample)):
        begin, end = _range(codes, sample[s], shape, table, U(1))
        stride = (end - begin - 1) // MOST_KEYS + 1
        count = (end - begin - 1) // stride + 1
        for i in range(count):
            place = send(spread(codes[begin + i * stride], shape), table, shape)
            within[i] = np.float64((place >> U(8)) & U(0xFFFFFFFF))
        below, above = rmi.line_errors(within, count, rmi.fit_line(within, count, least_squares))
        out[s] = min((np.float64(below) + np.float64(above)) * stride, np.float64(end - begin))
    return out


def _search_cost(windows: NDArray[Any], keys: NDArray[Any]) -> float:
    """Of the last mile, in the mean: all of a block are searched while many need it, then the few."""
    width = LINE // keys.itemsize
    cost = _SECOND_LINE * float(np.mean(np.minimum(windows / width, 1)))
    while (wide := float(np.mean(windows > width))) > 0:
        cost += min(_HALVING, _HALVING_OF_FEW * wide)
        windows = windows / 2
    return cost


def _root_cost(bits: int, logarithmic: bool) -> float:
    return _ROOT_DOUBLING * max(math.log2(4 * (1 << bits) / _FIRST_LEVEL_CACHE), 0) + _LOGARITHM * logarithmic


def _leaves(leaf: str, keys: int, budget: int | None, bits: int) -> set[int]:
    """Numbers of leaves worth trying."""
    room = 1 << 60 if budget is None else budget - 5 * 8 - 4 * ((1 << bits) + 1)
    if leaf == "counts":
        return {min(keys // rmi.LEAVES + 1, room // 64)}
    return {min(keys // share + 1, (room - 16) // 16) for share in KEYS_A_LINE}


def _rmi_candidates(keys: NDArray[Any], codes: Words, budget: int | None) -> Iterator[tuple[float, dict[str, Any]]]:
    """Every RMI that fits, with its expected cost."""
    middles = (np.arange(SAMPLE) + 0.5) * (len(keys) / SAMPLE)
    sample = np.unique(middles.astype(np.int64))
    # A root with more segments than half of the keys, or half of the budget, leaves nothing to its leaves.
    roots = [
        bits for bits in ROOTS if bits == 1 or (2 << bits <= len(keys) and (budget is None or 8 << bits <= budget))
    ]
    for logarithmic in (False, True):
        finest = segment_ends(codes, root_shape(codes, logarithmic, roots[-1]))
        for bits in roots:
            shape = root_shape(codes, logarithmic, bits)
            before = finest[:: 1 << (roots[-1] - bits)]
            for leaf in ("counts", "spline", "regression"):
                for leaves in sorted(_leaves(leaf, len(keys), budget, bits)):
                    if leaves < 1:
                        continue
                    table = root_table(before, leaves)
                    if leaf == "counts":
                        windows = counts_windows(codes, sample, shape, table)
                    else:
                        windows = line_windows(codes, sample, shape, table, leaf == "regression")
                    cost = _FIXED[leaf] + _root_cost(bits, logarithmic) + _search_cost(windows, keys)
                    yield cost, {"leaf": leaf, "logarithmic": logarithmic, "bits": bits, "leaves": leaves}


def _spline_cost(locator: Locator, keys: NDArray[Any], codes: Words) -> float:
    shape, table, _, _, errors = locator.arrays
    sample = np.linspace(0, len(codes) - 1, min(len(codes), 16 * SAMPLE)).astype(np.int64)
    prefixes = np.array([_prefix(codes[i], shape) for i in sample], np.int64)
    knots = np.diff(table.astype(np.int64))[prefixes]
    window = np.array([float(errors.sum())])
    root = _root_cost(int(shape[BITS]), locator.config["logarithmic"])
    return _FIXED["radix_spline"] + root + _search_cost(knots, codes) + _search_cost(window, keys)


@jit
def _prefix(key: np.uint64, shape: Words) -> Any:
    return spread(key, shape) >> (U(64) - shape[BITS])


def _pgm_cost(locator: Locator, keys: NDArray[Any]) -> float:
    window = np.array([float(locator.arrays[0][-2:].sum())])
    levels = int(locator.config["levels"])
    return _FIXED["pgm"] + _LEVEL * levels + _search_cost(window, keys)


def build(keys: NDArray[Any], budget: int | None) -> Locator:
    """The learned index with the least expected cost of a lookup.

    Args:
        keys: Sorted, at least one, fewer than 2**31.
        budget: Most bytes to use; None for as many as help.

    Returns:
        An RMI, a RadixSpline or a PGM-index; its ``config`` has the ``expected_cost``, in no unit but comparable.

    Raises:
        OverBudget: None fits.
    """
    codes = as_codes(keys)
    best, least = None, math.inf
    for cost, parameters in _rmi_candidates(keys, codes, budget):
        if cost < least:
            least, best = cost, parameters
    found: Locator | None = None
    for module in (radix_spline, pgm):
        error = _promising_error(module, keys, codes, budget, least)
        if error is None:
            continue
        try:
            locator = module.build(keys, budget, error=error)
        except OverBudget:
            continue
        cost = _spline_cost(locator, keys, codes) if module is radix_spline else _pgm_cost(locator, keys)
        if cost < least:
            least, found = cost, locator
    if found is None:
        if best is None:
            raise OverBudget(f"no learned index fits into {budget} bytes")
        found = rmi.build(keys, budget, **best)
    return Locator(found.name, found.run, found.arrays, {**found.config, "expected_cost": round(least, 1)})


def _promising_error(module: Any, keys: NDArray[Any], codes: Words, budget: int | None, least: float) -> int | None:
    """The error for which a structure is worth building: it should fit, and cost less than what is known already."""
    name = module.__name__.rpartition(".")[2]
    fit = module.fit_segments if module is pgm else module.fit_spline
    size = max(len(codes) // (CHUNKS * 32), min(len(codes), 256))
    starts = np.unique(np.linspace(0, len(codes) - size, CHUNKS).astype(np.int64))
    error = LEAST_ERROR
    while error <= 2 * len(codes):
        cost = _FIXED[name] + _search_cost(np.array([2.0 * error]), keys)
        if cost >= least:
            return None
        pieces = sum(len(fit(codes[start : start + size], error, 2 * size + 2)[0]) - 1 for start in starts)
        expected = pieces / (len(starts) * size) * len(codes) + 3
        if module is pgm:
            cost += _LEVEL * (1 + max(int(math.log(expected / pgm.TOP, _FAN_OUT)), 0))
        # Upper levels and the radix table come on top; where most chunks are one piece, little can be said.
        if cost < least and (budget is None or 20 * expected <= budget):
            return error
        error *= 2
    return None
