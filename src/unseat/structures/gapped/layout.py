"""How the gapped index lies in memory, and the way from a key to its block.

A *block* is two cache lines: eight codes in ascending order (`EMPTY` behind the last) and their payloads. A *leaf* is a
row of blocks with a linear model that names a key's block exactly: a key is in the block that the model says, or, where
that block is full, in the *spill* block that every `GROUP` blocks share. An *inner node* cuts its range of codes into
2**bits equal slots, so its model is a shift; a leaf spans one or more neighbouring slots.

The tree is a tuple of arrays, which grow by doubling:

- ``blocks`` uint64 [16 a block]
- ``entries`` int64, the slots of all inner nodes. A leaf's number, or below zero an inner node: shift, bits and first
  slot packed (see `pack`). Entry 0 is the root.
- ``leaves`` uint64 [4 a leaf]: the model's base and slope (bits of a float64), the first block, the number of blocks
- ``spans`` int64 [5 a leaf]: its first slot, the one behind its last, shift and level of their node, the next leaf
- ``lows`` uint64 [leaf]: the first code of its first slot, counted from the tree's origin
- ``free`` int64: by length, the first of the freed rows of blocks, each of which holds the next; -1 ends
- ``bounds`` uint64 [2]: the tree's origin, and its last code counted from there; keys outside count as the nearest code
- ``state`` int64: see the constants
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import inlined
from unseat.structures.operations import COUNT as COUNT
from unseat.structures.operations import HAS_LAST as HAS_LAST
from unseat.structures.operations import LAST as LAST
from unseat.structures.slots import whole

Words = NDArray[np.uint64]
Int64 = NDArray[np.int64]
Tree = tuple[Words, Int64, Words, Int64, Words, Int64, Words, Int64]

LEAVES, BLOCKS, SLOTS, LEVELS, MOST, FILL, BUILT, STATUS, HALVINGS = range(3, 12)
"""Of ``state``, after what all have: leaves, blocks and slots in use; levels of inner nodes; the most keys of a leaf;
keys a block is filled with, in 64ths; entries when it was built; why the last batch stopped; how often one leaf may be
halved at the most before all of its keys are laid out."""
FINISHED, FULL, OUTGROWN = range(3)
"""Why a batch stopped: it is through; the arrays are full; the tree is no longer what its keys need."""

BLOCK_WORDS, LEAF_WORDS, SPAN_WORDS = 16, 4, 5
LANES = 8
GROUP_BITS = 4
GROUP = 1 << GROUP_BITS
"""Blocks that share a spill block."""
SLOTS_MOST = 18
"""Bits of the widest inner node."""


@inlined
def pack(first: int, bits: int, shift: int) -> int:
    """The entry of an inner node with 2**bits slots from `first` on, each of 2**shift codes."""
    return (first << 12 | bits << 6 | shift) - 0x7FFFFFFFFFFFFFFF - 1


@inlined
def slot_of(entry: int, place: np.uint64) -> int:
    """The slot of an inner node in which a code, counted from the origin, lies."""
    inner = entry & 0x7FFFFFFFFFFFFFFF
    mask = (1 << ((inner >> 6) & 63)) - 1
    return (inner >> 12) + (whole(place >> np.uint64(inner & 63)) & mask)


@inlined
def place_of(query: np.uint64, bounds: Words) -> np.uint64:
    """A code counted from the tree's origin, brought into its range."""
    place = query - bounds[0] if query > bounds[0] else np.uint64(0)
    return place if place < bounds[1] else bounds[1]


@inlined
def block_of(query: np.uint64, base: np.uint64, slope: float, n: int) -> int:
    """The block, of a leaf's n, that the model gives a code: a subtraction, a product, and cut to the range.

    All three are monotone, so the blocks are in the order of their keys; and it is the same arithmetic everywhere.
    """
    gap = query - base if query > base else np.uint64(0)
    place, top = np.float64(gap) * slope, np.float64(n - 1)
    return whole(place if place < top else top)


@inlined
def with_spills(n: int) -> int:
    """Blocks of a leaf whose model has n: the spill blocks lie behind them."""
    return n + ((n + GROUP - 1) >> GROUP_BITS)


@inlined
def leaf_of(query: np.uint64, entries: Int64, bounds: Words) -> int:
    """The leaf of a code."""
    place = place_of(query, bounds)
    entry = entries[0]
    while entry < 0:
        entry = entries[slot_of(entry, place)]
    return int(entry)


@inlined
def home(query: np.uint64, leaf: int, leaves: Words) -> int:
    """Where the block of a code begins, in words."""
    at = leaf * LEAF_WORDS
    n = whole(leaves[at + 3])
    block = block_of(query, leaves[at], np.uint64(leaves[at + 1]).view(np.float64), n)
    return (whole(leaves[at + 2]) + block) * BLOCK_WORDS


@inlined
def spill(at: int, leaf: int, leaves: Words) -> int:
    """Where the spill block of the block at `at` begins, in words."""
    first, n = whole(leaves[leaf * LEAF_WORDS + 2]), whole(leaves[leaf * LEAF_WORDS + 3])
    block = (at >> 4) - first
    return (first + n + (block >> GROUP_BITS)) * BLOCK_WORDS


def most_blocks(most: int, fill: int) -> int:
    """The most blocks of a leaf, without its spill blocks: filled by a quarter less, and twice widened by a third."""
    return 3 * most * 64 // fill + 8


def most_halvings(most: int, fill: int) -> int:
    """How often a leaf may be halved at the most.

    In each of the 64 halvings of a code there are no more parts with 13 keys or more (fewer always fit) than the keys
    allow, and a leaf has no more keys than places.
    """
    return 64 * (LANES * with_spills(most_blocks(most, fill)) // 13 + 1)


@inlined
def spare(most: int, fill: int, halvings: int) -> tuple[int, int, int]:
    """Leaves, slots and blocks that laying out one leaf anew may take at the most.

    A halving makes a leaf; and at most once in four, an inner node of 2**4 slots (2**6 where a leaf is far too full). A
    leaf takes two blocks, or as many as its keys at the worst fill.
    """
    return halvings + 1, 12 * halvings, 2 * halvings + 24 * (3 * most * 64 // fill + 8) * 64 // fill + 64


def bytes_in_use(tree: Tree) -> int:
    """Bytes of blocks, slots and leaves in use, and of the rest."""
    free, bounds, state = tree[5:]
    leaf = 8 * (LEAF_WORDS + SPAN_WORDS + 1)
    used: Any = 8 * BLOCK_WORDS * state[BLOCKS] + 8 * state[SLOTS] + leaf * state[LEAVES]
    return int(used) + free.nbytes + bounds.nbytes + state.nbytes
