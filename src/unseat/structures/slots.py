"""A cache line of eight 64-bit words as a small sorted set: find, insert and remove by vector instructions.

The words in use stand in front, in ascending order; the rest hold `EMPTY`, the greatest code, so that counting the
smaller words gives the place of a new one without knowing how many are in use. Structures built of such lines keep the
one key whose code is `EMPTY` elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import llvmlite.ir as ir
import numpy as np
from numba.core import types
from numba.extending import intrinsic, overload
from numba.np.arrayobj import make_array
from numpy.typing import NDArray

from unseat.core.jit import inlined

Words = NDArray[np.uint64]

LANES = 8
"""Words of a line."""
EMPTY = np.uint64(2**64 - 1)
"""What an unused word holds."""


@inlined
def whole(number: Any) -> int:
    """A number as a signed integer, modulo 2**64: Numba's own `int` would leave a word unsigned."""
    return int(np.int64(number))


@inlined
def clear(words: Words, start: int, size: int) -> None:
    """Make `size` words from `start` on `EMPTY`, and as many behind them 0: no codes and no payloads."""
    for i in range(start, start + size):
        words[i] = EMPTY
    for i in range(start + size, start + 2 * size):
        words[i] = np.uint64(0)


def find_lane(words: Words, start: int, query: np.uint64) -> int:
    """Which of the eight words from `start` on is the first that equals `query`; 8 where none does."""
    hits = np.flatnonzero(words[int(start) : int(start) + LANES] == query)
    return int(hits[0]) if len(hits) else LANES


def insert_lane(words: Words, start: int, lane: int, word: np.uint64) -> None:
    """Put `word` in a lane of the eight from `start` on; those behind move up by one and the last falls out."""
    at = int(start)
    words[at + lane + 1 : at + LANES] = words[at + lane : at + LANES - 1].copy()
    words[at + lane] = word


def remove_lane(words: Words, start: int, lane: int, last: np.uint64) -> None:
    """Take out a lane of the eight from `start` on; those behind move down by one and `last` becomes the last."""
    at = int(start)
    words[at + lane : at + LANES - 1] = words[at + lane + 1 : at + LANES].copy()
    words[at + LANES - 1] = last


_WORD, _INDEX = ir.IntType(64), ir.IntType(32)
_LINE = ir.VectorType(_WORD, LANES)


def _line(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """The address of the line that a call's first two arguments name."""
    data = make_array(signature.args[0])(context, builder, arguments[0]).data
    return builder.bitcast(builder.gep(data, [arguments[1]]), _LINE.as_pointer())


def _everywhere(builder: Any, word: Any) -> Any:
    undefined = ir.Constant(_LINE, ir.Undefined)
    first = builder.insert_element(undefined, word, _INDEX(0))
    return builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(_INDEX, LANES), [0] * LANES))


def _shuffled(builder: Any, line: Any, other: Any, lanes: list[int]) -> Any:
    return builder.shuffle_vector(line, other, ir.Constant(ir.VectorType(_INDEX, LANES), lanes))


def _generate_find(typing_context: Any, words: Any, start: Any, query: Any) -> tuple[Any, Callable[..., Any]]:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        line = builder.load(_line(context, builder, signature, arguments), align=8)
        equal = builder.bitcast(builder.icmp_unsigned("==", line, _everywhere(builder, arguments[2])), ir.IntType(8))
        # A bit behind the last makes the count of trailing zeros 8 where no lane is equal.
        bits = builder.or_(builder.zext(equal, _INDEX), _INDEX(1 << LANES))
        return builder.zext(builder.cttz(bits, ir.Constant(ir.IntType(1), 1)), _WORD)

    return types.int64(words, types.intp, types.uint64), generate


def _generate_insert(
    typing_context: Any, words: Any, start: Any, lane: Any, word: Any
) -> tuple[Any, Callable[..., Any]]:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = _line(context, builder, signature, arguments)
        line, numbers = builder.load(address, align=8), ir.Constant(_LINE, list(range(LANES)))
        lane, word = _everywhere(builder, arguments[2]), _everywhere(builder, arguments[3])
        up = _shuffled(builder, line, line, [0, *range(LANES - 1)])
        behind = builder.select(builder.icmp_unsigned("==", numbers, lane), word, up)
        builder.store(builder.select(builder.icmp_unsigned("<", numbers, lane), line, behind), address, align=8)
        return context.get_dummy_value()

    return types.void(words, types.intp, types.intp, types.uint64), generate


def _generate_remove(
    typing_context: Any, words: Any, start: Any, lane: Any, last: Any
) -> tuple[Any, Callable[..., Any]]:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = _line(context, builder, signature, arguments)
        line, numbers = builder.load(address, align=8), ir.Constant(_LINE, list(range(LANES)))
        down = _shuffled(builder, line, _everywhere(builder, arguments[3]), [*range(1, LANES), LANES])
        kept = builder.icmp_unsigned("<", numbers, _everywhere(builder, arguments[2]))
        builder.store(builder.select(kept, line, down), address, align=8)
        return context.get_dummy_value()

    return types.void(words, types.intp, types.intp, types.uint64), generate


_find, _insert, _remove = (intrinsic(one) for one in (_generate_find, _generate_insert, _generate_remove))


def _compiled_find(words: Any, start: Any, query: Any) -> Callable[[Any, Any, Any], Any]:
    return lambda words, start, query: _find(words, start, query)


def _compiled_insert(words: Any, start: Any, lane: Any, word: Any) -> Callable[[Any, Any, Any, Any], Any]:
    return lambda words, start, lane, word: _insert(words, start, lane, word)


def _compiled_remove(words: Any, start: Any, lane: Any, last: Any) -> Callable[[Any, Any, Any, Any], Any]:
    return lambda words, start, lane, last: _remove(words, start, lane, last)


overload(find_lane, strict=False)(_compiled_find)
overload(insert_lane, strict=False)(_compiled_insert)
overload(remove_lane, strict=False)(_compiled_remove)
