"""XOR and binary fuse filters, and the layers of them that all filters here but Bloom's are made of.

A key's fingerprint is the exclusive or of the numbers at three or four places of an array. T. M. Graf, D. Lemire, "Xor
Filters: Faster and Smaller Than Bloom and Cuckoo Filters", ACM JEA 25, 2020: three thirds, 1.23 n places. The same,
"Binary Fuse Filters: Fast and Smaller Than Xor Filters", ACM JEA 27, 2022: neighbouring segments of a band, from
1.125 n (three places) and 1.075 n (four) for many keys.

A filter is a stack of *layers*: layer l holds the keys whose level is above l, with a fingerprint of its own width. A
key of level v is looked for in the first v layers, so a non-key of level v passes at a rate of 2 to the minus the sum
of their widths. With one layer and one level that is the published filter. Two layers, between which a bit of the hash
decides, give any rate between two powers of two; levels that a model gives are a learned filter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import inlined, jit
from unseat.structures.filters.bits import add, read, room
from unseat.structures.hashing.mixing import GOLDEN, multiply_high, murmur_mix
from unseat.structures.prefetch import BLOCK, prefetch

Words = NDArray[np.uint64]
Meta = NDArray[np.int32]
"""int32[layers, 7]: first word, width, places a key, segment length, length of the segments a key can begin in, seed,
number of keys."""
FIRST, WIDTH, ARITY, SEGMENT, STARTS, SEED, KEYS = range(7)
TRIES = 100


@dataclass(frozen=True)
class Shape:
    """Where a layer's keys may lie.

    Attributes:
        arity: Places a key: 3 or 4; 0 for the three thirds of an XOR filter.
        segment: Length of a segment; a power of two but in XOR filters.
        starts: Number of places at which a key can begin.
    """

    arity: int
    segment: int
    starts: int

    @property
    def places(self) -> int:
        """Length of the array."""
        return 3 * self.segment if self.arity == 0 else self.starts + (self.arity - 1) * self.segment


def xor_shape(n: int) -> Shape:
    """Three thirds of 1.23 n + 32 places (Graf and Lemire 2020, Algorithm 3)."""
    third = math.ceil((1.23 * n + 32) / 3)
    return Shape(0, third, third)


def fuse_shape(n: int, arity: int, slack: float | None = None) -> Shape:
    """Segment length and size of a binary fuse filter (Graf and Lemire 2022, section 4).

    Args:
        n: Number of keys.
        arity: 3 or 4.
        slack: Places a key; the published function of n if None.
    """
    many = max(n, 2)
    if arity == 3:
        exponent = math.floor(math.log(many) / math.log(3.33) + 2.25)
        published = max(1.125, 0.875 + 0.25 * math.log(1e6) / math.log(many))
    else:
        exponent = math.floor(math.log(many) / math.log(2.91) - 0.5)
        published = max(1.075, 0.77 + 0.305 * math.log(6e5) / math.log(many))
    segment = 1 << min(max(exponent, 2), 18)
    capacity = round(n * (slack or published)) if n > 1 else n
    segments = max(-(-capacity // segment) - (arity - 1), 1)
    return Shape(arity, segment, segments * segment)


@inlined
def places(hashed: np.uint64, meta: Meta, layer: int, k: int) -> int:
    """The k-th place of a hash, counted from the layer's first."""
    segment, starts = np.int64(meta[layer, SEGMENT]), meta[layer, STARTS]
    if meta[layer, ARITY] == 0:
        part = hashed if k == 0 else murmur_mix(hashed + np.uint64(k))
        return int(np.int64(multiply_high(part, np.uint64(segment))) + k * segment)
    first = int(np.int64(multiply_high(hashed, np.uint64(starts))))
    if k == 0:
        return first
    other = murmur_mix(hashed) >> np.uint64(18 * (k - 1))
    return int((first + k * segment) ^ np.int64(other & np.uint64(segment - 1)))


@inlined
def seeded(hashed: np.uint64, meta: Meta, layer: int) -> np.uint64:
    """A key's hash in this layer, so that layers do not fail on the same keys."""
    return murmur_mix(hashed + np.uint64(meta[layer, SEED]) * GOLDEN)


@inlined
def fingerprint(mixed: np.uint64, width: int) -> np.uint64:
    """The low bits, of which the places do not hang."""
    return (mixed ^ (mixed >> np.uint64(32))) & ((np.uint64(1) << np.uint64(width)) - np.uint64(1))


@inlined
def count_of(meta: Meta, layer: int) -> int:
    """Places a key in this layer."""
    return 3 if meta[layer, ARITY] == 0 else int(meta[layer, ARITY])


@jit
def peel(hashes: Words, meta: Meta, layer: int, total: int, order: Words, last: NDArray[np.int64]) -> bool:
    """Find an order in which each key has a place of its own when it is written; whether there is one."""
    counts, sums = np.zeros(total, np.int64), np.zeros(total, np.uint64)
    arity = count_of(meta, layer)
    for i in range(len(hashes)):
        mixed = np.uint64(seeded(hashes[i], meta, layer))
        for k in range(arity):
            place = places(mixed, meta, layer, k)
            counts[place] += 1
            sums[place] ^= mixed
    queue, waiting, done = np.empty(total, np.int64), 0, 0
    for place in range(total):
        if counts[place] == 1:
            queue[waiting] = place
            waiting += 1
    while waiting:
        waiting -= 1
        alone = queue[waiting]
        if counts[alone] != 1:
            continue
        mixed = sums[alone]
        order[done], last[done] = mixed, alone
        done += 1
        for k in range(arity):
            place = places(mixed, meta, layer, k)
            counts[place] -= 1
            sums[place] ^= mixed
            # Each place falls to one key once, so the queue never holds more than there are places.
            if counts[place] == 1:
                queue[waiting] = place
                waiting += 1
    return done == len(hashes)


@jit
def assign(words: Words, meta: Meta, layer: int, order: Words, last: NDArray[np.int64]) -> None:
    """Write the numbers, the key that was peeled last first."""
    width, arity, own = meta[layer, WIDTH], count_of(meta, layer), words[meta[layer, FIRST] :]
    for i in range(len(order) - 1, -1, -1):
        number = fingerprint(order[i], width)
        for k in range(arity):
            # Its own place is still zero.
            number ^= read(own, places(order[i], meta, layer, k), width)
        add(own, last[i], width, number)


@inlined
def passes(hashed: np.uint64, words: Words, meta: Meta, layer: int) -> bool:
    """Whether a layer says that it may hold a hash."""
    if meta[layer, KEYS] == 0:
        return False
    mixed, width, own = seeded(hashed, meta, layer), meta[layer, WIDTH], words[meta[layer, FIRST] :]
    number = fingerprint(mixed, width)
    for k in range(count_of(meta, layer)):
        number ^= read(own, places(mixed, meta, layer, k), width)
    return bool(number == np.uint64(0))


@jit
def contains(hashes: Words, levels: NDArray[np.int64], out: NDArray[np.bool_], words: Words, meta: Meta) -> None:
    """out[i] becomes whether the first levels[i] layers all say that they may hold hash i."""
    for start in range(0, len(hashes), BLOCK):
        stop = min(start + BLOCK, len(hashes))
        for i in range(start, stop):
            if levels[i] > 0 and meta[0, KEYS] > 0:
                mixed = np.uint64(seeded(hashes[i], meta, 0))
                for k in range(count_of(meta, 0)):
                    prefetch(words, int(meta[0, FIRST] + ((places(mixed, meta, 0, k) * meta[0, WIDTH]) >> 6)))
        for i in range(start, stop):
            answer, layer = True, 0
            while answer and layer < levels[i]:
                answer = passes(hashes[i], words, meta, layer)
                layer += 1
            out[i] = answer


@dataclass(frozen=True, eq=False)
class Layers:
    """The stack itself: all layers' words one after the other, and where each begins."""

    words: Words
    meta: Meta

    @property
    def nbytes(self) -> int:
        """Bytes of the words and of what describes the layers."""
        return self.words.nbytes + self.meta.nbytes

    def contains(self, hashes: Words, levels: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether each may be one of the keys; see `contains`."""
        out = np.empty(len(hashes), np.bool_)
        contains(hashes, levels, out, self.words, self.meta)
        return out


def stack(
    hashes: Words, levels: NDArray[np.int64], widths: Sequence[int], arity: int, *, tight: bool = False, seed: int = 0
) -> Layers:
    """Build the layers.

    Args:
        hashes: The keys' hashes, in any order, duplicates allowed; fewer than 2^30.
        levels: How many layers each key is to be found in. Of keys with equal hashes the highest level counts, so
            that each of them is found.
        widths: Bits of a fingerprint in each layer, 1 to 32.
        arity: 3 or 4 for binary fuse, 0 for XOR.
        tight: Look for the smallest array that takes the keys, instead of the published size.
        seed: Of the hash.
    """
    order = np.lexsort((levels, hashes))
    hashes, levels = hashes[order], levels[order]
    final = np.append(hashes[1:] != hashes[:-1], True) if len(hashes) else np.zeros(0, np.bool_)
    hashes, levels = hashes[final], levels[final]
    parts, meta, at = [], np.zeros((len(widths), 7), np.int32), 0
    for layer, width in enumerate(widths):
        own = hashes[levels > layer]
        part, row = _tight(own, width, arity, seed + layer) if tight else _layer(own, width, arity, seed + layer)
        row[FIRST] = at
        meta[layer] = row
        parts.append(part)
        at += len(part)
    return Layers(np.concatenate(parts) if parts else np.zeros(0, np.uint64), meta)


def _layer(
    hashes: Words, width: int, arity: int, seed: int, slack: float | None = None, tries: int = TRIES
) -> tuple[Words, Any]:
    """One layer's words and row.

    Raises:
        ValueError: No seed of so many peels; at the published sizes that does not happen.
    """
    shape = xor_shape(len(hashes)) if arity == 0 else fuse_shape(len(hashes), arity, slack)
    total = shape.places
    order, last = np.empty(len(hashes), np.uint64), np.empty(len(hashes), np.int64)
    for attempt in range(tries):
        mixed_seed = (seed * 0x9E3779B1 + attempt * 0x85EBCA77) % (1 << 31)
        row = np.array([0, width, arity, shape.segment, shape.starts, mixed_seed, len(hashes)], np.int32)
        if len(hashes) == 0:
            return np.zeros(0, np.uint64), row
        if peel(hashes, row.reshape(1, -1), 0, total, order, last):
            words = room(total, width)
            assign(words, row.reshape(1, -1), 0, order, last)
            return words, row
    raise ValueError(f"no seed of {tries} peels {len(hashes)} keys in {total} places")


def _tight(hashes: Words, width: int, arity: int, seed: int) -> tuple[Words, Any]:
    """The smallest of the sizes that a few seeds peel; the published one at the worst."""
    best = _layer(hashes, width, arity, seed)
    if arity == 0 or len(hashes) < 64:
        return best
    shape = fuse_shape(len(hashes), arity)
    slack = shape.places / len(hashes)
    # With a place a key or fewer nothing peels; of few keys even the smallest array has more.
    while slack > 1:
        slack *= 0.99
        smaller = fuse_shape(len(hashes), arity, slack)
        if smaller == shape:
            continue
        shape = smaller
        try:
            found = _layer(hashes, width, arity, seed, slack, tries=5)
        except ValueError:
            return best
        best = found if len(found[0]) < len(best[0]) else best
    return best
