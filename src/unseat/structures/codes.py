"""Order-preserving images of keys in the unsigned 64-bit integers.

Models of where a key lies work on these codes, so that one model serves every key type; comparisons are made on the
keys themselves. For all keys a and b of one type, ``a < b`` exactly where ``code(a) < code(b)``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numba.core import types
from numba.extending import overload
from numpy.typing import NDArray

from unseat.core.jit import jit

SIGN = np.uint64(1 << 63)
KEY_TYPES = ("u8", "i8", "f8", "u4", "i4", "f4")
"""The NumPy types that every structure takes."""


def code(key: Any) -> np.uint64:
    """The code of a key (a NumPy scalar of `KEY_TYPES`); -0.0 has that of 0.0, as the two compare equal."""
    if isinstance(key, np.unsignedinteger):
        return np.uint64(key)
    if isinstance(key, np.signedinteger):
        return np.uint64(int(key) + (1 << 63))
    bits = int((np.float64(key) + 0.0).view(np.uint64))
    return np.uint64(bits ^ ((1 << 64) - 1) if bits >> 63 else bits | 1 << 63)


def _compiled_code(key: Any) -> Callable[[Any], Any] | None:
    if isinstance(key, types.Integer):
        if not cast(Any, key).signed:
            return lambda key: np.uint64(key)
        return lambda key: np.uint64(np.int64(key)) ^ SIGN
    if isinstance(key, types.Float):
        return lambda key: _float_code(key)
    return None


overload(code, strict=False)(_compiled_code)


@jit
def _float_code(key: float) -> np.uint64:
    # A negative number's bits order it backwards, so all of them are flipped; of the others only the sign is.
    bits = np.float64(np.float64(key) + 0.0).view(np.int64)
    return np.uint64(bits ^ ((bits >> np.int64(63)) & np.int64(0x7FFFFFFFFFFFFFFF))) ^ SIGN


@jit
def codes(keys: NDArray[Any]) -> NDArray[np.uint64]:
    """The codes of all keys."""
    out = np.empty(len(keys), np.uint64)
    for i in range(len(keys)):
        out[i] = code(keys[i])
    return out
