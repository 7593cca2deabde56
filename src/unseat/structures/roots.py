"""The root of a two-layer model: a monotone map of keys to leaves, and what all builders share.

It is a linear spline of the keys' distribution on segments of equal width, in fixed-point arithmetic on integers:
monotone by construction and the same in every compilation, so that the range of the array that a leaf owns is a fact
and no estimate. With two segments it is about a linear root, with many about a radix table; equal widths on a
logarithmic scale make it a log-linear one. (Kraska et al., SIGMOD 2018; Maltry and Dittrich, PVLDB 2022, find simple
roots with many leaves best.)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import inlined, jit
from unseat.structures.codes import code, codes
from unseat.structures.prefetch import prefetch

Words = NDArray[np.uint64]
U = np.uint64

FIRST, SPAN, LEFT, LOG, BITS = range(5)
"""Places in a root's `shape`: first code, last code minus first, normalising shift, logarithmic or not, and log2 of the
number of segments."""
UNITS = 256
"""A root's table gives positions in fractions of a leaf."""
MOST_LEAVES = (1 << 24) - 1
_ONE = np.float64(1.0).view(np.uint64)
"""The bits of 1.0, to which those of larger doubles add about their logarithm."""


def as_codes(keys: NDArray[Any]) -> Words:
    """The keys' codes; the keys themselves where they are their own."""
    return keys if keys.dtype == np.uint64 else codes(keys)


@inlined
def linear(key: np.uint64, first: np.uint64, span: np.uint64, left: np.uint64) -> Any:
    """`spread` where widths are equal."""
    return min(max(key, first) - first, span) << left


@inlined
def logarithmic(key: np.uint64, first: np.uint64, span: np.uint64, left: np.uint64) -> Any:
    """`spread` where widths are about equal in the logarithm of the distance from the first key."""
    offset = np.float64(min(max(key, first) - first, span))
    return (np.float64(offset + 1.0).view(np.uint64) - _ONE) << left


@inlined
def spread(key: np.uint64, shape: Words) -> Any:
    """A code's place in the keys' range, from 0 to 2**64 - 1; beyond the ends, the ends."""
    if shape[LOG]:
        return logarithmic(key, shape[FIRST], shape[SPAN], shape[LEFT])
    return linear(key, shape[FIRST], shape[SPAN], shape[LEFT])


@inlined
def split(place: np.uint64, table: NDArray[np.uint32], bits: np.uint64) -> Any:
    """`send`, of a root of so many segments."""
    segment = place >> (U(64) - bits)
    rest = (place << bits) >> U(32)
    here, there = U(table[segment]), U(table[segment + U(1)])
    return (here << U(32)) + rest * (there - here)


@inlined
def send(place: np.uint64, table: NDArray[np.uint32], shape: Words) -> Any:
    """The leaf in the upper 24 bits and the place within it in the 40 below."""
    return split(place, table, shape[BITS])


@inlined
def send_block(
    queries: NDArray[Any],
    first: int,
    length: int,
    shape: Words,
    table: NDArray[np.uint32],
    leaves: Words,
    words: int,
    place: Words,
) -> None:
    """Send a block of queries, and ask for their leaves, of 2 to the power of `words` words each.

    What `shape` holds is read once: the compiler cannot know that writing a place leaves it as it is.
    """
    low, span, left, bits = shape[FIRST], shape[SPAN], shape[LEFT], shape[BITS]
    if shape[LOG]:
        for j in range(length):
            place[j] = logarithmic(code(queries[first + j]), low, span, left)
    else:
        for j in range(length):
            place[j] = linear(code(queries[first + j]), low, span, left)
    for j in range(length):
        there = split(place[j], table, bits)
        place[j] = there
        prefetch(leaves, int(there >> U(40)) << words)


def root_shape(keys: Words, by_logarithm: bool, bits: int) -> Words:
    """What `spread` needs to map the range of sorted codes to 64 bits."""
    span = int(keys[-1]) - int(keys[0])
    top = int(np.float64(np.float64(span) + 1.0).view(np.uint64) - _ONE) if by_logarithm else span
    return np.array([keys[0], span, 64 - max(top.bit_length(), 1), by_logarithm, bits], np.uint64)


@jit
def segment_ends(keys: Words, shape: Words) -> NDArray[np.int64]:
    """For each of the root's segments the number of keys before it, and at the end all; by galloping."""
    size, segments = len(keys), 1 << np.int64(shape[BITS])
    out = np.empty(segments + 1, np.int64)
    low = 0
    for segment in range(segments):
        start = U(segment) << (U(64) - shape[BITS])
        step = 1
        while low + step <= size and spread(keys[low + step - 1], shape) < start:
            low += step
            step *= 2
        length = min(step - 1, size - low)
        while length > 0:
            half = length >> 1
            right = spread(keys[low + half], shape) < start
            low = low + half + 1 if right else low
            length = length - half - 1 if right else half
        out[segment] = low
    out[segments] = size
    return out


def root_table(before: NDArray[np.int64], leaves: int) -> NDArray[np.uint32]:
    """Give every segment its share of the leaves: the spline through the keys' distribution at the segments' ends."""
    shares: NDArray[np.float64] = np.rint(before * (leaves * UNITS / before[-1]))
    return np.minimum(shares, leaves * UNITS - 1).astype(np.uint32)
