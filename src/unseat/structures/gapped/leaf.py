"""Fitting leaves to their keys: models, expansion, splits."""

from __future__ import annotations

import numpy as np

from unseat.core.jit import inlined, jit
from unseat.structures.gapped.layout import (
    BLOCK_WORDS,
    BLOCKS,
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
    place_of,
    with_spills,
)
from unseat.structures.lanes import count_less
from unseat.structures.slots import EMPTY, clear, whole

SMALL = 12
"""Keys that one block and its spill block take however they lie, with room for more."""
CROWDED = 5
"""The most keys of a spill block when a leaf is laid out."""
TRIES = 2
"""Widths that a leaf is tried in, each a third wider than the one before, until it is split."""
DEEPEST = 256
"""Leaves that wait to be laid out at once: no more than there are halvings of a code's range."""


@inlined
def unpack(
    blocks: Words, leaves: Words, leaf: int, block: int, keys: Words, values: Words, start: int
) -> int:  # fmt: skip
    """Write one block's entries, with those it spilled, in order from ``keys[start]`` on; returns how many.

    There must be room for eight, however few they are: all lanes are copied, which needs no branch.
    """
    first, n = whole(leaves[leaf * LEAF_WORDS + 2]), whole(leaves[leaf * LEAF_WORDS + 3])
    at = (first + block) * BLOCK_WORDS
    for lane in range(LANES):
        keys[start + lane] = blocks[at + lane]
    for lane in range(LANES):
        values[start + lane] = blocks[at + LANES + lane]
    count = count_less(blocks, at, EMPTY)
    if count < LANES:
        return count
    base, slope = leaves[leaf * LEAF_WORDS], np.uint64(leaves[leaf * LEAF_WORDS + 1]).view(np.float64)
    spilled = (first + n + (block >> GROUP_BITS)) * BLOCK_WORDS
    # The spill block is in order, and so are blocks: what this block spilled lies next to where its own keys would be.
    lane = count_less(blocks, spilled, blocks[at])
    while lane > 0 and block_of(blocks[spilled + lane - 1], base, slope, n) == block:
        lane -= 1
    while (
        lane < LANES and blocks[spilled + lane] != EMPTY and block_of(blocks[spilled + lane], base, slope, n) == block
    ):
        put(keys, values, start, start + count, blocks[spilled + lane], blocks[spilled + LANES + lane])
        count += 1
        lane += 1
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


@inlined
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


@inlined
def release(tree: Tree, first: int, length: int) -> None:
    """Give back a row of blocks."""
    blocks, free = tree[0], tree[5]
    blocks[first * BLOCK_WORDS] = np.uint64(free[length])
    free[length] = first


@jit
def lay_out(
    blocks: Words, keys: Words, values: Words, a: int, b: int, first: int, base: np.uint64, slope: float, n: int
) -> bool:  # fmt: skip
    """Write entries a to b into the n blocks from `first` on; False where a spill block would be crowded."""
    for block in range(first, first + with_spills(n)):
        clear(blocks, block * BLOCK_WORDS, LANES)
    block, load, spilled = 0, -1, 0
    for i in range(a, b):
        own = block_of(keys[i], base, slope, n)
        # One more, or the first of another block, without a branch.
        load = (load + 1) * (own == block)
        if own >> GROUP_BITS != block >> GROUP_BITS:
            spilled = 0
        block = own
        target = (first + own) * BLOCK_WORDS + load
        if load >= LANES:
            if spilled == CROWDED:
                return False
            target = (first + n + (own >> GROUP_BITS)) * BLOCK_WORDS + spilled
            spilled += 1
        blocks[target], blocks[target + LANES] = keys[i], values[i]
    return True


@jit
def fit(tree: Tree, keys: Words, values: Words, leaf: int, a: int, b: int, fill: int) -> int:
    """Give a leaf a row of blocks with entries a to b, and the model: 1; 0 where it must be split, -1 where no room is.

    The line through the first and the last key, or else that of least squares, in as few blocks as hold the keys. What
    the leaf had before is neither read nor given back.
    """
    blocks, leaves, state = tree[0], tree[2], tree[7]
    count = b - a
    if count > state[MOST]:
        return 0
    n = 1 if count <= SMALL else count * 64 // fill + 1
    base, slope = np.uint64(0), 0.0
    for turn in range(2 * TRIES):
        length = with_spills(n)
        first = allocate(tree, length)
        if first < 0:
            return -1
        if count > SMALL:
            if turn & 1:
                base, slope = least_squares(keys, a, b, n)
            else:
                base, slope = keys[a], n * (1 - 1 / count) / float(keys[b - 1] - keys[a])
        if lay_out(blocks, keys, values, a, b, first, base, slope, n):
            at = leaf * LEAF_WORDS
            leaves[at], leaves[at + 1] = base, np.float64(slope).view(np.uint64)
            leaves[at + 2], leaves[at + 3] = np.uint64(first), np.uint64(n)
            return 1
        release(tree, first, length)
        n += (n // 3 + 1) * (turn & 1)
    return 0


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
    while a < b:
        half = (a + b) >> 1
        # Counted from the origin: the border itself may lie behind the greatest code.
        if place_of(keys[half], bounds) < lows[right]:
            a = half + 1
        else:
            b = half
    return right, a


@jit
def settle(tree: Tree, keys: Words, values: Words, leaf: int, a: int, b: int, fill: int) -> bool:
    """Lay out a leaf that holds entries a to b and has no blocks yet, split as often as it takes.

    With one leaf over the whole range this is bulk loading. Returns False where the arrays have no room.
    """
    waiting = np.empty((DEEPEST, 3), np.int64)
    waiting[0, 0], waiting[0, 1], waiting[0, 2] = leaf, a, b
    top = 1
    while top:
        top -= 1
        leaf, a, b = waiting[top, 0], waiting[top, 1], waiting[top, 2]
        fitted = fit(tree, keys, values, leaf, a, b, fill)
        if fitted == 1:
            continue
        right, middle = halve(tree, keys, leaf, a, b) if fitted == 0 else (-1, 0)
        if right < 0:
            return False
        waiting[top, 0], waiting[top, 1], waiting[top, 2] = right, middle, b
        waiting[top + 1, 0], waiting[top + 1, 1], waiting[top + 1, 2] = leaf, a, middle
        top += 2
    return True
