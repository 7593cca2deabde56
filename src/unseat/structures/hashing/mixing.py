"""Bit mixers on 64-bit words: what good hash functions are made of.

All of them are bijections or near to it, so that their quality is how evenly they spread structured keys.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import llvmlite.ir as ir
import numpy as np
from numba.core import types
from numba.extending import intrinsic, overload

from unseat.core.jit import inlined

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""2^64 over the golden ratio, odd."""
_WORD = (1 << 64) - 1


def multiply_high(a: Any, b: Any) -> np.uint64:
    """The upper 64 bits of the 128-bit product of two unsigned 64-bit words.

    With a random `a` it is an even choice among ``0 .. b - 1`` without a division (Lemire, "Fast random integer
    generation in an interval", ACM TOMACS 29(1), 2019).
    """
    return np.uint64((int(a) * int(b)) >> 64)


def _generate_multiply_high(typing_context: Any, a: Any, b: Any) -> tuple[Any, Callable[..., Any]]:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        wide, word = ir.IntType(128), ir.IntType(64)
        product = builder.mul(builder.zext(arguments[0], wide), builder.zext(arguments[1], wide))
        return builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), word)

    return types.uint64(types.uint64, types.uint64), generate


_multiply_high = intrinsic(_generate_multiply_high)


def _compiled_multiply_high(a: Any, b: Any) -> Callable[[Any, Any], Any]:
    return lambda a, b: _multiply_high(np.uint64(a), np.uint64(b))


overload(multiply_high, strict=False)(_compiled_multiply_high)


@inlined
def murmur_mix(word: np.uint64) -> np.uint64:
    """MurmurHash3's 64-bit finaliser (A. Appleby, 2011, public domain description)."""
    word = (word ^ (word >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    word = (word ^ (word >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return word ^ (word >> np.uint64(33))


@inlined
def wide_mix(word: np.uint64, seed: np.uint64) -> np.uint64:
    """One 64 by 64 multiplication, both halves folded: the step that wyhash is made of (Wang Yi, 2019)."""
    a, b = word ^ (seed ^ np.uint64(0xA0761D6478BD642F)), np.uint64(0xE7037ED1A0B428DB) ^ seed
    first = (a * b) ^ multiply_high(a, b)
    a, b = first ^ np.uint64(0x8EBC6AF09C88C6E3), np.uint64(0x589965CC75374CC3)
    return (a * b) ^ multiply_high(a, b)


@inlined
def rotated(word: np.uint64, by: int) -> np.uint64:
    """The word rotated left."""
    return (word << np.uint64(by)) | (word >> np.uint64(64 - by))


XX1, XX2 = np.uint64(0x9E3779B185EBCA87), np.uint64(0xC2B2AE3D27D4EB4F)
XX3, XX4 = np.uint64(0x165667B19E3779F9), np.uint64(0x85EBCA77C2B2AE63)
XX5 = np.uint64(0x27D4EB2F165667C5)


@inlined
def xx_round(state: np.uint64, word: np.uint64) -> np.uint64:
    """XXH64 takes in one word (Y. Collet, xxHash specification 0.1.1)."""
    return rotated(state ^ (rotated(word * XX2, 31) * XX1), 27) * XX1 + XX4


@inlined
def xx_avalanche(state: np.uint64) -> np.uint64:
    """XXH64's last step."""
    state = (state ^ (state >> np.uint64(33))) * XX2
    state = (state ^ (state >> np.uint64(29))) * XX3
    return state ^ (state >> np.uint64(32))


@inlined
def xx_mix(word: np.uint64, seed: np.uint64) -> np.uint64:
    """XXH64 of the word's eight bytes."""
    return xx_avalanche(xx_round(seed + XX5 + np.uint64(8), word))
