"""Inserting, deleting and ranges: any sequence of them against sorted lists."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sortedcontainers import SortedList  # type: ignore[import-untyped]

from unseat.core.errors import UserError
from unseat.structures import LearnedIndex, pending


class Machine(RuleBasedStateMachine):
    """An index and a sorted list that always do the same."""

    keys: ClassVar[st.SearchStrategy[Any]]
    dtype: ClassVar[str | None]

    @initialize(data=st.data())
    def build(self, data: st.DataObject) -> None:
        keys = sorted(data.draw(st.lists(self.keys, min_size=1, max_size=30), label="keys"))
        self.index = LearnedIndex(keys if self.dtype is None else np.array(keys, self.dtype))
        self.model = SortedList(keys)

    @rule(data=st.data())
    def insert(self, data: st.DataObject) -> None:
        keys = data.draw(st.lists(self.keys, max_size=6), label="insert")
        assert self.index.insert(keys) == len(keys)
        self.model.update(keys)

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        some = st.one_of(self.keys, st.sampled_from(list(self.model) or [data.draw(self.keys)]))
        keys = data.draw(st.lists(some, max_size=6), label="delete")
        there = []
        for key in keys:
            if key in self.model:
                self.model.remove(key)
                there.append(key)
        if len(there) < len(keys):
            before = list(self.index.keys)
            with pytest.raises(KeyError):
                self.index.delete(keys)
            assert list(self.index.keys) == before
        assert self.index.delete(keys, missing="ignore") == len(there)

    @rule(data=st.data())
    def search(self, data: st.DataObject) -> None:
        queries = data.draw(st.lists(self.keys, min_size=1, max_size=6), label="search")
        assert self.index.search(queries).tolist() == [bisect_left(self.model, query) for query in queries]
        assert self.index.search(queries, "right").tolist() == [bisect_right(self.model, query) for query in queries]
        assert (queries[0] in self.index) == (queries[0] in self.model)

    @rule(low=st.data(), high=st.data())
    def range(self, low: st.DataObject, high: st.DataObject) -> None:
        lower, upper = low.draw(self.keys, label="low"), high.draw(self.keys, label="high")
        start, stop = self.index.range(lower, upper)
        inside = [key for key in self.model if lower <= key < upper]
        assert list(self.index[start:stop]) == inside
        assert stop - start == len(inside)

    @rule(data=st.data())
    def slice(self, data: st.DataObject) -> None:
        start, stop = (data.draw(st.integers(-len(self.model) - 1, len(self.model) + 1)) for _ in range(2))
        assert list(self.index[start:stop]) == list(self.model)[start:stop]
        if self.model:
            place = data.draw(st.integers(-len(self.model), len(self.model) - 1), label="place")
            assert self.index[place] == self.model[place]

    @rule()
    def save_and_load(self) -> None:
        with TemporaryDirectory() as folder:
            self.index.save(Path(folder) / "index")
            self.index = LearnedIndex.load(Path(folder) / "index")

    @rule()
    def compact(self) -> None:
        self.index.compact()

    @invariant()
    def same_keys(self) -> None:
        if hasattr(self, "index"):
            assert len(self.index) == len(self.model)
            assert list(self.index.keys) == list(self.model)


class Integers(Machine):
    keys = st.one_of(st.integers(-6, 6), st.sampled_from([-(2**63), 2**63 - 1]))
    dtype = "i8"


class Unsigned(Machine):
    keys = st.one_of(st.integers(0, 6), st.integers(2**64 - 4, 2**64 - 1))
    dtype = "u8"


class Doubles(Machine):
    keys = st.one_of(st.integers(-6, 6).map(lambda number: number / 2), st.sampled_from([-0.0, float("inf")]))
    dtype = "f8"


class Words(Machine):
    keys = st.text(alphabet="ab\0é", max_size=3)
    dtype = None


@pytest.mark.parametrize("machine", [Integers, Unsigned, Doubles, Words])
def test_any_sequence_of_changes(machine: type[Machine]) -> None:
    """Goes red if an index differs from a sorted list after some sequence of changes, saving and loading included."""
    limits = settings(max_examples=25, stateful_step_count=20, deadline=None)
    run_state_machine_as_test(machine, settings=limits)


@pytest.fixture(autouse=True)
def soon_rebuilt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rebuild after a few changes, so that short sequences see it happen."""
    monkeypatch.setattr(pending, "LEAST_PENDING", 12)


def test_a_batch_larger_than_what_may_pend_is_merged_at_once() -> None:
    """Goes red if changes pile up without end, or a large batch loses keys."""
    keys = np.arange(0, 1000, 2)
    index = LearnedIndex(keys)
    index.insert(np.arange(1, 1000, 2)[::-1])
    assert index._state.pending == 0
    assert index.keys.tolist() == list(range(1000))
    assert index.delete(np.arange(500)) == 500
    assert index.search([0, 500, 999]).tolist() == [0, 0, 499]
    for step in range(2000):
        index.insert(step)
        assert index._state.pending <= pending.most_pending(len(index._state.base))
    assert len(index) == 2500


def test_ranges_of_many_keys_at_once() -> None:
    """Goes red if `range` does not take arrays, or gives a negative number of keys where low is above high."""
    index = LearnedIndex(np.array([1, 2, 2, 3]))
    start, stop = index.range([0, 2, 3], [4, 3, 1])
    assert start.tolist() == [0, 1, 3]
    assert stop.tolist() == [4, 3, 3]
    assert index.range(2, 2) == (1, 1)
    assert index.range(-(2**70), 2.5) == (0, 3)
    with pytest.raises(UserError, match="step"):
        index[::2]
    with pytest.raises(IndexError):
        index[4]


@pytest.mark.parametrize(
    "keys, key",
    [
        (np.array([1], "i4"), 2**31), (np.array([1], "i8"), 2**63), (np.array([1], "i8"), 0.5), ([1.0], 2**53 + 1),
        (np.array([1], "f4"), 2.0**24 + 1), (np.array([1], "u8"), -1), ([1.0], float("nan")), ([1], "a"), (["a"], 1),
        (np.array([1], "M8[s]"), np.datetime64(1500, "ms")), (np.array([1], "u8"), 2.0**64),
    ],
)  # fmt: skip
def test_a_key_that_the_type_does_not_hold_is_refused(keys: Any, key: Any) -> None:
    """Goes red if a key is rounded on its way in."""
    index = LearnedIndex(keys)
    with pytest.raises(UserError):
        index.insert([index[0], key] if not isinstance(key, np.datetime64) else key)
    assert len(index) == 1


def test_keys_of_another_type_that_are_held_exactly() -> None:
    """Goes red if a key is refused for the type that it comes in, though its value fits."""
    index = LearnedIndex(np.array([1.5, 3.0]))
    index.insert([2, 2**53])
    index.insert(np.array([7], "u1"))
    assert index.keys.tolist() == [1.5, 2.0, 3.0, 7.0, 2.0**53]
    assert index.delete(3) == 1
    times = LearnedIndex(np.array(["2020-01-01"], "M8[s]"))
    times.insert(np.datetime64("2020-01-02", "D"))
    assert times.search(np.datetime64("2020-01-02T00:00:00.5")) == 2
