"""Hash functions spread keys, and hash tables answer as a dict does."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from unseat.core.jit import python
from unseat.structures.hashing import functions, learned, measure, mixing, tables

Words = NDArray[np.uint64]
words = st.integers(0, 2**64 - 1)
sets = st.lists(st.one_of(words, st.integers(0, 50), st.integers(2**64 - 9, 2**64 - 1)), min_size=1, unique=True)
NAMES = (*functions.FUNCTIONS, *learned.MODELS)


def made(name: str, keys: Words, nbytes: int = 200) -> functions.HashFunction:
    """A function of that name; the learned ones are made from the keys."""
    return functions.FUNCTIONS[name](3) if name in functions.FUNCTIONS else learned.MODELS[name](keys, nbytes)


@settings(max_examples=200, deadline=None)
@given(words, words)
def test_multiply_high(a: int, b: int) -> None:
    """Red: the upper half of a product is wrong, compiled or in Python."""
    assert int(mixing.multiply_high(a, b)) == a * b >> 64
    out = np.empty(1, np.int64)
    functions.fibonacci_slots(np.array([a], np.uint64), out, 1 << 62)
    assert out[0] == ((a * 0x9E3779B97F4A7C15 % 2**64) << 62) >> 64


@settings(max_examples=100, deadline=None)
@given(words, st.lists(words, min_size=4, max_size=4))
def test_multiply_shift_is_the_product_over_128_bits(key: int, numbers: list[int]) -> None:
    """Red: a carry is lost between the two words of ``a * key + b``."""
    out = np.empty(1, np.int64)
    functions.multiply_shift_slots(np.array([key], np.uint64), out, 1 << 62, np.array(numbers, np.uint64))
    a, b = numbers[0] + (numbers[1] << 64), numbers[2] + (numbers[3] << 64)
    assert out[0] == ((a * key + b) % 2**128 >> 64) >> 2


def test_known_values() -> None:
    """Red: a mixer is not the published one (MurmurHash3's finaliser of 1; XXH64 of eight zero bytes, seed 0)."""
    assert mixing.murmur_mix(np.uint64(1)) == 0xB456BCFC34C2CB2C
    assert mixing.xx_mix(np.uint64(0), np.uint64(0)) == 0x34C96ACDCADB1BBB


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None)
@given(keys=sets, queries=st.lists(words, max_size=30), slots=st.integers(1, 1000), nbytes=st.integers(0, 3000))
def test_slots_lie_in_the_table(name: str, keys: list[int], queries: list[int], slots: int, nbytes: int) -> None:
    """Red: a key of the set or any other goes outside the table, or to another slot when asked for alone."""
    known = np.array(sorted(keys), np.uint64)
    function = made(name, known, nbytes)
    asked = np.concatenate([known, np.array(queries, np.uint64)])
    found = function.slots(asked, slots)
    assert found.min() >= 0 and found.max() < slots
    assert function.slots(asked[-1:], slots) == found[-1:]
    with np.errstate(over="ignore"):
        out = np.empty(len(asked), np.int64)
        python(function.run)(asked, out, slots, *function.arrays)
    assert np.array_equal(out, found)


@pytest.mark.parametrize("name", functions.FUNCTIONS)
def test_good_functions_spread_as_chance_does(name: str) -> None:
    """Red: random keys conflict more or less often than under a random function, 1 - (1 - 1/n)^(n - 1) of them."""
    keys = np.unique(np.random.default_rng(1).integers(0, 1 << 64, 50_000, np.uint64))
    spread = measure.spread(functions.FUNCTIONS[name](7).slots(keys, len(keys)), len(keys))
    assert spread.conflicts == pytest.approx(1 - np.exp(-1), abs=0.01)
    assert spread.colliding == pytest.approx(np.exp(-1), abs=0.01) == pytest.approx(spread.empty, abs=0.01)


@pytest.mark.parametrize("name", learned.MODELS)
def test_learned_functions_part_even_keys(name: str) -> None:
    """Red: keys in arithmetic order share slots, where the model is exact."""
    keys = 1000 + 17 * np.arange(5000, dtype=np.uint64)
    assert measure.spread(made(name, keys, 2000).slots(keys, 5000), 5000).conflicts < 0.02


def test_spline_is_monotone() -> None:
    """Red: the spline jumps back between intervals, so that it is no distribution function."""
    keys = np.unique((np.random.default_rng(2).lognormal(0, 2, 3000) * 1e12).astype(np.uint64))
    queries = np.unique(np.concatenate([keys, np.random.default_rng(3).integers(0, keys[-1], 3000, np.uint64)]))
    assert np.all(np.diff(learned.spline(keys, 4000).slots(queries, 1 << 40)) >= 0)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 19), min_size=1, max_size=60))
def test_spread_counts(slots: list[int]) -> None:
    """Red: conflicts, collisions, probes or empty slots are miscounted (against a slow count)."""
    found, lists = measure.spread(np.array(slots), 20), Counter(slots)
    n = len(slots)
    assert found.conflicts == pytest.approx(sum(lists[slot] > 1 for slot in slots) / n)
    assert found.colliding == pytest.approx(sum(slots[:i].count(slot) > 0 for i, slot in enumerate(slots)) / n)
    assert found.empty == pytest.approx(1 - len(lists) / 20) and found.longest == max(lists.values())
    assert found.present == pytest.approx(sum(slots[: i + 1].count(slot) for i, slot in enumerate(slots)) / n)
    assert found.absent == pytest.approx(sum(lists[slot] for slot in slots) / n)


def table(kind: str, keys: Words, function: functions.HashFunction, load: float) -> tables.Table:
    """A table of that kind whose values are the keys' numbers."""
    values = np.arange(len(keys))
    if kind == "cuckoo":
        return tables.cuckoo(keys, values, function, functions.murmur(9), load)
    return (tables.chained if kind == "chained" else tables.linear)(keys, values, function, load)


@pytest.mark.parametrize("kind", ["chained", "linear", "cuckoo"])
@settings(max_examples=60, deadline=None)
@given(keys=sets, queries=st.lists(words, max_size=30), name=st.sampled_from(NAMES), load=st.sampled_from([0.3, 0.9]))
def test_tables_answer_as_a_dict(kind: str, keys: list[int], queries: list[int], name: str, load: float) -> None:
    """Red: a table misses a key, finds one that is not there (the largest and zero among them) or miscounts."""
    known = np.array(sorted(keys), np.uint64)
    try:
        one = table(kind, known, made(name, known), load)
    except tables.TableFull:
        assert kind == "cuckoo"
        return
    asked = np.concatenate([known, np.array(queries, np.uint64)])
    answers = {key: place for place, key in enumerate(known.tolist())}
    found, probes = one.lookup(asked)
    assert found.tolist() == [answers.get(key, tables.ABSENT) for key in asked.tolist()]
    assert probes >= len(known) and one.nbytes >= 8 * len(known)


@pytest.mark.parametrize("kind", ["chained", "linear", "cuckoo"])
def test_tables_in_plain_python(kind: str) -> None:
    """Red: a lookup gives another answer or count when compiled than it does in Python."""
    keys = np.arange(0, 900, 3, dtype=np.uint64)
    one = table(kind, keys, functions.murmur(), 0.8)
    queries = np.arange(400, dtype=np.uint64)
    slots = one.function.slots(queries, one.slots)
    others = one.second.slots(queries, one.slots) if one.second else slots
    out = np.empty(len(queries), np.int64)
    counted: Any = python(one.find)(queries, slots, others, out, *one.arrays)
    found, probes = one.lookup(queries)
    assert np.array_equal(out, found) and counted == probes


def test_crowded_tables_are_given_up() -> None:
    """Red: keys that all meet fill a table for ever, or are lost in it."""
    keys = np.arange(3000, dtype=np.uint64)
    nowhere = functions.HashFunction("zero", lambda keys, out, slots: out.fill(0))
    with pytest.raises(tables.TableFull, match="linear"):
        tables.linear(keys, np.arange(3000), nowhere, 0.5)
    with pytest.raises(tables.TableFull, match="cuckoo"):
        tables.cuckoo(keys, np.arange(3000), nowhere, nowhere, 0.5)
    chained = tables.chained(keys, np.arange(3000), nowhere)
    assert chained.lookup(keys)[0].tolist() == list(range(3000))
