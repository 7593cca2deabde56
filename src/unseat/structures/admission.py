"""What may be a key or a query, and how each becomes an array that a kernel reads.

A `Kind` is the type of an index's keys. Numbers keep their type (8 and 16 bits widen to 32); dates and durations are
counted in 64-bit integers; text and bytes are `unseat.structures.strings`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import UserError
from unseat.core.jit import jit
from unseat.structures.codes import KEY_TYPES
from unseat.structures.exact import NAN, Bounds, bounds, has_nan

_WIDEN = {"u1": "u4", "u2": "u4", "i1": "i4", "i2": "i4", "f2": "f4"}
_TICKS: dict[str, Fraction | int] = {
    "W": 7 * 86_400, "D": 86_400, "h": 3_600, "m": 60, "s": 1, "ms": Fraction(1, 10**3), "us": Fraction(1, 10**6),
    "ns": Fraction(1, 10**9), "ps": Fraction(1, 10**12), "fs": Fraction(1, 10**15), "as": Fraction(1, 10**18),
    "Y": 12, "M": 1,
}  # fmt: skip
"""Seconds in a unit of time; years and months, which are no number of seconds, in months."""
NAT = "NaT has no place in a sorted order: leave it out"


@dataclass(frozen=True)
class Kind:
    """The type of an index's keys.

    Attributes:
        dtype: What a user sees: a number type of 32 or 64 bits, datetime64 or timedelta64; `object` for text.
        text: "str" or "bytes", or empty for numbers.
        untyped: There are no keys yet, and nobody said of what type they will be: the first ones decide.
    """

    dtype: np.dtype[Any]
    text: str = ""
    untyped: bool = field(default=False, compare=False)

    @property
    def stored(self) -> np.dtype[Any]:
        """The type that kernels compare: one of `unseat.structures.codes.KEY_TYPES`."""
        return np.dtype(np.int64) if self.dtype.kind in "mM" else self.dtype

    def __str__(self) -> str:
        return self.text or str(self.dtype)


def check_kind(kind: Kind) -> None:
    """Refuse a type that no index has.

    Raises:
        ValueError: It is one.
    """
    if kind.text not in ("str", "bytes") if kind.dtype.kind == "O" else kind.text != "":
        raise ValueError(f"keys of type {kind.dtype} as {kind.text!r}")
    if kind.dtype.kind in "mM":
        _ticks(kind.dtype)
    elif kind.dtype.kind != "O" and (kind.dtype.str[1:] not in KEY_TYPES or not kind.dtype.isnative):
        raise ValueError(f"keys of type {kind.dtype}")


def check_budget(budget: Any) -> float | None:
    """A budget as a share, or None.

    Raises:
        UserError: It is no finite number from 0 on.
    """
    number = isinstance(budget, (int, float, np.integer, np.floating)) and not isinstance(budget, bool)
    if budget is not None and not (number and 0 <= budget < math.inf):
        raise UserError(f"budget = {budget!r}: give the share of the keys' bytes that a model may take, such as 0.1")
    return None if budget is None else float(budget)


def is_text(values: Any) -> str:
    """ "str" or "bytes" where these are texts (an array or a list of them, or one), else an empty string."""
    if isinstance(values, (str, np.str_)):
        return "str"
    if isinstance(values, (bytes, bytearray, np.bytes_)):
        return "bytes"
    if isinstance(values, np.ndarray) and values.dtype.kind != "O":
        return {"U": "str", "T": "str", "S": "bytes"}.get(values.dtype.kind, "")
    if isinstance(values, (list, tuple)) or (isinstance(values, np.ndarray) and values.dtype.kind == "O"):
        first = next(iter(np.ravel(values) if isinstance(values, np.ndarray) else values), None)
        return "" if first is None or isinstance(first, (list, tuple, np.ndarray)) else is_text(first)
    return ""


def admit_numbers(keys: Any, what: str = "keys") -> tuple[Kind, NDArray[Any]]:
    """Keys that are numbers or times, in any order, as a contiguous native array of the stored type.

    An array that is that already is not copied.

    Raises:
        UserError: They are not one-dimensional, of a type that has no exact place here, or hold NaN or NaT.
    """
    array = numbers(keys, what)
    if array.ndim != 1:
        raise UserError(f"{what} must be one-dimensional, not of shape {array.shape}")
    if array.dtype.kind == "O":
        array = _one_type(array, what)
    kind = Kind(array.dtype)
    stored = np.ascontiguousarray(array).view(kind.stored)
    if stored.dtype.kind == "f" and has_nan(stored):
        place = int(np.flatnonzero(np.isnan(stored))[0])
        raise UserError(f"{what}[{place}] is NaN, which has no place in a sorted order: leave such keys out")
    if array.dtype.kind in "mM":
        _ticks(array.dtype)
        if np.isnat(array).any():
            raise UserError(f"{what}[{int(np.flatnonzero(np.isnat(array))[0])}]: {NAT}")
    return kind, stored


def check_whole(values: Any, what: str) -> None:
    """Refuse masked arrays, whose mask would be lost.

    Raises:
        UserError: It is one.
    """
    if isinstance(values, np.ma.MaskedArray):
        raise UserError(f"{what} are a masked array: leave out what is masked with .compressed()")


def numbers(values: Any, what: str) -> NDArray[Any]:
    """Numbers or times as an array of native byte order and at least 32 bits, or of objects where types are mixed.

    Python integers never pass through float64 on the way.

    Raises:
        UserError: The type is not admitted.
    """
    check_whole(values, what)
    if not isinstance(values, (np.ndarray, np.generic)):
        values = _of_python(values, what)
    array = np.asarray(values)
    if array.dtype.kind == "O":
        array = _of_python(array.tolist(), what)
    if array.dtype.kind not in "iufmMO" or (array.dtype.kind == "f" and array.dtype.itemsize > 8):
        raise UserError(
            f"{what} of type {array.dtype} are not admitted: integers and floats of up to 64 bits, datetime64, "
            "timedelta64, str and bytes are"
        )
    native = array.dtype.newbyteorder("=")
    return array.astype(_WIDEN.get(native.str[1:], native), copy=False)


def _of_python(values: Any, what: str) -> NDArray[Any]:
    """A list, or nested lists, of Python numbers: as one NumPy type where all are of one, else as objects."""
    try:
        array = np.asarray(values, object)
    except ValueError:
        raise UserError(f"{what} are nested lists of unequal lengths") from None
    flat = [value.item() if _is_number(value) else value for value in array.ravel().tolist()]
    types = {type(value) for value in flat}
    if not types:
        return np.empty(array.shape, np.asarray(values).dtype if isinstance(values, np.ndarray) else np.float64)
    if types == {float}:
        return np.array(flat, np.float64).reshape(array.shape)
    if types == {int}:
        least, greatest = min(flat), max(flat)
        for dtype in (np.int64, np.uint64):
            if np.iinfo(dtype).min <= least and greatest <= np.iinfo(dtype).max:
                return np.array(flat, dtype).reshape(array.shape)
    if types <= {int, float, Fraction}:
        exact = np.empty(len(flat), object)
        exact[:] = flat
        return exact.reshape(array.shape)
    times = np.asarray(values) if any(issubclass(kind, np.generic) for kind in types) else _times(values, types)
    if times is None or times.dtype.kind not in "mM":
        named = ", ".join(sorted(kind.__name__ for kind in types))
        raise UserError(f"{what} of type {named} are not admitted: give numbers, times, or texts, of one type")
    return times


def _is_number(value: Any) -> bool:
    return isinstance(value, (np.integer, np.floating)) and not isinstance(value, (np.timedelta64, np.longdouble))


def _times(values: Any, types: set[type]) -> NDArray[Any] | None:
    names = {kind.__name__ for kind in types}
    if names <= {"date", "datetime"}:
        return np.asarray(values, "M8")
    return np.asarray(values, "m8") if names == {"timedelta"} else None


def _one_type(array: NDArray[Any], what: str) -> NDArray[Any]:
    """Keys given as Python numbers of several types, or too large for an integer type: only if doubles hold them."""
    place = next((i for i, value in enumerate(array) if not _is_double(value)), None)
    if place is not None:
        raise UserError(f"{what}[{place}] = {array[place]} fits no type together with the others: 64-bit integers and "
                        "doubles hold it only after rounding")  # fmt: skip
    return array.astype(np.float64)


def _is_double(value: Any) -> bool:
    try:
        return math.isnan(value) or float(value) == value
    except OverflowError:
        return False


def first_disorder(keys: NDArray[Any]) -> int:
    """The first i where ``keys[i] > keys[i + 1]``, or -1."""
    return int(_first_disorder(keys))


@jit
def _first_disorder(keys: NDArray[Any]) -> int:
    block = 4096
    for start in range(0, len(keys) - 1, block):
        stop = min(start + block, len(keys) - 1)
        wrong = False
        for i in range(start, stop):
            wrong |= keys[i] > keys[i + 1]
        if wrong:
            for i in range(start, stop):
                if keys[i] > keys[i + 1]:
                    return i
    return -1


def admit_queries(queries: Any, kind: Kind) -> NDArray[Any]:
    """Queries against numbers or times, as an array of any shape that `query_bounds` takes.

    Raises:
        UserError: They cannot be compared with keys of this kind.
    """
    if type(queries) is np.ndarray and queries.dtype == kind.dtype:
        return queries
    if kind.untyped and is_text(queries):
        return np.zeros(np.shape(queries))
    array = numbers(queries, "queries")
    if not array.size or (kind.untyped and array.dtype.kind in "mM"):
        return np.zeros(array.shape, kind.dtype)
    if (array.dtype.kind in "mM" or kind.dtype.kind in "mM") and array.dtype.kind != kind.dtype.kind:
        raise UserError(f"queries of type {array.dtype} cannot be compared with {kind} keys")
    return array


def query_bounds(queries: NDArray[Any], kind: Kind, strict: bool) -> Bounds:
    """`unseat.structures.exact.bounds` of admitted, flat queries, times included."""
    if queries.dtype.kind in "mM":
        if np.isnat(queries).any():
            raise UserError(NAT)
        counts = np.ascontiguousarray(queries).view(np.int64)
        ratio = _ratio(queries.dtype, kind.dtype)
        if ratio.numerator == 1 < ratio.denominator:  # a finer unit, rounded up to the keys'
            parts = np.int64(ratio.denominator)
            return (counts // parts + 1 if strict else -(-counts // parts)), None
        queries = counts if ratio == 1 else _in_ticks(counts, ratio)
    return bounds(np.ascontiguousarray(queries), kind.stored, strict)


def _in_ticks(counts: NDArray[np.int64], ratio: Fraction) -> NDArray[Any]:
    """Times of another unit as exact numbers of the keys' unit: integers where they fit, else Python's numbers."""
    if ratio.denominator == 1 and max(abs(int(counts.min())), int(counts.max())) * ratio < 1 << 63:
        return counts * np.int64(int(ratio))
    exact = np.empty(len(counts), object)
    exact[:] = [count * ratio for count in counts.tolist()]
    return exact


def _ratio(unit: np.dtype[Any], dtype: np.dtype[Any]) -> Fraction:
    """How many of the ticks of `dtype` one tick of `unit` is."""
    if (_unit(unit) in "YM") != (_unit(dtype) in "YM"):
        raise UserError(f"queries of type {unit} cannot be compared with {dtype} keys: a month is no fixed time")
    return _ticks(unit) / _ticks(dtype)


def _unit(dtype: np.dtype[Any]) -> str:
    return str(np.datetime_data(dtype)[0])


def _ticks(dtype: np.dtype[Any]) -> Fraction:
    unit, count = np.datetime_data(dtype)
    if unit not in _TICKS:
        raise UserError(f"times without a unit ({dtype}) are not admitted: give them one, as in datetime64[ns]")
    return Fraction(_TICKS[unit]) * count


def one_number(query: Any, dtype: np.dtype[Any]) -> NDArray[Any]:
    """One Python number as an array: of the keys' type where that holds it, which takes the shortest way from there."""
    if type(query) is int and dtype.kind in "iu":
        try:
            return np.array([query], dtype)
        except OverflowError:
            pass
    alone = np.empty(1, np.float64 if type(query) is float else object)
    alone[0] = query
    return alone


def check_nan(queries: NDArray[Any]) -> None:
    """Refuse queries that are NaN.

    Raises:
        UserError: One is.
    """
    if queries.dtype.kind != "f":
        return
    # A kernel takes longer to start than a single value takes to become Python's.
    one = queries.size == 1
    if math.isnan(queries.item()) if one else has_nan(queries if queries.ndim == 1 else queries.reshape(-1)):
        raise UserError(NAN)
