"""Operations on the gapped index, in batches."""

from __future__ import annotations

import numpy as np

from unseat.core.jit import inlined, jit
from unseat.structures.gapped.layout import (
    BLOCK_WORDS,
    BLOCKS,
    BUILT,
    COUNT,
    FILL,
    FINISHED,
    FULL,
    HALVINGS,
    HAS_LAST,
    LANES,
    LAST,
    LEAF_WORDS,
    LEAVES,
    MOST,
    OUTGROWN,
    SLOTS,
    SPAN_WORDS,
    STATUS,
    Int64,
    Tree,
    Words,
    home,
    leaf_of,
    place_of,
    slot_of,
    spare,
    spill,
    with_spills,
)
from unseat.structures.gapped.leaf import fit, gather, put, release, settle, unpack
from unseat.structures.lanes import count_less
from unseat.structures.operations import ADD, INSERT, READ, SCAN, UPDATE, Flags, Ops, apply_to_last
from unseat.structures.prefetch import BLOCK, prefetch
from unseat.structures.slots import EMPTY, find_lane, insert_lane, remove_lane, whole

AHEAD = 8
"""Blocks that a scan asks for before it needs them."""
REFILL = 3
"""Fill of a leaf that is laid out anew, in quarters of what it is when it is loaded."""
REBUILT_AT = 1000
"""Entries from which on the tree is built anew once they are `GROWTH` times as many, or a quarter."""
GROWTH = 16
"""Growth adds an inner level for about every 16 times; building anew makes one wide node of them again."""


@inlined
def ask_for(tree: Tree, words: Words, start: int, size: int, leaf: Int64, where: Int64, pending: Int64) -> None:
    """Find the leaf and the block of each of a few operations, all on their way from memory at once."""
    blocks, entries, leaves, _, _, _, bounds, _ = tree
    for j in range(size):
        leaf[j], pending[j] = entries[0], j
    left = size if entries[0] < 0 else 0
    while left:
        for k in range(left):
            j = pending[k]
            where[j] = slot_of(leaf[j], place_of(words[start + j], bounds))
            prefetch(entries, where[j])
        still = 0
        for k in range(left):
            # Those that have not reached a leaf are kept without a branch, as nobody can guess which.
            j = pending[k]
            leaf[j], pending[still] = entries[where[j]], j
            still += leaf[j] < 0
        left = still
    for j in range(size):
        prefetch(leaves, leaf[j] * LEAF_WORDS)
    for j in range(size):
        where[j] = home(words[start + j], leaf[j], leaves)
        prefetch(blocks, where[j])
        prefetch(blocks, where[j] + LANES)
    for j in range(size):
        # A key that is not in a full block may be in its spill block, and whatever is taken out of the one is made up
        # for from the other.
        at = where[j]
        prefetch(blocks, spill(at, leaf[j], leaves) if blocks[at + LANES - 1] != EMPTY else at)


@inlined
def find(blocks: Words, leaves: Words, query: np.uint64, leaf: int, at: int) -> int:
    """Where the word of a code is, in its block or among those the block spilled; -1 where it is not there."""
    lane = find_lane(blocks, at, query)
    if lane < LANES:
        return at + lane
    if blocks[at + LANES - 1] == EMPTY:
        return -1
    at = spill(at, leaf, leaves)
    lane = find_lane(blocks, at, query)
    return at + lane if lane < LANES else -1


@inlined
def add_entry(blocks: Words, leaves: Words, query: np.uint64, value: np.uint64, leaf: int, at: int) -> bool:
    """Put a new entry into its block or its spill block; False where both are full."""
    if blocks[at + LANES - 1] != EMPTY:
        at = spill(at, leaf, leaves)
        if blocks[at + LANES - 1] != EMPTY:
            return False
    lane = count_less(blocks, at, query)
    insert_lane(blocks, at, lane, query)
    insert_lane(blocks, at + LANES, lane, value)
    return True


@jit
def refit(tree: Tree, leaf: int, query: np.uint64, value: np.uint64, adds: bool) -> bool:
    """Lay out a leaf anew, with one entry more if `adds`; False (and nothing is changed) where the tree is outgrown.

    That is where a leaf must be split because of keys outside the tree's range, which no split can tell apart.
    """
    leaves, bounds, state = tree[2], tree[6], tree[7]
    # A leaf that has grown will grow on: what is laid out anew gets more room than what is loaded.
    fill = max(state[FILL] * REFILL // 4, 64)
    first, length = whole(leaves[leaf * LEAF_WORDS + 2]), with_spills(whole(leaves[leaf * LEAF_WORDS + 3]))
    keys, values = np.empty((length + 1) * LANES, np.uint64), np.empty((length + 1) * LANES, np.uint64)
    count = gather(tree, leaf, keys, values)
    if adds:
        put(keys, values, 0, count, query, value)
        count += 1
    if fit(tree, keys, values, leaf, 0, count, fill) == 0:
        if keys[0] < bounds[0] or keys[count - 1] - bounds[0] > bounds[1]:
            return False
        if not settle(tree, keys, values, leaf, 0, count, fill):
            raise MemoryError("a leaf took more room than any leaf can; the index is damaged")
    release(tree, first, length)
    return True


@inlined
def has_room(tree: Tree) -> bool:
    """Whether the arrays have room for whatever one insert may need."""
    blocks, entries, _, _, lows, _, _, state = tree
    more_leaves, more_slots, more_blocks = spare(state[MOST], state[FILL], state[HALVINGS])
    return bool(
        (state[BLOCKS] + more_blocks) * BLOCK_WORDS <= len(blocks)
        and state[SLOTS] + more_slots <= len(entries)
        and state[LEAVES] + more_leaves <= len(lows)
    )


@jit
def insert_refit(tree: Tree, query: np.uint64, value: np.uint64, leaf: int) -> bool:
    """Insert into a leaf whose block and spill block are full; False where the batch must stop (``state[STATUS]``)."""
    state = tree[7]
    if not has_room(tree):
        state[STATUS] = FULL
        return False
    outgrown = state[COUNT] > GROWTH * max(state[BUILT], REBUILT_AT)
    if outgrown or not refit(tree, leaf, query, value, True):
        state[STATUS] = OUTGROWN
        return False
    return True


@inlined
def take_out(blocks: Words, leaves: Words, leaf: int, at: int, found: int) -> bool:
    """Remove the word at `found`; True where so few are left around it that the leaf may be sparse.

    Four empty blocks in a row are rare before it is; only then are all of its keys counted. (That is done elsewhere: a
    call from here would cost every delete the counting of references.)
    """
    here = found & ~(BLOCK_WORDS - 1)
    was_full = here == at and blocks[at + LANES - 1] != EMPTY
    lane = found - here
    remove_lane(blocks, here, lane, EMPTY)
    remove_lane(blocks, here + LANES, lane, np.uint64(0))
    if was_full:
        _fetch_spilled(blocks, leaves, leaf, at)
    if blocks[at] != EMPTY:
        return False
    first, n = whole(leaves[leaf * LEAF_WORDS + 2]), whole(leaves[leaf * LEAF_WORDS + 3])
    around = ((at >> 4) - first) & ~3
    for block in range(around, min(around + 4, n)):
        if blocks[(first + block) * BLOCK_WORDS] != EMPTY:
            return False
    return n > 1


@jit
def shrink(tree: Tree, leaf: int) -> bool:
    """Lay a leaf out anew if it has no more keys than blocks; whether it has been."""
    blocks, leaves = tree[0], tree[2]
    first, n, left = whole(leaves[leaf * LEAF_WORDS + 2]), whole(leaves[leaf * LEAF_WORDS + 3]), 0
    for block in range(n):
        left += count_less(blocks, (first + block) * BLOCK_WORDS, EMPTY)
    return bool(left <= n and refit(tree, leaf, np.uint64(0), np.uint64(0), False))


@inlined
def _fetch_spilled(blocks: Words, leaves: Words, leaf: int, at: int) -> None:
    """Bring back one of the entries that a block spilled, as it has room for it now."""
    spilled = spill(at, leaf, leaves)
    # The spill block is in order, and so are blocks: what this block spilled lies next to where its own keys would be.
    behind = count_less(blocks, spilled, blocks[at])
    for lane in range(max(behind - 1, 0), min(behind + 1, LANES)):
        key = blocks[spilled + lane]
        if key != EMPTY and home(key, leaf, leaves) == at:
            value = blocks[spilled + LANES + lane]
            remove_lane(blocks, spilled, lane, EMPTY)
            remove_lane(blocks, spilled + LANES, lane, np.uint64(0))
            place = count_less(blocks, at, key)
            insert_lane(blocks, at, place, key)
            insert_lane(blocks, at + LANES, place, value)
            return


@inlined
def line_sum(words: Words, at: int) -> np.uint64:
    """The sum of a line."""
    low = (words[at] + words[at + 1]) + (words[at + 2] + words[at + 3])
    high = (words[at + 4] + words[at + 5]) + (words[at + 6] + words[at + 7])
    return np.uint64(low + high)


@inlined
def scan(tree: Tree, query: np.uint64, leaf: int, limit: int, keys: Words, values: Words) -> tuple[int, int]:
    """Sum of the payloads of the first `limit` entries from a code on, and how many there were.

    `keys` and `values` are room for what one block and its spill block hold.
    """
    blocks, leaves, spans, state = tree[0], tree[2], tree[3], tree[7]
    block = (home(query, leaf, leaves) >> 4) - whole(leaves[leaf * LEAF_WORDS + 2])
    total, left = np.uint64(0), limit
    while leaf >= 0:
        first, n = whole(leaves[leaf * LEAF_WORDS + 2]), whole(leaves[leaf * LEAF_WORDS + 3])
        while block < n and left > 0:
            at = (first + block) * BLOCK_WORDS
            prefetch(blocks, at + AHEAD * BLOCK_WORDS)
            prefetch(blocks, at + AHEAD * BLOCK_WORDS + LANES)
            count, skipped = count_less(blocks, at, EMPTY), count_less(blocks, at, query)
            if count < LANES and count <= left and skipped == 0:
                # Unused payloads are 0, so the whole line is summed.
                total += line_sum(blocks, at + LANES)
                left -= count
            elif count < LANES:
                taken = min(count - skipped, left)
                for lane in range(skipped, skipped + taken):
                    total += blocks[at + LANES + lane]
                left -= taken
            else:
                count = unpack(blocks, leaves, leaf, block, keys, values, 0)
                for i in range(count):
                    taken = (keys[i] >= query) & (left > 0)
                    total += values[i] * np.uint64(taken)
                    left -= taken
            block += 1
        if left == 0:
            break
        leaf, block = spans[leaf * SPAN_WORDS + 4], 0
    if left > 0 and state[HAS_LAST]:
        total += np.uint64(state[LAST])
        left -= 1
    return whole(total), limit - left


@jit
def dump(tree: Tree, start: np.uint64, stop: np.uint64, keys: Words, values: Words) -> int:
    """Write the entries from code `start` up to and including `stop` in order; returns how many.

    The arrays must have room for all entries of the tree and two blocks more.
    """
    blocks, entries, leaves, spans, _, _, bounds, state = tree
    leaf = leaf_of(start, entries, bounds)
    block = (home(start, leaf, leaves) >> 4) - whole(leaves[leaf * LEAF_WORDS + 2])
    count = 0
    while leaf >= 0:
        while block < whole(leaves[leaf * LEAF_WORDS + 3]):
            added = unpack(blocks, leaves, leaf, block, keys, values, count)
            kept = count
            for i in range(count, count + added):
                if start <= keys[i] <= stop:
                    keys[kept], values[kept] = keys[i], values[i]
                    kept += 1
            if added and keys[count + added - 1] > stop:
                return kept
            count, block = kept, block + 1
        leaf, block = spans[leaf * SPAN_WORDS + 4], 0
    if stop == EMPTY and state[HAS_LAST]:
        keys[count], values[count] = EMPTY, np.uint64(state[LAST])
        count += 1
    return count


@jit
def run(
    tree: Tree, ops: Ops, words: Words, values: Int64, results: Int64, done: Flags, start: int
) -> int:  # fmt: skip
    """Apply operations from number `start` on; returns the first not applied, and says why in ``state[STATUS]``."""
    blocks, entries, leaves, _, _, _, bounds, state = tree
    leaf, where, pending = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64)
    some_keys, some_values = np.empty(2 * LANES, np.uint64), np.empty(2 * LANES, np.uint64)
    state[STATUS] = FINISHED
    for block in range(start, len(ops), BLOCK):
        size = min(BLOCK, len(ops) - block)
        ask_for(tree, words, block, size, leaf, where, pending)
        for j in range(size):
            i = block + j
            op, query, changed = ops[i], words[i], False
            if op == SCAN:
                total, count = scan(tree, query, leaf[j], values[i], some_keys, some_values)
                results[i], done[i] = total, count > 0
                continue
            if query == EMPTY:
                results[i], done[i] = apply_to_last(state, whole(op), values[i])
                continue
            at = find(blocks, leaves, query, leaf[j], where[j])
            done[i] = (at >= 0) != (op == INSERT)
            results[i] = whole(blocks[at + LANES]) if at >= 0 else whole(0)
            if op == READ or not done[i]:
                continue
            if op == UPDATE:
                blocks[at + LANES] = np.uint64(values[i])
            elif op == ADD:
                blocks[at + LANES] += np.uint64(values[i])
            elif op == INSERT:
                if not add_entry(blocks, leaves, query, np.uint64(values[i]), leaf[j], where[j]):
                    if not insert_refit(tree, query, np.uint64(values[i]), leaf[j]):
                        return i
                    changed = True
                state[COUNT] += 1
            else:
                state[COUNT] -= 1
                if take_out(blocks, leaves, leaf[j], where[j], at):
                    changed = shrink(tree, leaf[j])
                if 4 * state[COUNT] < state[BUILT] and state[BUILT] > REBUILT_AT:
                    state[STATUS] = OUTGROWN
                    return i + 1
            if changed:
                moved = leaf[j]
                for k in range(j + 1, size):
                    if leaf[k] == moved:
                        leaf[k] = leaf_of(words[block + k], entries, bounds)
                        where[k] = home(words[block + k], leaf[k], leaves)
    return len(ops)
