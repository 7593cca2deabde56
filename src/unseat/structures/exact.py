"""Queries of any number type against keys of another, compared exactly.

The number of keys below a query is the number of keys below the smallest value *of the keys' type* that is not less
than the query. So a query is replaced by that value (its bound), and every kernel compares like with like: nothing goes
through a float that cannot hold it. For the number of keys up to and including the query, the bound is the smallest
value that is greater than it. A query that no value of the type reaches is `beyond`: all keys are below it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import UserError
from unseat.core.jit import jit

Beyond = NDArray[np.bool_]
Bounds = tuple[NDArray[Any], Beyond | None]
"""The bounds in the keys' type, and which queries are beyond all of its values (None: none is)."""

NAN = "NaN has no place in a sorted order: leave out the queries that are NaN"


def bounds(queries: NDArray[Any], dtype: np.dtype[Any], strict: bool) -> Bounds:
    """The smallest value of `dtype` that is not less than (`strict`: that is greater than) each query.

    Args:
        queries: One-dimensional, of a native integer or float type of at most 64 bits, or of Python numbers as objects.
        dtype: The keys' type, one of `unseat.structures.codes.KEY_TYPES`.
        strict: For ``side="right"``.

    Raises:
        UserError: A query is NaN.
    """
    if queries.dtype.kind == "O":
        return _from_numbers(queries.tolist(), dtype, strict)
    if queries.dtype.kind == "f" and has_nan(queries):
        raise UserError(NAN)
    if queries.dtype == dtype:
        if not strict:
            return queries, None
        following, last = np.empty(len(queries), dtype), np.empty(len(queries), np.bool_)
        successors = _next_floats if dtype.kind == "f" else _next_integers
        any_last = successors(queries, _greatest(dtype), following, last)
        return following, last if any_last else None
    if dtype.kind in "iu":
        out, beyond = np.empty(len(queries), dtype), np.empty(len(queries), np.bool_)
        if queries.dtype.kind in "iu":
            first, last, highest = _common(queries.dtype, dtype)
            any_beyond = _integer_bounds(queries, strict, first, last, highest, out, beyond)
        else:
            info = np.iinfo(dtype)
            limits = float(info.min), float(int(info.max) + 1)
            wide = queries.astype(np.float64, copy=False)
            any_beyond = _bounds_of_floats(wide, strict, *limits, dtype.type(info.max), out, beyond)
        return out, beyond if any_beyond else None
    return _float_bounds(queries, dtype, strict)


@lru_cache
def _greatest(dtype: np.dtype[Any]) -> Any:
    return dtype.type(np.inf if dtype.kind == "f" else np.iinfo(dtype).max)


@lru_cache
def _common(queries: np.dtype[Any], keys: np.dtype[Any]) -> tuple[Any, Any, Any]:
    """The least and greatest value that both integer types hold, in the queries' type; the keys' greatest."""
    mine, theirs = np.iinfo(queries), np.iinfo(keys)
    least, greatest = max(int(mine.min), int(theirs.min)), min(int(mine.max), int(theirs.max))
    return queries.type(least), queries.type(greatest), keys.type(theirs.max)


def _float_bounds(queries: NDArray[Any], dtype: np.dtype[Any], strict: bool) -> Bounds:
    """Bounds among floats: first the double, then from that the single."""
    beyond: Beyond | None = None
    wide: NDArray[Any]
    if queries.dtype.kind in "iu" and queries.dtype.itemsize == 8:
        wide = np.empty(len(queries), np.float64)
        limit = float(int(np.iinfo(queries.dtype).max) + 1)
        _bounds_of_integers(queries, strict, limit, wide)
    else:
        wide = queries.astype(np.float64, copy=False)
        if strict:
            beyond = np.isposinf(wide)
            with np.errstate(all="ignore"):
                wide = np.nextafter(wide, np.inf)
    if dtype.itemsize == 4:
        with np.errstate(all="ignore"):
            single = wide.astype(np.float32)
            short = single.astype(np.float64) < wide
            single[short] = np.nextafter(single[short], np.float32(np.inf))
        wide = single
    return wide, beyond if beyond is not None and beyond.any() else None


def _from_numbers(numbers: Iterable[Any], dtype: np.dtype[Any], strict: bool) -> Bounds:
    """Bounds of Python numbers (int, float, Fraction), which Python compares exactly; slow, for the rare ones."""
    pairs = [_bound(number, dtype, strict) for number in numbers]
    beyond = np.fromiter((is_beyond for _, is_beyond in pairs), np.bool_, len(pairs))
    return np.array([value for value, _ in pairs], dtype), beyond if beyond.any() else None


def _bound(number: Any, dtype: np.dtype[Any], strict: bool) -> tuple[Any, bool]:
    """The bound of one Python number, and whether it is beyond the type."""
    if number != number:
        raise UserError(NAN)
    infinite = isinstance(number, float) and math.isinf(number)
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        least, greatest = int(info.min), int(info.max)
        if infinite:
            return least, number > 0
        whole = math.floor(number) + 1 if strict else math.ceil(number)
        return max(least, min(whole, greatest)), whole > greatest
    value = number if infinite else _nearest(number)
    if value < number or (strict and value == number):
        if value == math.inf:
            return value, True
        value = math.nextafter(value, math.inf)
    if dtype.itemsize == 4:
        with np.errstate(all="ignore"):
            single = np.float32(value)
            return (single if float(single) >= value else np.nextafter(single, np.float32(np.inf))), False
    return value, False


def _nearest(number: Any) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


@jit
def has_nan(values: NDArray[Any]) -> bool:
    """Whether any is not a number; without an early way out, so that it runs at the memory's speed."""
    found = False
    for i in range(len(values)):
        found |= values[i] != values[i]
    return found


@jit
def _next_integers(queries: NDArray[Any], greatest: Any, out: NDArray[Any], beyond: Beyond) -> bool:
    """The next integer of the same type; `beyond` where there is none, and whether that is so of any."""
    any_beyond = False
    for i in range(len(queries)):
        out[i] = queries[i] + out.dtype.type(1)
        beyond[i] = queries[i] == greatest
        any_beyond |= beyond[i]
    return any_beyond


@jit
def _next_floats(queries: NDArray[Any], greatest: Any, out: NDArray[Any], beyond: Beyond) -> bool:
    """The next float of the same type; `beyond` where there is none, and whether that is so of any."""
    any_beyond = False
    for i in range(len(queries)):
        out[i] = np.nextafter(queries[i], greatest)
        beyond[i] = queries[i] == greatest
        any_beyond |= beyond[i]
    return any_beyond


@jit
def _integer_bounds(
    queries: NDArray[Any], strict: bool, first: Any, last: Any, highest: Any, out: NDArray[Any], beyond: Beyond
) -> bool:
    """Integers against integers of another type; values under `first` are under all keys' values."""
    any_beyond = False
    for i in range(len(queries)):
        query = queries[i]
        over = query > last
        bound = out.dtype.type(min(max(query, first), last))
        if strict and query >= first:
            over |= bound == highest
            bound = out.dtype.type(bound + out.dtype.type(1))
        out[i] = bound
        beyond[i] = over
        any_beyond |= over
    return any_beyond


@jit
def _bounds_of_floats(
    queries: NDArray[np.float64], strict: bool, low: float, limit: float, highest: Any, out: NDArray[Any],
    beyond: Beyond,
) -> bool:  # fmt: skip
    """Floats against integers from `low` to under `limit` (a power of two, so exact)."""
    any_beyond = False
    for i in range(len(queries)):
        whole = np.floor(queries[i]) if strict else np.ceil(queries[i])
        over = whole >= limit
        out[i] = highest
        if not over:
            out[i] = out.dtype.type(max(whole, low))
            if strict and whole >= low:
                # One is added as an integer: above 2**53 a float would swallow it.
                over = out[i] == highest
                if not over:
                    out[i] += out.dtype.type(1)
        beyond[i] = over
        any_beyond |= over
    return any_beyond


@jit
def _bounds_of_integers(queries: NDArray[Any], strict: bool, limit: float, out: NDArray[np.float64]) -> None:
    """64-bit integers against doubles: round to nearest, look on which side that fell, step up where it is short."""
    for i in range(len(queries)):
        near = np.float64(queries[i])
        short = False
        if near < limit:
            back = queries.dtype.type(near)
            short = back < queries[i] or (strict and back == queries[i])
        out[i] = np.nextafter(near, np.inf) if short else near
