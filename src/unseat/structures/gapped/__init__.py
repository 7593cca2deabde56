"""An updatable learned index: gapped leaves, in which a linear model names a key's cache line.

In the style of ALEX (Ding et al., SIGMOD 2020): inner nodes that divide their key range equally, leaves with a linear
model and gaps, model-based inserts, expansion and splits by density; and of LIPP (Wu et al., PVLDB 2021): the model's
answer is exact, so that nothing is searched behind it. What differs from both: the model names a block of eight keys
rather than one place, so that a lookup compares one cache line by a vector instruction and reads one of payloads, and a
block that is full shares a spill block with its neighbours.

- A *lookup* reads one slot an inner level, a leaf's model and two lines of a block.
- An *insert* that finds block and spill block full lays the leaf out anew, wider; or, where it would hold more keys
  than a leaf may or its model fits them badly, splits it in the middle of its slots.
- A *delete* closes the gap in its block; a leaf with less than one key a block is laid out anew, smaller.
- The tree is built anew once its entries are 16 times as many or a quarter, and where a leaf that holds keys outside
  the tree's range must be split; then the range grows by its own width on that side. So all of it is linear work at
  geometric intervals, but one insert in many waits for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import UserError
from unseat.structures.gapped import batch
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
    LAST,
    LEAF_WORDS,
    LEAVES,
    MOST,
    SLOTS,
    SPAN_WORDS,
    STATUS,
    Tree,
    bytes_in_use,
    most_blocks,
    most_halvings,
    spare,
    with_spills,
)
from unseat.structures.gapped.leaf import settle
from unseat.structures.lanes import aligned
from unseat.structures.operations import Flags, Int64, Ops, OrderedMap, Words, checked, longer
from unseat.structures.slots import EMPTY


class GappedIndex(OrderedMap):
    """The updatable learned index; see the module.

    Made by `build`, changed by `apply`; a read-only batch changes nothing.
    """

    def __init__(self, dtype: np.dtype[Any], tree: Tree) -> None:
        self.dtype, self._tree = dtype, tree

    @classmethod
    def build(cls, keys: NDArray[Any], values: Int64, *, leaf_keys: int = 256, fill: float = 4.5) -> Self:
        """A map of these entries; see `OrderedMap`.

        Args:
            keys: Strictly ascending.
            values: The payloads.
            leaf_keys: The most keys of a leaf, from 16 to 65536. Few: models fit better; many: their table is smaller.
            fill: Keys a block of eight gets when a leaf is laid out, from 1 to 6.
        """
        if not (16 <= leaf_keys <= 65536 and 1 <= fill <= 6):
            raise UserError(f"leaf_keys {leaf_keys} is from 16 to 65536, fill {fill} from 1 to 6")
        words, payloads = checked(keys, values)
        return cls(np.asarray(keys).dtype, _built(words, payloads.view(np.uint64), leaf_keys, round(64 * fill)))

    def __len__(self) -> int:
        return int(self._state[COUNT])

    @property
    def _state(self) -> Int64:
        return self._tree[7]

    @property
    def nbytes(self) -> int:
        """Bytes in use."""
        return bytes_in_use(self._tree)

    @property
    def config(self) -> Mapping[str, float]:
        """`leaf_keys` and `fill`."""
        return {"leaf_keys": int(self._state[MOST]), "fill": float(self._state[FILL] / 64)}

    def _run(self, ops: Ops, words: Words, values: Int64, results: Int64, done: Flags) -> None:
        start = batch.run(self._tree, ops, words, values, results, done, 0)
        while self._state[STATUS] != FINISHED:
            self._tree = _grown(self._tree) if self._state[STATUS] == FULL else self._rebuilt()
            start = batch.run(self._tree, ops, words, values, results, done, start)

    def _rebuilt(self) -> Tree:
        """Built anew; where there are keys outside the range, it grows by its width on their side."""
        keys, values = self._entries(np.uint64(0), EMPTY)
        origin, last = (int(bound) for bound in self._tree[6])
        within = keys[: len(keys) - int(self._state[HAS_LAST])]
        low, high = (int(within[0]), int(within[-1])) if len(within) else (0, 0)
        width = high - low
        bottom = max(low - width, 0) if low < origin else low
        top = high + width if high > origin + last else high
        most, fill = int(self._state[MOST]), int(self._state[FILL])
        return _built(keys, values.view(np.uint64), most, fill, bottom, min(top, 2**64 - 2))

    def _entries(self, start: np.uint64, stop: np.uint64) -> tuple[Words, Int64]:
        room = len(self) + 4 * BLOCK_WORDS
        keys, values = np.empty(room, np.uint64), np.empty(room, np.uint64)
        count = batch.dump(self._tree, start, stop, keys, values)
        return keys[:count], values[:count].view(np.int64)


def _built(keys: Words, values: Words, most: int, fill: int, low: int | None = None, high: int | None = None) -> Tree:
    """A tree of these entries over the codes from `low` to `high` (by default those of the keys)."""
    count = len(keys)
    has_last = count > 0 and keys[-1] == EMPTY
    within = count - int(has_last)
    if low is None or high is None:
        low, high = (int(keys[0]), int(keys[within - 1])) if within else (0, 0)
    bits = max((high - low).bit_length(), 1)
    # Room that is never written to costs address space alone.
    room = 4 * count * 64 // fill + 16 * most
    while True:
        tree = _empty(room, most, fill)
        spans, lows, bounds, state = tree[3], tree[4], tree[6], tree[7]
        bounds[:] = low, 2**bits - 1
        spans[:SPAN_WORDS] = 0, 1, bits, 0, -1
        lows[0] = 0
        state[COUNT] = state[BUILT] = count
        state[HAS_LAST], state[LAST] = has_last, values[-1].view(np.int64) if has_last else 0
        if settle(tree, keys, values, 0, 0, within, fill):
            return tree
        room *= 2


def _empty(room: int, most: int, fill: int) -> Tree:
    """A tree of one leaf without blocks, whose arrays have room for about `room` keys."""
    halvings = most_halvings(most, fill)
    more_leaves, more_slots, more_blocks = spare(most, fill, halvings)
    blocks, leaves = room // 8 + more_blocks, room // 64 + more_leaves
    state = np.zeros(12, np.int64)
    state[LEAVES], state[SLOTS], state[MOST], state[FILL], state[HALVINGS] = 1, 1, most, fill, halvings
    return (
        aligned(blocks * BLOCK_WORDS, np.uint64), np.zeros(room // 8 + more_slots, np.int64),
        aligned(leaves * LEAF_WORDS, np.uint64), np.empty(leaves * SPAN_WORDS, np.int64), np.empty(leaves, np.uint64),
        np.full(with_spills(most_blocks(most, fill)) + 1, -1), np.empty(2, np.uint64), state,
    )  # fmt: skip


def _grown(tree: Tree) -> Tree:
    """The same tree in arrays of twice the length."""
    blocks, entries, leaves, spans, lows, free, bounds, state = tree
    return (
        longer(blocks, state[BLOCKS] * BLOCK_WORDS), longer(entries, state[SLOTS]),
        longer(leaves, state[LEAVES] * LEAF_WORDS), longer(spans, state[LEAVES] * SPAN_WORDS),
        longer(lows, state[LEAVES]), free, bounds, state,
    )  # fmt: skip
