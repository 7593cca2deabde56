"""The tuner takes what fits the keys and the budget."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.structures.cases import close_queries, key_sets

from unseat.core.jit import python
from unseat.structures import roots, tuner
from unseat.structures.codes import KEY_TYPES
from unseat.structures.locator import OverBudget
from unseat.structures.roots import root_shape, root_table, segment_ends


@pytest.mark.parametrize("kind", KEY_TYPES)
@settings(deadline=None, max_examples=12)
@given(data=st.data())
def test_what_is_chosen_answers_as_a_search_does(kind: str, data: st.DataObject) -> None:
    """Broken, some keys or budget lead to an index that is wrong or too large."""
    keys = data.draw(key_sets(kind))
    budget = data.draw(st.one_of(st.none(), st.integers(0, 3000)))
    try:
        locator = tuner.build(keys, budget)
    except OverBudget:
        assert budget is not None
        assert budget < 200
        return
    assert budget is None or locator.nbytes <= budget
    queries = close_queries(keys)
    assert locator.lower_bound(keys, queries).tolist() == np.searchsorted(keys, queries).tolist()


def _sets() -> dict[str, NDArray[np.uint64]]:
    rng = np.random.default_rng(4)
    starts = np.sort(rng.integers(0, 1 << 63, 40, dtype=np.uint64))
    return {
        "even": np.arange(20_000, dtype=np.uint64) * np.uint64(1 << 40),
        "lognormal": np.sort((np.exp(2 * rng.standard_normal(20_000)) * 2**44).astype(np.uint64)),
        "clusters": np.sort((starts[:, None] + np.arange(500, dtype=np.uint64) * np.uint64(3)).ravel()),
    }


def test_the_choice_depends_on_the_keys() -> None:
    """Broken, one specification is used for all: skewed keys get a linear root, clusters one that cannot part them."""
    keys = _sets()
    even, lognormal, clusters = (tuner.build(keys[name], 2500) for name in ("even", "lognormal", "clusters"))
    assert even.config["expected_cost"] < 20
    assert lognormal.config["logarithmic"]
    assert clusters.name in ("pgm", "radix_spline")


@pytest.mark.parametrize("name", ["even", "lognormal", "clusters"])
def test_more_bytes_never_cost_more(name: str) -> None:
    """Broken, the frontier of size and latency has kinks that are the tuner's, not the keys'."""
    keys = _sets()[name]
    costs = [tuner.build(keys, budget).config["expected_cost"] for budget in (160, 1600, 16_000)]
    assert costs == sorted(costs, reverse=True)


def test_windows_are_what_the_leaves_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Broken, candidates are judged by windows that they would not have; compiled and plain code are held equal."""
    keys = np.sort(np.random.default_rng(5).integers(0, 1 << 50, 500, dtype=np.uint64))
    shape = root_shape(keys, False, 3)
    table = root_table(segment_ends(keys, shape), 3)
    sample = np.arange(0, 500, 7)
    ranges = [_range(keys, int(i), shape, table) for i in sample]
    assert tuner.counts_windows(keys, sample, shape, table).tolist() == ranges
    compiled = [tuner.line_windows(keys, sample, shape, table, squares).tolist() for squares in (False, True)]
    for name in ("linear", "split"):
        monkeypatch.setattr(roots, name, python(getattr(roots, name)))
    for name in ("_range", "_unit", "spread", "send"):
        monkeypatch.setattr(tuner, name, python(getattr(tuner, name)))
    assert python(tuner.counts_windows)(keys, sample, shape, table).tolist() == ranges
    plain = [python(tuner.line_windows)(keys, sample, shape, table, squares).tolist() for squares in (False, True)]
    assert plain == compiled


def _range(keys: NDArray[Any], i: int, shape: Any, table: Any) -> float:
    units = [tuner._unit(key, shape, table, np.uint64(56)) for key in keys]
    lines = [unit // 56 for unit in units]
    return float(units.count(units[i]) + lines.count(lines[i]) // 256)
