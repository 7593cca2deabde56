"""Numbers of any width from 0 to 32 bits in an array of words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import inlined


@inlined
def read(words: NDArray[np.uint64], place: int, width: int) -> np.uint64:
    """The number at this place; there is one word more than the numbers fill."""
    bit = np.int64(place) * np.int64(width)
    word, shift = bit >> 6, np.uint64(bit & 63)
    low = words[word] >> shift
    # In two steps, as a shift by 64 is undefined.
    high = (words[word + 1] << np.uint64(1)) << (np.uint64(63) - shift)
    return np.uint64((low | high) & ((np.uint64(1) << np.uint64(width)) - np.uint64(1)))


@inlined
def add(words: NDArray[np.uint64], place: int, width: int, number: np.uint64) -> None:
    """Write a number over zeros."""
    bit = np.int64(place) * np.int64(width)
    word, shift = bit >> 6, np.uint64(bit & 63)
    words[word] |= number << shift
    words[word + 1] |= (number >> np.uint64(1)) >> (np.uint64(63) - shift)


def room(numbers: int, width: int) -> NDArray[np.uint64]:
    """Zeros for so many numbers."""
    return np.zeros((numbers * width + 63) // 64 + 1, np.uint64)
