"""The updatable learned index against a dict, and its layout after every step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from tests.structures.ordered_maps import MapMachine

from unseat.core.errors import UserError
from unseat.structures.gapped import GappedIndex, batch
from unseat.structures.gapped.layout import (
    BLOCKS,
    BUILT,
    COUNT,
    FILL,
    GROUP,
    HAS_LAST,
    LEAVES,
    LEVELS,
    MOST,
    SLOTS,
    block_of,
    leaf_of,
    most_blocks,
    with_spills,
)
from unseat.structures.operations import DELETE, INSERT, READ, SCAN
from unseat.structures.slots import EMPTY


def line(words: Any, at: int) -> list[int]:
    """The codes of a line; in order, `EMPTY` behind them, and payloads of 0 there."""
    codes = words[at : at + 8].tolist()
    used = [one for one in codes if one != int(EMPTY)]
    assert codes[: len(used)] == used == sorted(set(used)), "codes in front, ascending"
    assert not words[at + 8 + len(used) : at + 16].any(), "payloads behind the last are 0"
    return used


def check_tree(index: GappedIndex) -> None:
    """Order, gaps, counts, densities, spans and free rows."""
    blocks, entries, leaves, spans, _, free, bounds, state = index._tree
    total, last, seen, rows = 0, -1, set(), []
    leaf = int(leaf_of(np.uint64(0), entries, bounds))
    while leaf >= 0:
        seen.add(leaf)
        base, first, n = leaves[4 * leaf], int(leaves[4 * leaf + 2]), int(leaves[4 * leaf + 3])
        slope = leaves[4 * leaf + 1 : 4 * leaf + 2].view(np.float64)[0]
        start, stop, _, level, after = spans[5 * leaf : 5 * leaf + 5].tolist()
        assert 0 <= start < stop <= state[SLOTS] and (entries[start:stop] == leaf).all(), "spans name their leaf"
        assert level <= state[LEVELS]
        rows.append((first, with_spills(n)))
        groups = [line(blocks, 16 * (first + n + group)) for group in range(with_spills(n) - n)]
        count = 0
        for block in range(n):
            own = line(blocks, 16 * (first + block))
            spilled = [one for one in groups[block // GROUP] if block_of(np.uint64(one), base, slope, n) == block]
            assert not spilled or len(own) == 8, "only full blocks spill"
            for one in sorted(own + spilled):
                assert one > last, "leaves and blocks are in the order of their keys"
                assert block_of(np.uint64(one), base, slope, n) == block, "a key is in the block that the model says"
                assert leaf_of(np.uint64(one), entries, bounds) == leaf
                last = one
            count += len(own) + len(spilled)
        assert n <= most_blocks(state[MOST], state[FILL]), "no leaf is longer than it may be"
        total += count
        leaf = after
    assert len(seen) == state[LEAVES], "every leaf is in the chain"
    assert total + state[HAS_LAST] == state[COUNT]
    assert state[COUNT] <= 20 * max(state[BUILT], batch.REBUILT_AT), "the tree is built anew as it grows"
    for length, first in enumerate(free.tolist()):
        while first >= 0:
            rows.append((first, length))
            first = int(blocks[16 * first].astype(np.int64))
    ends = np.cumsum([0, *(length for _, length in sorted(rows))])
    assert [first for first, _ in sorted(rows)] == ends[:-1].tolist(), "rows do not overlap and none is lost"
    assert ends[-1] == state[BLOCKS]


class GappedMachine(MapMachine):
    def build(self, keys: Any, values: Any, small: int) -> GappedIndex:
        return GappedIndex.build(keys, values, leaf_keys=(16, 40, 256)[small], fill=(1.5, 4.5, 6)[small])

    def check(self) -> None:
        assert isinstance(self.made, GappedIndex)
        check_tree(self.made)


class TestGapped(GappedMachine.TestCase):  # type: ignore[valid-type,misc]
    """Red: some sequence of operations loses, invents or misplaces an entry, or leaves the layout unsound."""

    settings = settings(max_examples=40, stateful_step_count=10, deadline=None)


def squares(count: int) -> Any:
    """Keys that no line fits, spread over half of the type."""
    return (np.arange(count, dtype=np.uint64) + np.uint64(1)) ** np.uint64(4)


def test_ascending_and_descending_inserts_stay_shallow() -> None:
    """Red: keys outside the range are never taken into it, so that a leaf of them is split for ever or never."""
    for step in (1, -1):
        index = GappedIndex.build(np.array([2**62], np.uint64), np.zeros(1, np.int64))
        keys = (np.uint64(2**62) + np.arange(1, 20_001, dtype=np.uint64) * np.uint64(1000 * step % 2**64)).astype("u8")
        for part in np.array_split(keys, 50):
            index.apply(np.full(len(part), INSERT, np.uint8), part, part.view(np.int64))
        check_tree(index)
        assert index._state[LEVELS] <= 3
        assert np.array_equal(index.items()[0], np.sort(np.append(keys, np.uint64(2**62))))


def test_a_range_that_ends_behind_the_greatest_code() -> None:
    """Red: a border behind the greatest code wraps around, and a leaf is split without end."""
    dense = np.uint64(2**64 - 2) - np.arange(3000, dtype=np.uint64) ** np.uint64(3)
    keys = np.concatenate([np.array([2**40], np.uint64), np.sort(dense)])
    index = GappedIndex.build(keys[::6], keys[::6].view(np.int64), leaf_keys=16)
    index.apply(np.full(len(keys), INSERT, np.uint8), keys[::-1].copy(), keys[::-1].copy().view(np.int64))
    check_tree(index)
    assert np.array_equal(index.items()[0], keys)


def test_it_shrinks() -> None:
    """Red: deleted entries' blocks are never given back."""
    keys = squares(40_000)
    index = GappedIndex.build(keys, keys.view(np.int64))
    before = index.nbytes
    gone = np.random.default_rng(0).permutation(keys)[:39_000]
    index.apply(np.full(len(gone), DELETE, np.uint8), gone, np.zeros(len(gone), np.int64))
    check_tree(index)
    assert index.nbytes < before / 5


def test_arrays_grow() -> None:
    """Red: what does not fit in the arrays is lost, or an operation is applied twice when the batch goes on."""
    index = GappedIndex.build(squares(10), np.zeros(10, np.int64), leaf_keys=16)
    keys = np.random.default_rng(1).permutation(squares(30_000))
    ops = np.full(2 * len(keys), INSERT, np.uint8)
    ops[1::2] = READ
    results, done = index.apply(ops, np.repeat(keys, 2), np.repeat(keys.view(np.int64), 2))
    assert done.sum() == 2 * len(keys) - 10
    assert np.array_equal(results[1::2][done[::2]], keys.view(np.int64)[done[::2]])
    check_tree(index)


@pytest.mark.parametrize("parameters", [{"leaf_keys": 8}, {"fill": 7}, {"leaf_keys": 10**6}])
def test_parameters_out_of_range(parameters: Any) -> None:
    """Red: a size that the layout cannot hold is accepted."""
    with pytest.raises(UserError, match="leaf_keys"):
        GappedIndex.build(squares(3), np.zeros(3, np.int64), **parameters)


def test_what_is_no_batch_or_no_keys_is_refused() -> None:
    """Red: bad input is taken, and answered wrongly, or fails in the middle of a batch."""
    two = np.zeros(2, np.int64)
    for keys, text in (
        (np.array([1.0, np.nan]), "NaN"), (np.array([2, 1]), "not above"), (np.array([1, 1]), "not above"),
        (np.array([1, 2], np.float32), "float32"), (np.array([[1], [2]]), "row"), (np.array([1, 2], ">i8"), "give a"),
    ):  # fmt: skip
        with pytest.raises(UserError, match=text):
            GappedIndex.build(keys, two)
    with pytest.raises(UserError, match="payloads"):
        GappedIndex.build(np.array([1, 2]), np.zeros(2))  # type: ignore[arg-type]
    index = GappedIndex.build(np.array([1.0, 2.0]), two)
    ops = np.zeros(2, np.uint8)
    for batch_, text in (
        ((ops, np.array([1.0, np.nan]), two), "NaN"), ((ops, np.array([1, 2]), two), "convert"),
        ((np.array([0, 6], np.uint8), np.array([1.0, 2.0]), two), "operation 1"), ((ops[:1], two, two), "a batch is"),
        ((np.array([0, SCAN], np.uint8), np.array([1.0, 2.0]), two - 1), "operation 1"),
    ):  # fmt: skip
        with pytest.raises(UserError, match=text):
            index.apply(*batch_)
    assert len(index) == 2
