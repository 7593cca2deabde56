"""Bloom filters: the standard one, and one whose bits of a key lie in one cache line.

B. H. Bloom, "Space/time trade-offs in hash coding with allowable errors", CACM 13(7), 1970, with double hashing
(Kirsch and Mitzenmacher, ESA 2006). F. Putze, P. Sanders, J. Singler, "Cache-, hash- and space-efficient Bloom
filters", ACM JEA 14, 2009: blocks of 512 bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import inlined, jit
from unseat.structures.hashing.mixing import multiply_high, murmur_mix
from unseat.structures.prefetch import BLOCK, prefetch

Words = NDArray[np.uint64]
LINE = 512
"""Bits of a cache line."""


@inlined
def spot(hashed: np.uint64, step: np.uint64, k: int, size: int) -> int:
    """The k-th bit of a hash among `size`; the triangular term is the enhanced double hashing of Dillinger and
    Manolios, FMCAD 2004, without which few places are tried twice too often."""
    mixed = hashed + np.uint64(k) * step + np.uint64(k * (k * k - 1) // 6)
    return int(np.int64(multiply_high(mixed, np.uint64(size))))


@inlined
def inner(step: np.uint64, k: int) -> int:
    """The k-th bit within a line: nine bits of the step each, mixed anew after every seven."""
    word = step if k < 7 else murmur_mix(step + np.uint64(k // 7))
    return int(np.int64((word >> np.uint64(9 * (k % 7))) & np.uint64(LINE - 1)))


@jit
def bloom_add(hashes: Words, words: Words, size: int, tests: int) -> None:
    """Set the bits of these hashes."""
    for hashed in hashes:
        step = murmur_mix(hashed)
        for k in range(tests):
            bit = spot(hashed, step, k, size)
            words[bit >> 6] |= np.uint64(1) << np.uint64(bit & 63)


@jit
def bloom_contains(hashes: Words, out: NDArray[np.bool_], words: Words, size: int, tests: int) -> None:
    """out[i] becomes whether all bits of hash i are set."""
    for start in range(0, len(hashes), BLOCK):
        stop = min(start + BLOCK, len(hashes))
        for i in range(start, stop):
            step = np.uint64(murmur_mix(hashes[i]))
            # Half of the non-keys fail at each bit, so only the first ones are worth a fetch for all.
            for k in range(min(tests, 3)):
                prefetch(words, spot(hashes[i], step, k, size) >> 6)
        for i in range(start, stop):
            step, k, found = np.uint64(murmur_mix(hashes[i])), 0, True
            while found and k < tests:
                bit = spot(hashes[i], step, k, size)
                found = (words[bit >> 6] >> np.uint64(bit & 63)) & np.uint64(1) != np.uint64(0)
                k += 1
            out[i] = found


@jit
def blocked_add(hashes: Words, words: Words, size: int, tests: int) -> None:
    """Set the bits of these hashes, all of a hash in one line."""
    lines = size // LINE
    for hashed in hashes:
        line, step = np.int64(multiply_high(hashed, np.uint64(lines))) * LINE, murmur_mix(hashed)
        for k in range(tests):
            bit = line + inner(step, k)
            words[bit >> 6] |= np.uint64(1) << np.uint64(bit & 63)


@jit
def blocked_contains(hashes: Words, out: NDArray[np.bool_], words: Words, size: int, tests: int) -> None:
    """out[i] becomes whether all bits of hash i are set."""
    lines = np.uint64(size // LINE)
    for start in range(0, len(hashes), BLOCK):
        stop = min(start + BLOCK, len(hashes))
        for i in range(start, stop):
            prefetch(words, int(np.int64(multiply_high(hashes[i], lines)) * (LINE >> 6)))
        for i in range(start, stop):
            line, step = np.int64(multiply_high(hashes[i], lines)) * LINE, np.uint64(murmur_mix(hashes[i]))
            k, found = 0, True
            while found and k < tests:
                bit = line + inner(step, k)
                found = (words[bit >> 6] >> np.uint64(bit & 63)) & np.uint64(1) != np.uint64(0)
                k += 1
            out[i] = found


@dataclass(frozen=True, eq=False)
class Bloom:
    """A Bloom filter.

    Attributes:
        words: The bits.
        size: How many bits there are.
        tests: Bits a key.
        blocked: Whether all bits of a key lie in one line.
    """

    words: Words
    size: int
    tests: int
    blocked: bool

    @property
    def nbytes(self) -> int:
        """Bytes of the bits, their number and the number of tests."""
        return self.words.nbytes + 9

    def contains_hashes(self, hashes: Words) -> NDArray[np.bool_]:
        """Whether each hash may be one of the keys'."""
        out = np.empty(len(hashes), np.bool_)
        run = blocked_contains if self.blocked else bloom_contains
        run(hashes, out, self.words, self.size, self.tests)
        return out


def rate(n: int, size: int, tests: int) -> float:
    """False positives of a standard filter of so many bits, to be expected (Bloom 1970)."""
    return float((1 - math.exp(-tests * n / size)) ** tests)


def blocked_rate(n: int, size: int, tests: int) -> float:
    """The same of a blocked one: the mean over the Poisson number of keys in a line (Putze et al. 2009)."""
    mean = n * LINE / size
    if mean > LINE:
        return 1.0  # as good as full, and the weights below would be zero
    rate, weight = 0.0, math.exp(-mean)
    for held in range(1, int(mean + 12 * math.sqrt(mean)) + 20):
        weight *= mean / held
        rate += weight * (1 - (1 - 1 / LINE) ** (tests * held)) ** tests
    return rate


def build(hashes: Words, target: float, *, blocked: bool = False) -> Bloom:
    """The smallest filter whose expected rate of false positives is at most `target`, over all numbers of tests."""
    hashes = np.unique(hashes)
    n, unit, expected = max(len(hashes), 1), LINE if blocked else 64, blocked_rate if blocked else rate
    best = min((_units(n, unit, tests, target, expected), tests) for tests in range(1, 21))
    size, tests = best[0] * unit, best[1]
    words = np.zeros(size // 64, np.uint64)
    (blocked_add if blocked else bloom_add)(hashes, words, size, tests)
    return Bloom(words, size, tests, blocked)


def _units(n: int, unit: int, tests: int, target: float, expected: Callable[[int, int, int], float]) -> int:
    """The fewest units of bits that reach the target with so many tests."""
    low, high = 0, 1
    while expected(n, high * unit, tests) > target:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if expected(n, middle * unit, tests) > target else (low, middle)
    return high
