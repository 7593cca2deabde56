"""A B+-tree (Comer, Computing Surveys 11(2), 1979): the incumbent among ordered maps in memory.

Made for speed as in-memory trees of this kind are: nodes of a few cache lines, searched by vector comparisons without a
branch (after Rao and Ross, SIGMOD 2000, and FAST, SIGMOD 2010); the lookups of a batch descend together, each level
prefetched (Chen, Gibbons and Mowry, SIGMOD 2001; group prefetching: Chen et al., ICDE 2004); leaves linked both ways;
ascending inserts leave full leaves. A node is removed when it is empty and not merged before that, as in PostgreSQL
(Johnson and Shasha, "B-trees with inserts and deletes: why free-at-empty is better than merge-at-half", JCSS 47, 1993).

The published default is that of the STX and TLX B+-trees (Bingmann): nodes of 256 bytes, thus 16 keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import UserError
from unseat.core.jit import jit
from unseat.structures.bplustree import batch
from unseat.structures.bplustree.nodes import (
    COUNT,
    FINISHED,
    FREE_INNER,
    FREE_LEAF,
    HAS_LAST,
    HEIGHT,
    INNER,
    INNER_SIZE,
    LAST,
    LEAF_SIZE,
    LEAVES,
    ROOT,
    STATUS,
    TALLEST,
    Tree,
)
from unseat.structures.lanes import aligned
from unseat.structures.operations import Flags, Int64, Ops, OrderedMap, Words, checked, longer
from unseat.structures.slots import EMPTY, clear


class BPlusTree(OrderedMap):
    """The B+-tree; see the module. Made by `build`, changed by `apply`; a read-only batch changes nothing."""

    def __init__(self, dtype: np.dtype[Any], tree: Tree, fill: float) -> None:
        self.dtype, self._tree, self._fill = dtype, tree, fill

    @classmethod
    def build(
        cls, keys: NDArray[Any], values: Int64, *, leaf_keys: int = 16, inner_keys: int = 16, fill: float = 0.8
    ) -> Self:
        """A map of these entries; see `OrderedMap`.

        Args:
            keys: Strictly ascending.
            values: The payloads.
            leaf_keys: Capacity of a leaf, a multiple of 16 up to 1024.
            inner_keys: Children of an inner node at the most, a multiple of 16 up to 1024.
            fill: How full the nodes are at first, from 0.5 to 1.
        """
        for size in (leaf_keys, inner_keys):
            if size % 16 or not 16 <= size <= 1024:
                raise UserError(f"a node of {size} keys; give a multiple of 16 from 16 to 1024")
        if not 0.5 <= fill <= 1:
            raise UserError(f"fill {fill}; give 0.5 to 1")
        words, payloads = checked(keys, values)
        has_last = len(words) > 0 and words[-1] == EMPTY
        within = len(words) - int(has_last)
        leaf_fill, inner_fill = round(fill * leaf_keys), max(round(fill * inner_keys), 2)
        tree = _empty(within, leaf_keys, inner_keys, leaf_fill, inner_fill)
        state = tree[3]
        state[COUNT], state[HAS_LAST] = len(words), has_last
        state[LAST] = payloads[-1] if has_last else 0
        _load(tree, words[:within], payloads.view(np.uint64), leaf_fill, inner_fill)
        return cls(np.asarray(keys).dtype, tree, fill)

    def __len__(self) -> int:
        return int(self._state[COUNT])

    @property
    def _state(self) -> Int64:
        return self._tree[3]

    @property
    def nbytes(self) -> int:
        """Bytes in use."""
        state = self._state
        leaf, inner = 16 * state[LEAF_SIZE] + 16, 16 * state[INNER_SIZE]
        return int(leaf * state[LEAVES] + inner * state[INNER]) + state.nbytes

    @property
    def config(self) -> Mapping[str, float]:
        """`leaf_keys`, `inner_keys` and `fill`."""
        return {"leaf_keys": int(self._state[LEAF_SIZE]), "inner_keys": int(self._state[INNER_SIZE]),
                "fill": self._fill}  # fmt: skip

    def _run(self, ops: Ops, words: Words, values: Int64, results: Int64, done: Flags) -> None:
        start = batch.run(self._tree, ops, words, values, results, done, 0)
        while self._state[STATUS] != FINISHED:
            leaves, inner, links, state = self._tree
            self._tree = (
                longer(leaves, state[LEAVES] * 2 * state[LEAF_SIZE]),
                longer(inner, state[INNER] * 2 * state[INNER_SIZE]), longer(links, 2 * state[LEAVES]), state,
            )  # fmt: skip
            start = batch.run(self._tree, ops, words, values, results, done, start)

    def _entries(self, start: np.uint64, stop: np.uint64) -> tuple[Words, Int64]:
        keys, values = np.empty(len(self), np.uint64), np.empty(len(self), np.uint64)
        count = batch.dump(self._tree, start, stop, keys, values)
        return keys[:count], values[:count].view(np.int64)


def _empty(count: int, leaf_keys: int, inner_keys: int, leaf_fill: int, inner_fill: int) -> Tree:
    """A tree without nodes, whose arrays have room for twice the nodes that so many keys need."""
    leaves = 2 * (count // leaf_fill) + 64
    inner = 2 * (leaves // (inner_fill - 1)) + 2 * TALLEST
    state = np.zeros(12, np.int64)
    state[LEAF_SIZE], state[INNER_SIZE], state[FREE_LEAF], state[FREE_INNER] = leaf_keys, inner_keys, -1, -1
    # Room that is never written to costs address space alone.
    return (
        aligned(leaves * 2 * leaf_keys, np.uint64), aligned(inner * 2 * inner_keys, np.uint64),
        np.empty(2 * leaves, np.int64), state,
    )  # fmt: skip


@jit
def _load(tree: Tree, keys: Words, values: Words, leaf_fill: int, inner_fill: int) -> None:
    """Bulk load: leaves in order, then one level of inner nodes after the other."""
    leaves, inner, links, state = tree
    size, width, count = state[LEAF_SIZE], state[INNER_SIZE], max((len(keys) + leaf_fill - 1) // leaf_fill, 1)
    # The lowest code of each node of the level below.
    lowest = np.empty(count, np.uint64)
    for leaf in range(count):
        at, start = leaf * 2 * size, leaf * leaf_fill
        clear(leaves, at, size)
        for i in range(start, min(start + leaf_fill, len(keys))):
            leaves[at + i - start], leaves[at + size + i - start] = keys[i], values[i]
        lowest[leaf] = leaves[at]
        links[2 * leaf], links[2 * leaf + 1] = leaf + 1 if leaf + 1 < count else -1, leaf - 1
    state[LEAVES] = count
    below = 0
    while count > 1:
        first, nodes = state[INNER], (count + inner_fill - 1) // inner_fill
        for node in range(nodes):
            at, start = (first + node) * 2 * width, node * inner_fill
            clear(inner, at, width)
            for i in range(start, min(start + inner_fill, count)):
                inner[at + width + i - start] = np.uint64(below + i)
                if i > start:
                    inner[at + i - start - 1] = lowest[i]
            lowest[node] = lowest[start]
        state[INNER] += nodes
        state[HEIGHT] += 1
        below, count = first, nodes
    state[ROOT] = below
