"""What Numba cannot be told otherwise: compare a cache line of keys with a query at once, without a branch.

Left to itself the compiler counts the smaller keys of a node one by one: Numba's loops over so few elements are
unrolled before they can be vectorised. Said as one vector comparison it takes a compare, a move of the mask and a
population count where the processor has 512-bit vectors, and two to four of each where they are narrower.
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

LINE = 64
"""Bytes of a cache line."""


def count_less(array: NDArray[Any], start: int, query: Any) -> int:
    """How many of the ``64 // array.itemsize`` elements from `start` on are less than `query`.

    They must all lie within the array (not checked in compiled code), which must be contiguous; neither `start` nor the
    array need be aligned.
    """
    return int(np.count_nonzero(array[int(start) : int(start) + LINE // array.itemsize] < query))


def _generate_count(typing_context: Any, array: Any, start: Any, query: Any) -> tuple[Any, Callable[..., Any]]:
    kind = array.dtype
    if array.layout != "C":
        raise TypingError("the array must be contiguous")
    lanes = 8 * LINE // kind.bitwidth

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = make_array(signature.args[0])(context, builder, arguments[0]).data
        vector = ir.VectorType(context.get_data_type(kind), lanes)
        address = builder.bitcast(builder.gep(data, [arguments[1]]), vector.as_pointer())
        line = builder.load(address, align=1)
        undefined, index = ir.Constant(vector, ir.Undefined), ir.IntType(32)
        first = builder.insert_element(undefined, arguments[2], index(0))
        everywhere = builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(index, lanes), [0] * lanes))
        if isinstance(kind, types.Float):
            less = builder.fcmp_ordered("<", line, everywhere)
        elif kind.signed:
            less = builder.icmp_signed("<", line, everywhere)
        else:
            less = builder.icmp_unsigned("<", line, everywhere)
        return builder.zext(builder.ctpop(builder.bitcast(less, ir.IntType(lanes))), ir.IntType(64))

    return types.int64(array, types.intp, kind), generate


_count = intrinsic(_generate_count)


def _compiled_count(array: Any, start: Any, query: Any) -> Callable[[Any, Any, Any], Any]:
    return lambda array, start, query: _count(array, start, query)


overload(count_less, strict=False)(_compiled_count)


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


def aligned(size: int, dtype: Any) -> NDArray[Any]:
    """Zeros that begin at a cache line, so that nodes of a line touch one line and not two."""
    kind = np.dtype(dtype)
    raw = np.zeros(size * kind.itemsize + LINE, np.uint8)
    start = -raw.ctypes.data % LINE
    return raw[start : start + size * kind.itemsize].view(kind)
