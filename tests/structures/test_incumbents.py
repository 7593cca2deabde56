"""The incumbents of the index task find what `numpy.searchsorted` finds, whatever the keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.structures.cases import close_queries, key_sets

from unseat.core.jit import python
from unseat.structures import eytzinger, interpolation, lanes, memory_floor, radix_table, search, static_btree
from unseat.structures.codes import KEY_TYPES
from unseat.structures.locator import Locator, OverBudget

BUILDS: dict[str, Callable[..., Locator]] = {
    "plain": search.plain,
    "branchless": search.branchless,
    "interleaved": search.interleaved,
    "numpy": search.numpy_searchsorted,
    "interpolation": lambda keys, budget: interpolation.build(keys, budget, form="sequential"),
    "interpolation of three points": lambda keys, budget: interpolation.build(keys, budget, form="three points"),
    "interpolation, interleaved": lambda keys, budget: interpolation.build(keys, budget, form="interleaved"),
    "eytzinger": eytzinger.build,
    "static B+-tree": static_btree.build,
    "static B+-tree, one line a bucket": lambda keys, budget: static_btree.build(keys, budget, lines=1),
    "static B+-tree, five lines a bucket": lambda keys, budget: static_btree.build(keys, budget, lines=5),
    "radix table": radix_table.build,
    "radix table of four cells": lambda keys, budget: radix_table.build(keys, budget, cells=4),
}
STRUCTURES = (eytzinger.build, static_btree.build, radix_table.build)
SIMPLE = ("plain", "branchless", "interleaved", "numpy")
CASES = [(kind, name) for name in BUILDS for kind in (KEY_TYPES if name in SIMPLE else ("f8", "u8", "i4"))]
"""Every structure with each kind of key and both widths; each pair is compiled anew, which takes seconds."""


def check(locator: Locator, keys: NDArray[Any], queries: NDArray[Any]) -> None:
    """The locator's answers are NumPy's."""
    assert locator.lower_bound(keys, queries).tolist() == np.searchsorted(keys, queries).tolist()


def grown(kind: str, size: int, seed: int) -> NDArray[Any]:
    """Many keys of a type with runs of duplicates, dense and sparse parts, and the extremes."""
    rng = np.random.default_rng(seed)
    steps = rng.integers(0, 1 << 30, size, dtype=np.uint64) >> rng.integers(0, 31, size, dtype=np.uint64)
    codes = np.cumsum(steps * (rng.random(size) < 0.7))
    kind_ = np.dtype(kind)
    if kind_.kind == "f":
        keys = (codes.astype(np.float64) - float(codes[size // 2])).astype(kind_)
        keys[:3], keys[-3:] = -np.inf, np.inf
        return np.sort(keys)
    limits = np.iinfo(kind_)
    keys = (codes % np.uint64(limits.max)).astype(kind_)
    keys[:3], keys[-3:] = limits.min, limits.max
    return np.sort(keys)


@pytest.mark.parametrize(("kind", "name"), CASES)
@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_every_query_is_answered_as_by_numpy(kind: str, name: str, data: st.DataObject) -> None:
    """Broken, some key type, duplicate, extreme, single key or absent query gets a wrong rank."""
    keys = data.draw(key_sets(kind))
    check(BUILDS[name](keys, None), keys, close_queries(keys))


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_arrays_of_several_levels_are_searched_right(kind: str, name: str) -> None:
    """Broken, what only large arrays have is wrong: inner levels, wide windows, blocks that are not full."""
    rng = np.random.default_rng(3)
    for size in (17, 127, 128, 1023, 5000, 20001):
        keys = grown(kind, size, size)
        queries = rng.permutation(close_queries(keys))[: 128 * 9 + 5]
        check(BUILDS[name](keys, None), keys, queries)


@pytest.mark.parametrize("build", STRUCTURES)
@pytest.mark.parametrize("kind", ["f8", "u8", "i4"])
def test_a_budget_is_kept_and_answers_stay_right(kind: str, build: Callable[..., Locator]) -> None:
    """Broken, a structure holds more than it was given, or narrow tables answer wrong."""
    keys = grown(kind, 30000, 5)
    queries = np.random.default_rng(7).permutation(close_queries(keys))[:3000]
    fitted = 0
    for share in (2.0, 0.3, 0.1, 0.01, 0.003):
        budget = int(share * keys.nbytes)
        try:
            locator = build(keys, budget)
        except OverBudget:
            continue
        assert locator.nbytes <= budget
        check(locator, keys, queries)
        fitted += 1
    assert fitted >= (1 if build is eytzinger.build else 5)


@pytest.mark.parametrize("build", STRUCTURES)
@pytest.mark.parametrize("size", [1, 100])
def test_too_small_a_budget_is_refused(size: int, build: Callable[..., Locator]) -> None:
    """Broken, the frontier of size and time holds points that are not what they claim."""
    keys = np.arange(size, dtype=np.uint64)
    for budget in (0, 7):
        with pytest.raises(OverBudget):
            build(keys, budget)


@pytest.mark.parametrize("kind", KEY_TYPES)
def test_unaligned_keys_and_moved_keys_are_searched_right(kind: str) -> None:
    """Broken, keys that begin inside a cache line, or a structure used on a copy elsewhere, give wrong ranks."""
    whole = grown(kind, 3000, 9)
    queries = close_queries(whole)[:500]
    for offset in (0, 1, 3, 7, 15):
        keys = whole[offset:]
        for build in (static_btree.build, radix_table.build):
            locator = build(keys, None)
            check(locator, keys, queries)
            moved = lanes.aligned(len(keys) + 5, keys.dtype)[5:]
            moved[:] = keys
            check(locator, moved, queries)


@pytest.mark.parametrize("name", [name for name in BUILDS if name != "numpy"])
@pytest.mark.parametrize("kind", ["u8", "f4"])
def test_plain_python_finds_the_same(kind: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Broken, a compiled kernel does otherwise than what is written."""
    keys = grown(kind, 300, 11)
    queries = np.random.default_rng(13).permutation(close_queries(keys))[:150]
    locator = BUILDS[name](keys, None)
    out = np.empty(len(queries), np.int64)
    python(locator.run)(keys, queries, out, *locator.arrays)
    assert out.tolist() == locator.lower_bound(keys, queries).tolist()


def test_plain_python_builds_the_same() -> None:
    """Broken, a compiled builder rounds or shifts otherwise than what is written."""
    keys = grown("i8", 400, 15)
    tree = np.zeros(len(keys) + 1, keys.dtype)
    python(eytzinger._arrange)(keys, tree)
    assert tree[1:].tolist() == eytzinger.build(keys).arrays[0][1:].tolist()
    images = keys.astype(np.uint64)
    header, bounds = radix_table._divide(np.sort(images), 8)
    plans = [np.zeros(2 * len(bounds) - 2, np.uint64) for _ in range(2)]
    totals = [
        write(np.sort(images), bounds, 3.0, plan)
        for write, plan in zip((radix_table._write_cells, python(radix_table._write_cells)), plans, strict=True)
    ]
    assert totals[0] == totals[1] and plans[0].tolist() == plans[1].tolist()
    begins = [np.zeros(totals[0] + 1, np.uint32) for _ in range(2)]
    radix_table._fill(np.sort(images), bounds, plans[0], begins[0])
    python(radix_table._fill)(np.sort(images), bounds, plans[0], begins[1])
    assert begins[0].tolist() == begins[1].tolist()


@pytest.mark.parametrize("kind", KEY_TYPES)
def test_a_cache_line_is_compared_at_once(kind: str) -> None:
    """Broken, a node's keys are compared one by one, and the B+-tree is beaten for want of vector instructions."""
    compiled = numba.njit(python(_count))  # not from the cache, whose code cannot be inspected
    keys = grown(kind, 100, 17)
    for start in (0, 3, 80):
        assert compiled(keys, start, keys[start + 5]) == _count(keys, start, keys[start + 5])
    assert f"<{64 // keys.itemsize} x i1>" in "".join(compiled.inspect_llvm().values())


def _count(keys: NDArray[Any], start: int, query: Any) -> int:
    return lanes.count_less(keys, start, query)


@pytest.mark.parametrize("kind", KEY_TYPES)
def test_the_floor_reads_keys_all_over_the_array(kind: str) -> None:
    """Broken, the bound reads few cache lines over and over, and is far too low."""
    keys = grown(kind, 20000, 19)
    spread = np.random.default_rng(21).integers(0, 1 << 31, 20000).astype(kind)
    reached = memory_floor.build(keys).lower_bound(keys, spread)
    assert reached.min() >= 0 and reached.max() <= len(keys)
    cells = np.bincount(np.minimum(reached, len(keys) - 1) * 20 // len(keys), minlength=20)
    assert cells.min() > 800
