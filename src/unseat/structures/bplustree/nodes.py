"""Nodes of the B+-tree: search, insert, split, remove.

A leaf of capacity m is m codes in ascending order, `EMPTY` behind the last, and m payloads (0 behind the last). An
inner node of capacity m is up to m - 1 separators in the same form, one `EMPTY` at least, and m children; child i holds
the codes from separator i - 1 up to and not including separator i. Capacities are multiples of 16, two cache lines.

The tree is a tuple of arrays, which grow by doubling:

- ``leaves`` uint64 [2 * capacity a leaf]
- ``inner`` uint64 [2 * capacity a node]
- ``links`` int64 [2 a leaf]: the next leaf and the one before, -1 at the ends
- ``state`` int64: see the constants
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import inlined, jit
from unseat.structures.lanes import count_less
from unseat.structures.operations import COUNT as COUNT
from unseat.structures.operations import HAS_LAST as HAS_LAST
from unseat.structures.operations import LAST as LAST
from unseat.structures.slots import EMPTY, clear, insert_lane, remove_lane, whole

Words = NDArray[np.uint64]
Int64 = NDArray[np.int64]
Tree = tuple[Words, Words, Int64, Int64]

LEAVES, INNER, HEIGHT, ROOT, LEAF_SIZE, INNER_SIZE, FREE_LEAF, FREE_INNER, STATUS = range(3, 12)
"""Of ``state``, after what all have: leaves and inner nodes ever in use; levels of inner nodes; the root (a
leaf where there are none); capacities; the first of the freed leaves and nodes, whose first word is the next (-1 ends);
why the last batch stopped."""
FINISHED, FULL = range(2)
TALLEST = 64
"""More levels than there can be."""
LANES = 8


@inlined
def rank(words: Words, at: int, size: int, query: np.uint64) -> int:
    """How many of the `size` codes from `at` on are less than the query: one vector comparison a cache line."""
    count = count_less(words, at, query) + count_less(words, at + LANES, query)
    if size > 16:
        for line in range(at + 16, at + size, 16):
            count += count_less(words, line, query) + count_less(words, line + LANES, query)
    return count


@inlined
def child_of(inner: Words, at: int, size: int, query: np.uint64) -> int:
    """The child of a node that holds a code (which is never `EMPTY`, so one can be added)."""
    return whole(inner[at + size + rank(inner, at, size, query + np.uint64(1))])


@inlined
def leaf_of(inner: Words, state: Int64, query: np.uint64) -> int:
    """The leaf of a code."""
    node, size = state[ROOT], state[INNER_SIZE]
    for _ in range(state[HEIGHT]):
        node = child_of(inner, node * 2 * size, size, query)
    return int(node)


@inlined
def insert_word(words: Words, at: int, size: int, place: int, word: np.uint64) -> None:
    """Put a word among the `size` from `at` on; the last falls out."""
    own = place & ~(LANES - 1)
    for line in range(size - LANES, own, -LANES):
        insert_lane(words, at + line, 0, words[at + line - 1])
    insert_lane(words, at + own, place & (LANES - 1), word)


@inlined
def remove_word(words: Words, at: int, size: int, place: int, last: np.uint64) -> None:
    """Take one of the `size` words from `at` on out; `last` becomes the last."""
    own = place & ~(LANES - 1)
    lane = place & (LANES - 1)
    for line in range(own, size - LANES, LANES):
        remove_lane(words, at + line, lane, words[at + line + LANES])
        lane = 0
    remove_lane(words, at + size - LANES, lane, last)


@inlined
def new_leaf(tree: Tree) -> int:
    """An empty leaf, without links."""
    leaves, _, _, state = tree
    size, leaf = state[LEAF_SIZE], state[FREE_LEAF]
    if leaf >= 0:
        state[FREE_LEAF] = whole(leaves[leaf * 2 * size])
    else:
        leaf = state[LEAVES]
        state[LEAVES] += 1
    clear(leaves, leaf * 2 * size, size)
    return int(leaf)


@inlined
def new_inner(tree: Tree) -> int:
    """An inner node without separators."""
    _, inner, _, state = tree
    size, node = state[INNER_SIZE], state[FREE_INNER]
    if node >= 0:
        state[FREE_INNER] = whole(inner[node * 2 * size])
    else:
        node = state[INNER]
        state[INNER] += 1
    clear(inner, node * 2 * size, size)
    return int(node)


@inlined
def path_to(tree: Tree, query: np.uint64, nodes: Int64, places: Int64) -> int:
    """Write the inner nodes on the way to a code, and which child is taken in each; returns the leaf."""
    _, inner, _, state = tree
    node, size = state[ROOT], state[INNER_SIZE]
    for level in range(state[HEIGHT]):
        nodes[level] = node
        places[level] = rank(inner, node * 2 * size, size, query + np.uint64(1))
        node = whole(inner[node * 2 * size + size + places[level]])
    return int(node)


@inlined
def move_half(words: Words, source: int, target: int, size: int, kept: int, empty: np.uint64) -> None:
    """Move the words behind the first `kept` to the front of another row of `size`, and put `empty` in their place."""
    for i in range(kept, size):
        words[target + i - kept], words[source + i] = words[source + i], empty


@jit
def split_leaf(tree: Tree, leaf: int, query: np.uint64) -> None:
    """Make room for a code in a full leaf: its upper half goes to a new leaf.

    A code behind all others gets a leaf of its own, so that ascending inserts leave full leaves behind them.
    """
    leaves, _, links, state = tree
    size = state[LEAF_SIZE]
    at = leaf * 2 * size
    nodes, places = np.empty(TALLEST, np.int64), np.empty(TALLEST, np.int64)
    path_to(tree, query, nodes, places)
    right = new_leaf(tree)
    border = query
    if links[2 * leaf] >= 0 or query < leaves[at + size - 1]:
        border = leaves[at + size // 2]
        move_half(leaves, at, right * 2 * size, size, size // 2, EMPTY)
        move_half(leaves, at + size, right * 2 * size + size, size, size // 2, np.uint64(0))
    after = links[2 * leaf]
    links[2 * right], links[2 * right + 1], links[2 * leaf] = after, leaf, right
    if after >= 0:
        links[2 * after + 1] = right
    add_child(tree, nodes, places, border, right)


@inlined
def add_child(tree: Tree, nodes: Int64, places: Int64, border: np.uint64, child: int) -> None:
    """Add a child right of the path's lowest, splitting full nodes on the way up."""
    _, inner, _, state = tree
    size = state[INNER_SIZE]
    for level in range(state[HEIGHT] - 1, -1, -1):
        node, place = nodes[level] * 2 * size, places[level]
        if inner[node + size - 2] == EMPTY:
            insert_word(inner, node, size, place, border)
            insert_word(inner, node + size, size, place + 1, np.uint64(child))
            return
        right = new_inner(tree)
        half, after = size // 2, right * 2 * size
        up = inner[node + half - 1]
        move_half(inner, node, after, size, half, EMPTY)
        move_half(inner, node + size, after + size, size, half, np.uint64(0))
        inner[node + half - 1] = EMPTY
        if place >= half:
            node, place = after, place - half
        insert_word(inner, node, size, place, border)
        insert_word(inner, node + size, size, place + 1, np.uint64(child))
        border, child = up, right
    root = new_inner(tree)
    inner[root * 2 * size] = border
    inner[root * 2 * size + size], inner[root * 2 * size + size + 1] = np.uint64(state[ROOT]), np.uint64(child)
    state[ROOT] = root
    state[HEIGHT] += 1


@jit
def drop_leaf(tree: Tree, leaf: int, query: np.uint64) -> None:
    """Take an empty leaf out of the tree; `query` was its last code. The last leaf of all stays."""
    leaves, inner, links, state = tree
    if state[HEIGHT] == 0:
        return
    nodes, places = np.empty(TALLEST, np.int64), np.empty(TALLEST, np.int64)
    path_to(tree, query, nodes, places)
    before, after = links[2 * leaf + 1], links[2 * leaf]
    if before >= 0:
        links[2 * before] = after
    if after >= 0:
        links[2 * after + 1] = before
    leaves[leaf * 2 * state[LEAF_SIZE]] = np.uint64(state[FREE_LEAF])
    state[FREE_LEAF] = leaf
    size = state[INNER_SIZE]
    for level in range(state[HEIGHT] - 1, -1, -1):
        node, place = nodes[level] * 2 * size, places[level]
        if inner[node] != EMPTY:
            remove_word(inner, node, size, max(place - 1, 0), EMPTY)
            remove_word(inner, node + size, size, place, np.uint64(0))
            break
        inner[node] = np.uint64(state[FREE_INNER])
        state[FREE_INNER] = nodes[level]
    # A root with one child is no use; all nodes below a kept one have kept a child themselves.
    while state[HEIGHT] > 0 and inner[state[ROOT] * 2 * size] == EMPTY:
        root = state[ROOT]
        state[ROOT] = whole(inner[root * 2 * size + size])
        state[HEIGHT] -= 1
        inner[root * 2 * size] = np.uint64(state[FREE_INNER])
        state[FREE_INNER] = root
