"""A static B+-tree over the sorted array, with nodes of one cache line.

Papers: Rao and Ross, Cache Conscious Indexing for Decision-Support in Main Memory (CSS-trees), VLDB 1999; node search
by vector comparisons and levels laid out without pointers: Slotin, Static B-Trees (S+ trees), Algorithmica 2022. The
leaves are the sorted array itself, in buckets of some cache lines; the level above holds the last key of each bucket,
a node of which is again one cache line, and so on up to one node. A child's place follows from its number. A block of
queries goes down level by level, asking for each query's next node while the others' are compared.

With buckets of two lines it costs 7.1% of the bytes of 8-byte keys. A smaller budget makes the buckets wider, and what
a bucket leaves is found by interleaved binary search.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import inlined, jit
from unseat.structures.lanes import LINE, aligned, count_less
from unseat.structures.locator import Locator, OverBudget
from unseat.structures.prefetch import BLOCK, prefetch
from unseat.structures.search import count_few, narrow, within

_BUCKET, _FIRST, _LEVELS = 0, 1, 2
"""Places in the header: keys a bucket, keys before the second bucket, then where each level begins, from the root."""


def build(keys: NDArray[Any], budget: int | None = None, *, lines: int | None = None) -> Locator:
    """The tree over sorted keys.

    Args:
        keys: At least one.
        budget: Bytes, or None for no limit.
        lines: Cache lines of keys in a bucket, best 1, 2 or an odd number; by default the fewest that the budget
            allows, from two (one costs twice the memory and gains little).

    Raises:
        OverBudget: Not even the widest buckets fit.
    """
    lanes = LINE // keys.itemsize
    bucket = lanes * (2 if lines is None else lines)
    if lines is None and budget is not None:
        while bucket < len(keys) and _bytes(keys, bucket) > budget:
            bucket = lanes * _more_lines(bucket // lanes)
    if budget is not None and _bytes(keys, bucket) > budget:
        raise OverBudget(f"a static B+-tree needs {_bytes(keys, bucket)} bytes, the budget is {budget}")
    first = _first(keys)
    levels = _levels(keys[first - 1 : len(keys) - 1 : bucket], lanes)
    tree = aligned(sum(map(len, levels)), keys.dtype)
    np.concatenate(levels, out=tree)
    starts = np.cumsum([0, *map(len, levels)])[:-1]
    header = np.array([bucket, first, *starts], np.int64)
    return within(Locator("static B+-tree", search, (tree, header), {"keys a bucket": bucket}), budget)


def _more_lines(lines: int) -> int:
    """The next wider bucket to try: by a few per cent, and an odd number of lines.

    Buckets whose width is a power of two would be probed at the same few sets of the cache, which then drop lines that
    were asked for before they are read (measured: more than twice the time).
    """
    return (lines + lines // 32 + 1) | 1


def _first(keys: NDArray[Any]) -> int:
    """How many keys lie before the second cache line that they fill: the first bucket's, so that others are aligned."""
    lanes = LINE // keys.itemsize
    return lanes - int(keys.ctypes.data) // keys.itemsize % lanes


def _levels(separators: NDArray[Any], lanes: int) -> list[NDArray[Any]]:
    """The levels from the root; of each node the last separator goes up, but that of a level's last node.

    What fills the last node of a level is never less than a query, so that no search goes there.
    """
    kind = separators.dtype
    never = np.inf if kind.kind == "f" else np.iinfo(kind).max
    levels: list[NDArray[Any]] = []
    while True:
        nodes = max(1, -(-len(separators) // lanes))
        level = np.full(nodes * lanes, never, kind)
        level[: len(separators)] = separators
        levels.insert(0, level)
        if nodes == 1:
            return levels
        separators = separators[lanes - 1 :: lanes][: nodes - 1]


def _bytes(keys: NDArray[Any], bucket: int) -> int:
    """Bytes of the tree and its header."""
    lanes = LINE // keys.itemsize
    count = len(range(_first(keys) - 1, len(keys) - 1, bucket))
    total = 8 * _LEVELS
    while True:
        nodes = max(1, -(-count // lanes))
        total += nodes * LINE + 8
        if nodes == 1:
            return total
        count = nodes - 1


@jit
def search(
    keys: NDArray[Any],
    queries: NDArray[Any],
    out: NDArray[np.int64],
    tree: NDArray[Any],
    header: NDArray[np.int64],
) -> None:
    """A kernel as in `unseat.structures.locator.Run`."""
    size, lanes = len(keys), LINE // keys.itemsize
    if size < 2 * lanes:
        count_few(keys, queries, 0, len(queries), out)
        return
    width = min(header[_BUCKET], size)
    place = np.empty(BLOCK, np.int64)
    block = np.empty(BLOCK, keys.dtype)
    for first in range(0, len(queries), BLOCK):
        length = min(BLOCK, len(queries) - first)
        for j in range(length):
            block[j] = queries[first + j]
            place[j] = 0
        for level in range(_LEVELS, len(header) - 1):
            here, below = header[level], header[level + 1]
            for j in range(length):
                child = _child(tree, here, place[j], block[j])
                prefetch(tree, below + child * lanes)
                place[j] = child
        here = header[len(header) - 1]
        for j in range(length):
            bucket = _child(tree, here, place[j], block[j])
            # Shifted into the array at its ends, which changes no count: what is before a bucket is less.
            start = min(max(header[_FIRST] + (bucket - 1) * header[_BUCKET], 0), size - width)
            _ask(keys, start, width)
            place[j] = start
        _search_buckets(keys, block, length, place, width, out, first)


@inlined
def _child(tree: NDArray[Any], level: int, node: int, query: Any) -> int:
    """The number, within the level below, of a node's child that holds the query's lower bound."""
    place = node * (LINE // tree.itemsize)
    return place + count_less(tree, level + place, query)


@inlined
def _ask(keys: NDArray[Any], start: int, width: int) -> None:
    """Prefetch what is read first of a bucket."""
    lanes = LINE // keys.itemsize
    if width <= 2 * lanes:
        prefetch(keys, start)
        prefetch(keys, start + width - 1)
    else:
        prefetch(keys, start + (width >> 1) - 1)


@inlined
def _search_buckets(
    keys: NDArray[Any],
    block: NDArray[Any],
    length: int,
    place: NDArray[np.int64],
    width: int,
    out: NDArray[np.int64],
    first: int,
) -> None:
    """Answer a block, the lower bound of whose query j lies in ``[place[j], place[j] + width]``."""
    size, lanes = len(keys), LINE // keys.itemsize
    if width > 2 * lanes:
        width = narrow(keys, block, length, place, width, 2 * lanes)
        for j in range(length):
            _ask(keys, place[j], width)
    if width <= lanes:
        for j in range(length):
            start = min(place[j], size - lanes)
            out[first + j] = start + count_less(keys, start, block[j])
    else:
        for j in range(length):
            start = min(place[j], size - 2 * lanes)
            out[first + j] = start + count_less(keys, start, block[j]) + count_less(keys, start + lanes, block[j])
