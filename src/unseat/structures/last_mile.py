"""The last mile: from a window that surely holds the answer to the answer, for a block of queries at once.

A model says that a query's lower bound lies in ``[low, high]``; to settle it only ``keys[low:high]`` need be read. Two
facts make this cheap. First, the queries of a block are searched in step, each asking for the line it reads next
before any of them waits (group prefetching). Second, a window of up to a cache line's worth of keys is not searched but
counted: the answer is the number of smaller keys, and as the array is sorted, keys beyond the window never change that
number. So the last window may be shifted to where no further line is touched, has the same length for all, and is
compared by one vector instruction without a branch to mispredict.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import llvmlite.ir as ir
import numpy as np
from numba.core import types
from numba.core.errors import TypingError
from numba.extending import intrinsic, overload
from numba.np.arrayobj import make_array
from numpy.typing import NDArray

from unseat.core.jit import inlined
from unseat.structures.prefetch import prefetch

LINE = 64
"""Bytes of a cache line; also of the vector that counts."""
SPARSE = 4
"""All queries of a block are searched in step while more than one in so many still needs it."""


def count_smaller(keys: NDArray[Any], start: int, query: Any) -> int:
    """How many of the cache line's worth of keys from `start` on are less than `query`, of the keys' type.

    All of them must lie within the array, and it must be contiguous.
    """
    return int(np.count_nonzero(keys[start : start + LINE // keys.itemsize] < query))


def _generate_count(typing_context: Any, keys: Any, start: Any, query: Any) -> tuple[Any, Callable[..., Any]]:
    dtype = keys.dtype
    if keys.layout != "C":
        raise TypingError("the keys must be a contiguous array")
    width = LINE * 8 // dtype.bitwidth

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = make_array(signature.args[0])(context, builder, arguments[0]).data
        element = context.get_data_type(dtype)
        vector = ir.VectorType(element, width)
        address = builder.gep(data, [arguments[1]])
        window = builder.load(builder.bitcast(address, vector.as_pointer()), align=1)
        number = ir.IntType(32)
        one = builder.insert_element(ir.Constant(vector, ir.Undefined), arguments[2], number(0))
        all_queries = builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(number, width), [0] * width))
        if isinstance(dtype, types.Float):
            smaller = builder.fcmp_ordered("<", window, all_queries)
        elif dtype.signed:
            smaller = builder.icmp_signed("<", window, all_queries)
        else:
            smaller = builder.icmp_unsigned("<", window, all_queries)
        bits = builder.bitcast(smaller, ir.IntType(width))
        return builder.zext(builder.ctpop(bits), context.get_value_type(types.intp))

    return types.intp(keys, types.intp, dtype), generate


_count_smaller = intrinsic(_generate_count)


def _compiled_count(keys: Any, start: Any, query: Any) -> Callable[[Any, Any, Any], Any]:
    return lambda keys, start, query: _count_smaller(keys, start, query)


overload(count_smaller, strict=False)(_compiled_count)


def opaque(number: Any) -> Any:
    """The number itself, about which the compiler learns nothing.

    It would see that a comparison's 0 or 1 only selects, and branch; a search's comparisons cannot be predicted.
    """
    return number


def _generate_opaque(typing_context: Any, number: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = ir.IntType(64)
        return builder.asm(ir.FunctionType(word, [word]), "", "=r,0", [arguments[0]], False)

    return types.int64(types.int64), generate


_opaque = intrinsic(_generate_opaque)


def _compiled_opaque(number: Any) -> Callable[[Any], Any]:
    return lambda number: _opaque(number)


overload(opaque, strict=False)(_compiled_opaque)


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
            out[first + j] = start + count_smaller(keys, start, queries[first + j])
    else:
        for j in range(length):
            smaller = np.int64(0)
            for i in range(len(keys)):
                smaller += np.int64(keys[i] < queries[first + j])
            out[first + j] = smaller
