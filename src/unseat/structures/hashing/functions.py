"""Hash functions that know nothing of the keys: the incumbents.

A function is a kernel ``run(keys: uint64[n], out: int64[n], slots, *arrays)`` that writes the slot of each key, from 0
to ``slots - 1``. All of them reduce a 64-bit hash to a slot by the upper half of a product (see `multiply_high`), which
takes a hash's upper bits and no division.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import jit
from unseat.structures.hashing.mixing import GOLDEN, multiply_high, murmur_mix, wide_mix, xx_mix

Words = NDArray[np.uint64]
Slots = NDArray[np.int64]


@dataclass(frozen=True)
class HashFunction:
    """A function from keys to slots, as a kernel and the arrays it reads.

    Attributes:
        name: The function's name.
        run: The kernel.
        arrays: What it reads besides the keys.
        config: How it was made, as plain JSON.
    """

    name: str
    run: Callable[..., None]
    arrays: tuple[NDArray[Any], ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""
        return sum(array.nbytes for array in self.arrays)

    def slots(self, keys: Words, slots: int) -> Slots:
        """The slot of each key among so many."""
        out = np.empty(len(keys), np.int64)
        self.run(keys, out, slots, *self.arrays)
        return out


@jit
def murmur_slots(keys: Words, out: Slots, slots: int, seed: Words) -> None:
    """MurmurHash3's finaliser over the key and a seed."""
    for i in range(len(keys)):
        out[i] = np.int64(multiply_high(murmur_mix(keys[i] ^ seed[0]), np.uint64(slots)))


@jit
def wide_slots(keys: Words, out: Slots, slots: int, seed: Words) -> None:
    """wyhash's mixing step."""
    for i in range(len(keys)):
        out[i] = np.int64(multiply_high(wide_mix(keys[i], seed[0]), np.uint64(slots)))


@jit
def xx_slots(keys: Words, out: Slots, slots: int, seed: Words) -> None:
    """XXH64 of the key's eight bytes."""
    for i in range(len(keys)):
        out[i] = np.int64(multiply_high(xx_mix(keys[i], seed[0]), np.uint64(slots)))


@jit
def fibonacci_slots(keys: Words, out: Slots, slots: int) -> None:
    """Knuth's multiplicative hashing by the golden ratio; not random, and best of all on keys in arithmetic order."""
    for i in range(len(keys)):
        out[i] = np.int64(multiply_high(keys[i] * GOLDEN, np.uint64(slots)))


@jit
def multiply_shift_slots(keys: Words, out: Slots, slots: int, numbers: Words) -> None:
    """The upper word of ``a * key + b`` over 128 bits, with its lower half of random numbers."""
    for i in range(len(keys)):
        # The product's middle word is the upper part of a 64-bit key times a 128-bit number.
        low = numbers[0] * keys[i] + numbers[2]
        carry = np.uint64(1) if low < numbers[2] else np.uint64(0)
        mixed = multiply_high(numbers[0], keys[i]) + numbers[1] * keys[i] + numbers[3] + carry
        out[i] = np.int64(multiply_high(mixed, np.uint64(slots)))


@jit
def tabulation_slots(keys: Words, out: Slots, slots: int, table: Words) -> None:
    """The exclusive or of a random word for each byte."""
    for i in range(len(keys)):
        mixed = np.uint64(0)
        for byte in range(8):
            mixed ^= table[256 * byte + np.int64((keys[i] >> np.uint64(8 * byte)) & np.uint64(255))]
        out[i] = np.int64(multiply_high(mixed, np.uint64(slots)))


def _random(seed: int, count: int) -> Words:
    return np.random.default_rng(seed).integers(0, 1 << 64, count, np.uint64)


def murmur(seed: int = 0) -> HashFunction:
    """MurmurHash3's 64-bit finaliser (A. Appleby, 2011)."""
    return HashFunction("murmur", murmur_slots, (_random(seed, 1),))


def wide(seed: int = 0) -> HashFunction:
    """The mixing step of wyhash (Wang Yi, 2019)."""
    return HashFunction("wyhash", wide_slots, (_random(seed, 1),))


def xxhash(seed: int = 0) -> HashFunction:
    """XXH64 (Y. Collet, xxHash specification 0.1.1)."""
    return HashFunction("xxhash", xx_slots, (_random(seed, 1),))


def fibonacci(seed: int = 0) -> HashFunction:
    """Fibonacci hashing (D. Knuth, The Art of Computer Programming 3, section 6.4); it has no seed."""
    return HashFunction("fibonacci", fibonacci_slots)


def multiply_shift(seed: int = 0) -> HashFunction:
    """Multiply-shift with a sum: two keys meet as rarely as under a random function (Dietzfelbinger, STACS 1996)."""
    return HashFunction("multiply-shift", multiply_shift_slots, (_random(seed, 4),))


def tabulation(seed: int = 0) -> HashFunction:
    """Simple tabulation (Zobrist, 1970; Pătraşcu and Thorup, JACM 59(3), 2012)."""
    return HashFunction("tabulation", tabulation_slots, (_random(seed, 2048),))


FUNCTIONS: Mapping[str, Callable[[int], HashFunction]] = {
    "murmur": murmur, "xxhash": xxhash, "wyhash": wide, "fibonacci": fibonacci, "multiply-shift": multiply_shift,
    "tabulation": tabulation,
}  # fmt: skip
"""The incumbents by name, each made from a seed."""
