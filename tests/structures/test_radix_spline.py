"""RadixSpline: a spline within its error, right answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.structures.cases import close_queries, key_sets

from unseat.core.jit import python
from unseat.structures import radix_spline
from unseat.structures.codes import KEY_TYPES
from unseat.structures.locator import OverBudget


@pytest.mark.parametrize("kind", KEY_TYPES)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_every_query_is_answered_as_by_a_search(kind: str, data: st.DataObject) -> None:
    """Broken, some key type, duplicate, extreme or absent query gets a wrong rank."""
    keys = data.draw(key_sets(kind))
    locator = radix_spline.build(
        keys,
        None,
        error=data.draw(st.integers(1, 5)),
        bits=data.draw(st.one_of(st.none(), st.integers(1, 8))),
        logarithmic=data.draw(st.booleans()),
    )
    queries = close_queries(keys)
    assert locator.lower_bound(keys, queries).tolist() == np.searchsorted(keys, queries).tolist()


def _keys() -> NDArray[np.uint64]:
    rng = np.random.default_rng(3)
    gaps = rng.integers(0, 1 << 40, 3000, dtype=np.uint64) >> np.repeat(rng.integers(0, 40, 60), 50).astype(np.uint64)
    return np.cumsum(gaps, dtype=np.uint64)


@pytest.mark.parametrize("error", [1, 4, 32])
def test_the_spline_errs_by_no_more_than_was_asked(error: int) -> None:
    """Broken, windows grow: beside the error there is only the rounding of a rank, and one for what is not there."""
    below, above = radix_spline.build(np.unique(_keys()), None, error=error).arrays[-1].tolist()
    assert below <= error
    assert above <= error + 2


def test_knots_lie_on_the_keys() -> None:
    """Broken, the spline does not pass through the points that its corridor was drawn between."""
    keys = np.unique(_keys())
    _, _, places, ranks, _ = radix_spline.build(keys, None, error=4).arrays
    assert (keys[ranks] - keys[0]).tolist() == places.tolist()
    assert places[0] == 0
    assert ranks[-1] == len(keys) - 1


def test_plain_python_builds_and_finds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Broken, the compiled kernels round otherwise than what is written."""
    keys = _keys()[:600]
    compiled = radix_spline.build(keys, None, error=2)
    queries = close_queries(keys)[::7]
    found = compiled.lower_bound(keys, queries)
    for name in ("fit_spline", "radix_table", "measure", "predict", "spread"):
        monkeypatch.setattr(radix_spline, name, python(getattr(radix_spline, name)))
    plain = radix_spline.build(keys, None, error=2)
    for mine, theirs in zip(compiled.arrays, plain.arrays, strict=True):
        assert mine.tolist() == theirs.tolist()
    out = np.empty(len(queries), np.int64)
    python(compiled.run)(keys, queries, out, *compiled.arrays)
    assert out.tolist() == found.tolist()


def test_the_error_grows_until_the_budget_holds() -> None:
    """Broken, a result at one budget is compared with others that had less."""
    keys = _keys()
    sizes = []
    for budget in (24000, 6000, 2000, 1000):
        locator = radix_spline.build(keys, budget)
        assert locator.nbytes <= budget
        sizes.append(locator.config["error"])
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]
    with pytest.raises(OverBudget):
        radix_spline.build(keys, 60)
    with pytest.raises(OverBudget):
        radix_spline.build(keys, 1000, error=1)
