"""The keys in the order of a breadth-first walk down their binary search tree.

Paper: Khuong and Morin, Array Layouts for Comparison-Based Searching, JEA 22 (2017). The children of node k are 2k and
2k+1, so that the keys that are compared first lie together, and the eight descendants three levels below a node share
one cache line. A block of queries goes down in step, and asks for that line at every node.

The layout copies all keys. It needs no permutation back to sorted order: the path to a leaf, read as a number, counts
the keys before it in the tree filled up to a full level, and the missing leaves, all at the end, are taken off again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import jit
from unseat.structures.lanes import LINE, aligned
from unseat.structures.locator import Locator
from unseat.structures.prefetch import BLOCK, prefetch
from unseat.structures.search import within

_CACHED = 10
"""Levels from the root that need no prefetch: few enough keys for a cache to hold."""


def build(keys: NDArray[Any], budget: int | None = None) -> Locator:
    """The layout of sorted keys; one element more than there are.

    Raises:
        OverBudget: The copy does not fit.
    """
    if budget is not None:
        within(Locator("eytzinger", search, (keys, keys[:1])), budget)
    tree = aligned(len(keys) + 1, keys.dtype)
    tree[0] = keys[0]
    _arrange(keys, tree)
    return Locator("eytzinger", search, (tree,))


@jit
def _arrange(keys: NDArray[Any], tree: NDArray[Any]) -> None:
    """Write the keys in breadth-first order, from the walk in order."""
    size = len(keys)
    node = 1
    while 2 * node <= size:
        node *= 2
    for i in range(size):
        tree[node] = keys[i]
        if 2 * node + 1 <= size:
            node = 2 * node + 1
            while 2 * node <= size:
                node *= 2
        else:
            # Up past all right turns, and past one left turn.
            while node & 1:
                node >>= 1
            node >>= 1


@jit
def search(keys: NDArray[Any], queries: NDArray[Any], out: NDArray[np.int64], tree: NDArray[Any]) -> None:
    """A kernel as in `unseat.structures.locator.Run`."""
    size = len(tree) - 1
    full = 0
    while (2 << full) - 1 <= size:
        full += 1
    leaves = size + 1 - (1 << full)
    lanes = LINE // keys.itemsize
    node = np.empty(BLOCK, np.int64)
    block = np.empty(BLOCK, keys.dtype)
    for first in range(0, len(queries), BLOCK):
        length = min(BLOCK, len(queries) - first)
        for j in range(length):
            block[j] = queries[first + j]
            node[j] = 1
        for level in range(full):
            if level >= _CACHED:
                # Never outside the array: the search of page tables for a wrong address takes time.
                for j in range(length):
                    prefetch(tree, min(node[j] * lanes, size))
            for j in range(length):
                node[j] = 2 * node[j] + (tree[np.uint64(node[j])] < block[j])
        for j in range(length):
            # The last level is there for the first nodes only; where it is not, the query counts as before it.
            less = (tree[np.uint64(min(node[j], size))] < block[j]) & (node[j] <= size)
            before = 2 * node[j] + less - (2 << full)
            out[first + j] = before - max(0, (before >> 1) - leaves)
