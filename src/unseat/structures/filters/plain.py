"""Filters that know nothing of the keys but a hash, each made for a rate of false positives."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from unseat.structures.filters import bloom
from unseat.structures.filters.fuse import Layers, stack
from unseat.structures.filters.strings import Strings

Words = NDArray[np.uint64]


class Filter(Protocol):
    """Answers whether a string may be one of the keys."""

    @property
    def nbytes(self) -> int:
        """Bytes of all that a lookup reads."""
        ...

    def contains(self, strings: Strings) -> NDArray[np.bool_]:
        """Whether each string may be one of the keys; always True for a key."""
        ...


@dataclass(frozen=True, eq=False)
class FuseFilter:
    """An XOR or binary fuse filter with fingerprints of any width, whole or not.

    Attributes:
        layers: One layer, or two of which the second holds a share of the keys.
        share: The share of all possible hashes for which the second layer counts.
    """

    layers: Layers
    share: float

    @property
    def nbytes(self) -> int:
        """Bytes of the layers and of the share."""
        return self.layers.nbytes + 4

    def contains_hashes(self, hashes: Words) -> NDArray[np.bool_]:
        """Whether each hash may be one of the keys'."""
        return self.layers.contains(hashes, _levels(hashes, self.share))

    def contains(self, strings: Strings) -> NDArray[np.bool_]:
        """Whether each string may be one of the keys."""
        return self.contains_hashes(strings.hashes())


@dataclass(frozen=True, eq=False)
class BloomFilter:
    """A standard or a blocked Bloom filter."""

    bits: bloom.Bloom

    @property
    def nbytes(self) -> int:
        """Bytes of the filter."""
        return self.bits.nbytes

    def contains_hashes(self, hashes: Words) -> NDArray[np.bool_]:
        """Whether each hash may be one of the keys'."""
        return self.bits.contains_hashes(hashes)

    def contains(self, strings: Strings) -> NDArray[np.bool_]:
        """Whether each string may be one of the keys."""
        return self.contains_hashes(strings.hashes())


def _levels(hashes: Words, share: float) -> NDArray[np.int64]:
    """2 where the second layer counts: by the hash's low bits, so a key is always treated alike."""
    if share <= 0:
        return np.ones(len(hashes), np.int64)
    cut = np.uint64(math.ceil(share * (1 << 32)))
    return np.where((hashes & np.uint64(0xFFFFFFFF)) < cut, 2, 1)


def fuse(
    hashes: Words, target: float, *, arity: int = 4, exact: bool = True, tight: bool = False, seed: int = 0
) -> FuseFilter:
    """A filter that takes a non-key for a key at this rate.

    Args:
        hashes: The keys' hashes.
        target: The rate.
        arity: 3 or 4 for binary fuse, 0 for XOR.
        exact: Reach the rate itself, by one more bit of fingerprint for a share of the keys; else the next power of
            two below it.
        tight: Look for the smallest array that takes the keys.
        seed: Of the hash.
    """
    wanted = -math.log2(target)
    width = math.ceil(wanted - 1e-9)
    # With one bit less for all but a share, the rate is 2^-(width - 1) (1 - share / 2).
    share = 2 * (1 - target * 2.0 ** (width - 1))
    if not exact or share > 1 - 1e-9 or width < 2:
        return FuseFilter(stack(hashes, np.ones(len(hashes), np.int64), (width,), arity, tight=tight, seed=seed), 0.0)
    return FuseFilter(stack(hashes, _levels(hashes, share), (width - 1, 1), arity, tight=tight, seed=seed), share)


def smallest_fuse(hashes: Words, target: float, *, seed: int = 0) -> FuseFilter:
    """The smallest of them all: three or four places, either kind of rate, the published array or a tighter one."""
    made = [
        fuse(hashes, target, arity=arity, exact=exact, tight=True, seed=seed)
        for arity in (3, 4)
        for exact in (False, True)
    ]
    return min(made, key=lambda one: one.nbytes)


def standard_bloom(hashes: Words, target: float, *, blocked: bool = False) -> BloomFilter:
    """A Bloom filter of the best number of tests for this rate."""
    return BloomFilter(bloom.build(hashes, target, blocked=blocked))
