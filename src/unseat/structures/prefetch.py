"""Ask the processor to fetch a cache line before it is needed.

A lookup in a large array waits for memory most of its time. Kernels here take queries in blocks, and ask for the lines
that all of a block will read next before they read the first of them, so that the waits overlap (group prefetching:
Chen, Ailamaki, Gibbons and Mowry, ICDE 2004).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import llvmlite.ir as ir
from numba.core import cgutils, types
from numba.extending import intrinsic, overload
from numba.np.arrayobj import make_array

BLOCK = 128
"""Queries in flight at once: several times the line-fill buffers of a core, so that the wait for a block's last line is
shared by many, and few enough that their state stays in L1."""


def prefetch(array: Any, index: int) -> None:
    """Start to fetch ``array[index]``; no effect but on time, and none at all in plain Python.

    The index may lie outside the array: a prefetch of a wrong address does nothing.
    """


def _generate_prefetch(typing_context: Any, array: Any, index: Any) -> tuple[Any, Callable[..., Any]]:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = make_array(signature.args[0])(context, builder, arguments[0]).data
        address = builder.bitcast(builder.gep(data, [arguments[1]]), ir.IntType(8).as_pointer())
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [address.type, number, number, number])
        call = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        read, keep_in_all_caches, data_not_code = number(0), number(3), number(1)
        builder.call(call, [address, read, keep_in_all_caches, data_not_code])
        return context.get_dummy_value()

    return types.void(array, types.intp), generate


_prefetch = intrinsic(_generate_prefetch)


def _compiled_prefetch(array: Any, index: Any) -> Callable[[Any, Any], None]:
    return lambda array, index: _prefetch(array, index)


overload(prefetch, strict=False)(_compiled_prefetch)
