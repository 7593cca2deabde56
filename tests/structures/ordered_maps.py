"""What tests of ordered maps share: a slow, obvious map, batches of operations, and what each structure must hold."""

from __future__ import annotations

import bisect
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from unseat.structures.operations import ADD, DELETE, INSERT, READ, SCAN, UPDATE, OrderedMap

WRAP = 2**64
EXTREMES: dict[str, list[Any]] = {
    "u8": [0, 1, 2**63 - 1, 2**63, 2**64 - 2, 2**64 - 1],
    "i8": [-(2**63), -(2**63) + 1, -1, 0, 1, 2**63 - 1],
    "f8": [-np.inf, -1.7e308, -5e-324, 0.0, 5e-324, 1.0, 1.7e308, np.inf],
}


def signed(value: int) -> int:
    """A number modulo 2**64, as int64 has it."""
    return (value + 2**63) % WRAP - 2**63


class Reference:
    """A dict, sorted anew for every scan."""

    def __init__(self, entries: dict[Any, int]) -> None:
        self.entries = dict(entries)

    def apply(self, op: int, key: Any, value: int) -> tuple[int, bool]:
        """One operation: result and done, as `OrderedMap.apply` says."""
        there, before = key in self.entries, self.entries.get(key, 0)
        if op == SCAN:
            keys = sorted(self.entries)
            taken = keys[bisect.bisect_left(keys, key) :][:value]
            return signed(sum(self.entries[one] for one in taken)), bool(taken)
        if op == INSERT:
            self.entries.setdefault(key, value)
            return before, not there
        if there and op == UPDATE:
            self.entries[key] = value
        elif there and op == ADD:
            self.entries[key] = signed(before + value)
        elif there and op == DELETE:
            del self.entries[key]
        return before, there


def keys_of(kind: str) -> st.SearchStrategy[Any]:
    """Keys of a type: its extremes, neighbours, clusters and anything else."""
    if kind == "f8":
        anything: st.SearchStrategy[Any] = st.floats(allow_nan=False) | st.integers(-20, 20).map(float)
        return anything.map(lambda key: key + 0.0) | st.sampled_from(EXTREMES[kind])
    low = 0 if kind == "u8" else -(2**63)
    return st.sampled_from(EXTREMES[kind]) | st.integers(low, low + 2**64 - 1) | st.integers(0, 60)


def rows_of(kind: str) -> st.SearchStrategy[list[Any]]:
    """Up to 300 keys at equal or at doubling steps, which a line fits well or not at all; distinct, in no order."""

    def row(start: int, step: int, count: int, doubles: bool, seed: int) -> list[Any]:
        raw = [start + (step << i % 60 if doubles else step * i) for i in range(count)]
        low = 0 if kind == "u8" else -(2**63)
        distinct = list(dict.fromkeys(one for one in raw if low <= one < low + 2**64))
        keys = [float(one) for one in distinct] if kind == "f8" else distinct
        return [keys[i] for i in np.random.default_rng(seed).permutation(len(keys))]

    starts = st.integers(0, 2**63) | st.integers(0, 1000)
    return st.builds(
        row, starts, st.integers(1, 5) | st.integers(1, 2**54), st.integers(1, 300), st.booleans(), st.integers(0, 99)
    )


def batch_of(dtype: Any, operations: list[tuple[int, Any, int]]) -> tuple[Any, Any, Any]:
    """The three arrays of a batch."""
    ops, keys, values = zip(*operations, strict=True)
    return np.array(ops, np.uint8), np.array(keys, dtype), np.array(values, np.int64)


class MapMachine(RuleBasedStateMachine):
    """Any sequence of batches gives what the reference gives, and leaves the structure sound.

    A subclass gives `build` and `check`.
    """

    made: OrderedMap
    reference: Reference
    kind = "u8"

    def build(self, keys: Any, values: Any, small: int) -> OrderedMap:
        """The structure, of small nodes; `small` chooses among several sizes."""
        raise NotImplementedError

    def check(self) -> None:
        """Raise AssertionError where the structure is not sound."""
        raise NotImplementedError

    @initialize(kind=st.sampled_from(["u8", "i8", "f8"]), small=st.integers(0, 2), data=st.data())
    def start(self, kind: str, small: int, data: Any) -> None:
        keys = np.unique(np.array(data.draw(rows_of(kind) | st.just([]) | st.lists(keys_of(kind))), kind))
        values = np.arange(len(keys), dtype=np.int64) - 5
        self.kind, self.made = kind, self.build(keys, values, small)
        self.reference = Reference(dict(zip(keys.tolist(), values.tolist(), strict=True)))

    def apply(self, operations: list[tuple[int, Any, int]]) -> None:
        """Apply to both and compare."""
        results, done = self.made.apply(*batch_of(self.kind, operations))
        wanted = [self.reference.apply(*one) for one in operations]
        assert list(zip(results.tolist(), done.tolist(), strict=True)) == wanted

    @rule(data=st.data())
    def mixed(self, data: Any) -> None:
        present = list(self.reference.entries)[:50]
        key = keys_of(self.kind) | st.sampled_from(present) if present else keys_of(self.kind)
        change = st.tuples(st.sampled_from([READ, INSERT, UPDATE, DELETE, ADD]), key, st.integers(-(2**63), 2**63 - 1))
        scan = st.tuples(st.just(SCAN), key, st.integers(0, 80))
        self.apply(data.draw(st.lists(change | scan, min_size=1, max_size=80)))

    @rule(data=st.data(), reads=st.booleans())
    def many_inserts(self, data: Any, reads: bool) -> None:
        row = data.draw(rows_of(self.kind))
        if row:
            after = [(READ, key, 0) for key in row[::-1]] if reads else []
            self.apply([(INSERT, key, i) for i, key in enumerate(row)] + after)

    @rule(part=st.integers(1, 4), seed=st.integers(0, 99))
    def many_deletes(self, part: int, seed: int) -> None:
        keys = list(self.reference.entries)
        chosen = np.random.default_rng(seed).permutation(len(keys))[: len(keys) * part // 4]
        if len(chosen):
            self.apply([(DELETE, keys[i], 0) for i in chosen])

    @rule(data=st.data())
    def a_range(self, data: Any) -> None:
        low, high = data.draw(keys_of(self.kind)), data.draw(keys_of(self.kind))
        keys, values = self.made.range(low, high)
        wanted = sorted((key, value) for key, value in self.reference.entries.items() if low <= key <= high)
        assert list(zip(keys.tolist(), values.tolist(), strict=True)) == wanted

    @invariant()
    def sound(self) -> None:
        if hasattr(self, "made"):
            assert len(self.made) == len(self.reference.entries)
            keys, values = self.made.items()
            assert list(zip(keys.tolist(), values.tolist(), strict=True)) == sorted(self.reference.entries.items())
            self.check()
