"""Operations on the B+-tree, in batches."""

from __future__ import annotations

import numpy as np

from unseat.core.jit import inlined, jit
from unseat.structures.bplustree.nodes import (
    COUNT,
    FINISHED,
    FULL,
    HAS_LAST,
    HEIGHT,
    INNER,
    INNER_SIZE,
    LANES,
    LAST,
    LEAF_SIZE,
    LEAVES,
    ROOT,
    STATUS,
    Int64,
    Tree,
    Words,
    child_of,
    drop_leaf,
    insert_word,
    leaf_of,
    rank,
    remove_word,
    split_leaf,
)
from unseat.structures.operations import ADD, INSERT, READ, SCAN, UPDATE, Flags, Ops, apply_to_last
from unseat.structures.prefetch import prefetch
from unseat.structures.slots import EMPTY, whole

BLOCK = 64
"""Operations in flight at once: measured to be better here than the 32 of other structures."""
FETCHED = 2
"""Inner levels, from below, that are prefetched: those above stay in the second-level cache."""


@inlined
def ask_for(tree: Tree, words: Words, start: int, count: int, leaf: Int64) -> None:
    """Find the leaf of each of a few operations, all on their way from memory at once."""
    leaves, inner, _, state = tree
    size, leaf_size, height = state[INNER_SIZE], state[LEAF_SIZE], state[HEIGHT]
    for j in range(count):
        leaf[j] = state[ROOT]
    for level in range(height - 1):
        for j in range(count):
            node = child_of(inner, leaf[j] * 2 * size, size, words[start + j])
            leaf[j] = node
            if level >= height - 1 - FETCHED:
                for line in range(node * 2 * size, (node + 1) * 2 * size, LANES):
                    prefetch(inner, line)
    if height:
        for j in range(count):
            node = child_of(inner, leaf[j] * 2 * size, size, words[start + j])
            leaf[j] = node
            for line in range(node * 2 * leaf_size, node * 2 * leaf_size + leaf_size, LANES):
                prefetch(leaves, line)
    for j in range(count):
        at = leaf[j] * 2 * leaf_size
        prefetch(leaves, at + leaf_size + rank(leaves, at, leaf_size, words[start + j]))


@inlined
def has_room(tree: Tree) -> bool:
    """Whether the arrays have room for a split at every level."""
    leaves, inner, _, state = tree
    most = state[INNER] + state[HEIGHT] + 2
    return bool(
        (state[LEAVES] + 1) * 2 * state[LEAF_SIZE] <= len(leaves) and most * 2 * state[INNER_SIZE] <= len(inner)
    )


@inlined
def scan(tree: Tree, query: np.uint64, leaf: int, limit: int) -> tuple[int, int]:
    """Sum of the payloads of the first `limit` entries from a code on, and how many there were."""
    leaves, _, links, state = tree
    size = state[LEAF_SIZE]
    total, left = np.uint64(0), limit
    # No leaf holds the greatest code, nor anything behind it.
    leaf = leaf if query != EMPTY else whole(-1)
    first = rank(leaves, max(leaf, 0) * 2 * size, size, query)
    while leaf >= 0 and left > 0:
        at = leaf * 2 * size
        count = rank(leaves, at, size, EMPTY)
        for line in range(links[2 * leaf] * 2 * size, (links[2 * leaf] + 1) * 2 * size, LANES):
            prefetch(leaves, line)
        taken = min(count - first, left)
        for i in range(at + size + first, at + size + first + taken):
            total += leaves[i]
        left -= taken
        leaf, first = links[2 * leaf], 0
    if left > 0 and state[HAS_LAST]:
        total += np.uint64(state[LAST])
        left -= 1
    return whole(total), limit - left


@jit
def dump(tree: Tree, start: np.uint64, stop: np.uint64, keys: Words, values: Words) -> int:
    """Write the entries from code `start` up to and including `stop` in order; returns how many.

    The arrays must have room for all entries of the tree.
    """
    leaves, inner, links, state = tree
    size, count = state[LEAF_SIZE], 0
    leaf = leaf_of(inner, state, start) if start != EMPTY else whole(-1)
    while leaf >= 0:
        for i in range(leaf * 2 * size, leaf * 2 * size + rank(leaves, leaf * 2 * size, size, EMPTY)):
            if leaves[i] > stop:
                return count
            if leaves[i] >= start:
                keys[count], values[count] = leaves[i], leaves[i + size]
                count += 1
        leaf = links[2 * leaf]
    if stop == EMPTY and state[HAS_LAST]:
        keys[count], values[count] = EMPTY, np.uint64(state[LAST])
        count += 1
    return count


@jit
def run(
    tree: Tree, ops: Ops, words: Words, values: Int64, results: Int64, done: Flags, start: int
) -> int:  # fmt: skip
    """Apply operations from number `start` on; returns the first not applied, and says why in ``state[STATUS]``."""
    leaves, inner, _, state = tree
    leaf, size = np.empty(BLOCK, np.int64), state[LEAF_SIZE]
    state[STATUS] = FINISHED
    for block in range(start, len(ops), BLOCK):
        count = min(BLOCK, len(ops) - block)
        ask_for(tree, words, block, count, leaf)
        for j in range(count):
            i = block + j
            op, query, own, changed = ops[i], words[i], leaf[j], False
            if op == SCAN:
                results[i], taken = scan(tree, query, own, values[i])
                done[i] = taken > 0
                continue
            if query == EMPTY:
                results[i], done[i] = apply_to_last(state, whole(op), values[i])
                continue
            at = own * 2 * size
            place = rank(leaves, at, size, query)
            there = place < size and leaves[at + place] == query
            done[i] = there != (op == INSERT)
            results[i] = whole(leaves[at + size + place]) if there else whole(0)
            if op == READ or not done[i]:
                continue
            if op == UPDATE:
                leaves[at + size + place] = np.uint64(values[i])
            elif op == ADD:
                leaves[at + size + place] += np.uint64(values[i])
            elif op == INSERT:
                if leaves[at + size - 1] != EMPTY:
                    if not has_room(tree):
                        state[STATUS] = FULL
                        return i
                    split_leaf(tree, own, query)
                    at = leaf_of(inner, state, query) * 2 * size
                    place, changed = rank(leaves, at, size, query), True
                insert_word(leaves, at, size, place, query)
                insert_word(leaves, at + size, size, place, np.uint64(values[i]))
                state[COUNT] += 1
            else:
                remove_word(leaves, at, size, place, EMPTY)
                remove_word(leaves, at + size, size, place, np.uint64(0))
                state[COUNT] -= 1
                if leaves[at] == EMPTY and state[HEIGHT] > 0:
                    drop_leaf(tree, own, query)
                    changed = True
            if changed:
                # Only what was on its way to this leaf may have to go elsewhere now.
                for k in range(j + 1, count):
                    if leaf[k] == own:
                        leaf[k] = leaf_of(inner, state, words[block + k])
    return len(ops)
