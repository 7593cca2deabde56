"""Fitting leaves to their keys: models, expansion, splits."""

from __future__ import annotations

import numpy as np

from unseat.core.jit import inlined, jit
from unseat.structures.gapped.layout import (
    BLOCK_WORDS,
    BLOCKS,
    FILL,
    GROUP_BITS,
    LANES,
    LEAF_WORDS,
    LEAVES,
    LEVELS,
    MOST,
    SLOTS,
    SLOTS_MOST,
    SPAN_WORDS,
    Tree,
    Words,
    block_of,
    pack,
    with_spills,
)
from unseat.structures.slots import EMPTY, whole

SMALL = 12
"""Keys that one block and its spill block take however they lie, with room for more."""
CROWDED = 5
"""The most keys of a spill block when a leaf is laid out."""
TRIES = 3
"""How often a leaf is widened by a third before it is split."""
DEEPEST = 256
"""Leaves that wait to be laid out at once: no more than there are halvings of a code's range."""


@inlined
def unpack(
    blocks: Words, leaves: Words, leaf: int, block: int, keys: Words, values: Words, start: int
) -> int:  # fmt: skip
    """Write one block's entries, with those it spilled, in order from ``keys[start]`` on; returns how many."""
    first, n = whole(leaves[leaf * LEAF_WORDS + 2]), whole(leaves[leaf * LEAF_WORDS + 3])
    at = (first + block) * BLOCK_WORDS
    count = 0
    while count < LANES and blocks[at + count] != EMPTY:
        keys[start + count], values[start + count] = blocks[at + count], blocks[at + LANES + count]
        count += 1
    if count < LANES:
        return count
    base, slope = leaves[leaf * LEAF_WORDS], np.uint64(leaves[leaf * LEAF_WORDS + 1]).view(np.float64)
    spilled = (first + n + (block >> GROUP_BITS)) * BLOCK_WORDS
    for lane in range(LANES):
        key = blocks[spilled + lane]
        if key != EMPTY and block_of(key, base, slope, n) == block:
            put(keys, values, start, start + count, key, blocks[spilled + LANES + lane])
            count += 1
    return count


@inlined
def put(keys: Words, values: Words, start: int, stop: int, key: np.uint64, value: np.uint64) -> None:
    """Insert into the sorted run from `start` to `stop`, which becomes one longer."""
    place = stop
    while place > start and keys[place - 1] > key:
        keys[place], values[place] = keys[place - 1], values[place - 1]
        place -= 1
    keys[place], values[place] = key, value


@jit
def gather(tree: Tree, leaf: int, keys: Words, values: Words) -> int:
    """Write all entries of a leaf in order; returns how many."""
    blocks, leaves, count = tree[0], tree[2], 0
    for block in range(whole(leaves[leaf * LEAF_WORDS + 3])):
        count += unpack(blocks, leaves, leaf, block, keys, values, count)
    return count


@jit
def spreads(keys: Words, a: int, b: int, base: np.uint64, slope: float, n: int) -> bool:
    """Whether a model puts keys a to b into n blocks so that no spill block is crowded."""
    block, load, spilled = -1, 0, 0
    for i in range(a, b):
        own = block_of(keys[i], base, slope, n)
        if own == block:
            load += 1
            if load > LANES:
                spilled += 1
                if spilled > CROWDED:
                    return False
        else:
            if own >> GROUP_BITS != block >> GROUP_BITS:
                spilled = 0
            block, load = own, 1
    return True


@jit
def least_squares(keys: Words, a: int, b: int, n: int) -> tuple[np.uint64, float]:
    """Base and slope of the line of least squares through rank over key, scaled to n blocks."""
    count, first = b - a, keys[a]
    middle, mean = (count - 1) / 2, 0.0
    for i in range(a, b):
        mean += np.float64(keys[i] - first)
    mean /= count
    above, below = 0.0, 0.0
    for i in range(a, b):
        gap = np.float64(keys[i] - first) - mean
        above += gap * ((i - a) - middle)
        below += gap * gap
    slope = above / below
    # The key at which the line is half a rank below the first: that is where block 0 begins.
    offset = mean - (middle + 0.5) / slope
    if offset >= 0:
        base = first + np.uint64(offset)
    else:
        base = first - min(first, np.uint64(min(-offset, 9e18)))
    return base, slope * n / count


@jit
def fit(keys: Words, a: int, b: int, most: int, fill: float) -> tuple[int, np.uint64, float]:
    """The model of a leaf with keys a to b: blocks, base, slope; 0 blocks where it must be split.

    The line through the first and the last key, or else that of least squares, in as few blocks as hold the keys.
    """
    count = b - a
    if count <= SMALL:
        return 1, np.uint64(0), 0.0
    if count > most:
        return 0, np.uint64(0), 0.0
    n = whole(count / fill) + 1
    for _ in range(TRIES):
        base, slope = keys[a], n * (1 - 1 / count) / float(keys[b - 1] - keys[a])
        if spreads(keys, a, b, base, slope, n):
            return n, base, slope
        base, slope = least_squares(keys, a, b, n)
        if spreads(keys, a, b, base, slope, n):
            return n, base, slope
        n += n // 3 + 1
    return 0, np.uint64(0), 0.0


@jit
def allocate(tree: Tree, length: int) -> int:
    """A row of blocks; -1 where the array has no room."""
    blocks, _, _, _, _, free, _, state = tree
    first = free[length]
    if first >= 0:
        free[length] = whole(blocks[first * BLOCK_WORDS])
        return int(first)
    first = state[BLOCKS]
    if (first + length) * BLOCK_WORDS > len(blocks):
        return -1
    state[BLOCKS] += length
    return int(first)


@jit
def release(tree: Tree, leaf: int) -> None:
    """Give back a leaf's blocks."""
    blocks, leaves, free = tree[0], tree[2], tree[5]
    first, n = whole(leaves[leaf * LEAF_WORDS + 2]), whole(leaves[leaf * LEAF_WORDS + 3])
    length = with_spills(n)
    blocks[first * BLOCK_WORDS] = np.uint64(free[length])
    free[length] = first


@jit
def lay_out(
    tree: Tree, keys: Words, values: Words, leaf: int, a: int, b: int, n: int, base: np.uint64, slope: float, first: int
) -> None:  # fmt: skip
    """Write entries a to b into the blocks from `first` on, and the leaf's model."""
    blocks, leaves = tree[0], tree[2]
    at = leaf * LEAF_WORDS
    leaves[at], leaves[at + 1] = base, np.float64(slope).view(np.uint64)
    leaves[at + 2], leaves[at + 3] = np.uint64(first), np.uint64(n)
    for block in range(first, first + with_spills(n)):
        blocks[block * BLOCK_WORDS : block * BLOCK_WORDS + LANES] = EMPTY
        blocks[block * BLOCK_WORDS + LANES : block * BLOCK_WORDS + 2 * LANES] = np.uint64(0)
    block, load, spilled = -1, 0, 0
    for i in range(a, b):
        own = block_of(keys[i], base, slope, n)
        if own != block:
            if own >> GROUP_BITS != block >> GROUP_BITS:
                spilled = 0
            block, load = own, 0
        target = (first + own) * BLOCK_WORDS + load
        if load < LANES:
            load += 1
        else:
            target = (first + n + (own >> GROUP_BITS)) * BLOCK_WORDS + spilled
            spilled += 1
        blocks[target], blocks[target + LANES] = keys[i], values[i]


@jit
def halve(tree: Tree, keys: Words, leaf: int, a: int, b: int) -> tuple[int, int]:
    """Give the upper half of a leaf's slots to a new leaf.

    Where the leaf has one slot only, an inner node takes the slot's place first. Returns the new leaf (-1 where the
    arrays have no room) and which of the keys a to b is the first of its own.
    """
    _, entries, leaves, spans, lows, _, bounds, state = tree
    at, right = leaf * SPAN_WORDS, state[LEAVES]
    if right == len(lows):
        return -1, 0
    if spans[at + 1] - spans[at] == 1:
        bits = 4
        while bits < SLOTS_MOST and (b - a) >> bits > state[MOST] >> 1:
            bits += 1
        bits, first = min(bits, spans[at + 2]), state[SLOTS]
        if first + (1 << bits) > len(entries):
            return -1, 0
        state[SLOTS] += 1 << bits
        entries[first : first + (1 << bits)] = leaf
        shift, level = spans[at + 2] - bits, spans[at + 3] + 1
        entries[spans[at]] = pack(first, bits, shift)
        spans[at], spans[at + 1], spans[at + 2], spans[at + 3] = first, first + (1 << bits), shift, level
        state[LEVELS] = max(state[LEVELS], level)
    state[LEAVES] += 1
    start, stop, shift = spans[at], spans[at + 1], spans[at + 2]
    middle, after = (start + stop) >> 1, right * SPAN_WORDS
    entries[middle:stop] = right
    lows[right] = lows[leaf] + (np.uint64(middle - start) << np.uint64(shift))
    spans[after], spans[after + 1], spans[after + 2], spans[after + 3] = middle, stop, shift, spans[at + 3]
    spans[after + 4], spans[at + 4], spans[at + 1] = spans[at + 4], right, middle
    border = bounds[0] + lows[right]
    while a < b:
        half = (a + b) >> 1
        if keys[half] < border:
            a = half + 1
        else:
            b = half
    return right, a


@jit
def settle(tree: Tree, keys: Words, values: Words, leaf: int, a: int, b: int) -> bool:
    """Lay out a leaf that holds entries a to b and has no blocks yet, split as often as it takes.

    With one leaf over the whole range this is bulk loading. Returns False where the arrays have no room.
    """
    state = tree[7]
    waiting = np.empty((DEEPEST, 3), np.int64)
    waiting[0, 0], waiting[0, 1], waiting[0, 2] = leaf, a, b
    top = 1
    while top:
        top -= 1
        leaf, a, b = waiting[top, 0], waiting[top, 1], waiting[top, 2]
        n, base, slope = fit(keys, a, b, state[MOST], state[FILL] / 64)
        if n:
            first = allocate(tree, with_spills(n))
            if first < 0:
                return False
            lay_out(tree, keys, values, leaf, a, b, n, base, slope, first)
            continue
        right, middle = halve(tree, keys, leaf, a, b)
        if right < 0:
            return False
        waiting[top, 0], waiting[top, 1], waiting[top, 2] = right, middle, b
        waiting[top + 1, 0], waiting[top + 1, 1], waiting[top + 1, 2] = leaf, a, middle
        top += 2
    return True
