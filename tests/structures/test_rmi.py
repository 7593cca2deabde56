"""The recursive model index gives what a search gives, whatever its models think."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.structures.cases import close_queries, key_sets

from unseat.core.jit import python
from unseat.structures import rmi, roots
from unseat.structures.codes import KEY_TYPES
from unseat.structures.locator import OverBudget

LEAVES = ("counts", "spline", "regression")


@pytest.mark.parametrize("leaf", LEAVES)
@pytest.mark.parametrize("kind", KEY_TYPES)
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_every_query_is_answered_as_by_a_search(kind: str, leaf: str, data: st.DataObject) -> None:
    """Broken, some key type, duplicate, extreme or absent query gets a wrong rank."""
    keys = data.draw(key_sets(kind))
    locator = rmi.build(
        keys,
        None,
        leaf=leaf,
        logarithmic=data.draw(st.booleans()),
        bits=data.draw(st.integers(1, 8)),
        leaves=data.draw(st.integers(1, 12)),
    )
    queries = close_queries(keys)
    assert locator.lower_bound(keys, queries).tolist() == np.searchsorted(keys, queries).tolist()


def _keys() -> NDArray[np.uint64]:
    rng = np.random.default_rng(1)
    steps = rng.integers(0, 1 << 40, 400, dtype=np.uint64) >> rng.integers(0, 40, 400).astype(np.uint64)
    return np.cumsum(np.repeat(steps, 5) * (np.arange(2000) % 5 > 1).astype(np.uint64), dtype=np.uint64)


@pytest.mark.parametrize("leaf", LEAVES)
@pytest.mark.parametrize("logarithmic", [False, True])
def test_plain_python_builds_and_finds_the_same(leaf: str, logarithmic: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Broken, the compiled kernels round or shift otherwise than what is written."""
    keys = _keys()
    compiled = rmi.build(keys, None, leaf=leaf, logarithmic=logarithmic, bits=4, leaves=7)
    queries = close_queries(keys)[::7]
    found = compiled.lower_bound(keys, queries)
    for name in ("segment_ends", "fill_counts", "fill_lines", "fit_line", "line_errors", "spread", "send"):
        monkeypatch.setattr(rmi, name, python(getattr(rmi, name)))
    for name in ("linear", "logarithmic", "split"):
        monkeypatch.setattr(roots, name, python(getattr(roots, name)))
    for name in ("send_block", "predict", "round_up", "_rounded", "_slope", "_window"):
        monkeypatch.setattr(rmi, name, python(getattr(rmi, name)))
    plain = rmi.build(keys, None, leaf=leaf, logarithmic=logarithmic, bits=4, leaves=7)
    for mine, theirs in zip(compiled.arrays, plain.arrays, strict=True):
        assert mine.tolist() == theirs.tolist()
    out = np.empty(len(queries), np.int64)
    python(compiled.run)(keys, queries, out, *compiled.arrays)
    assert out.tolist() == found.tolist()


def test_lines_of_more_keys_than_a_byte_counts_scale_their_counts() -> None:
    """Broken, a line that holds more than 255 keys points past or short of the answer."""
    keys = _keys()
    locator = rmi.build(keys, None, leaf="counts", bits=1, leaves=2)
    heads = locator.arrays[-1][::8]
    assert (heads >> np.uint64(50)).max() > 0
    queries = close_queries(keys)
    assert locator.lower_bound(keys, queries).tolist() == np.searchsorted(keys, queries).tolist()


@given(error=st.integers(0, 1 << 36))
def test_errors_round_up_by_little(error: int) -> None:
    """Broken, a window would be narrower than the error measured, or far wider."""
    kept = int(python(rmi._rounded)(python(rmi.round_up)(np.uint64(error))))
    assert error <= kept <= error + (error >> 6) + 1


@pytest.mark.parametrize("leaf", LEAVES)
def test_no_index_is_larger_than_its_budget(leaf: str) -> None:
    """Broken, a result at one budget is compared with others that had less."""
    keys = _keys()
    for budget in range(150, 2000, 37):
        try:
            locator = rmi.build(keys, budget, leaf=leaf, bits=3)
        except OverBudget:
            continue
        assert locator.nbytes <= budget
    with pytest.raises(OverBudget):
        rmi.build(keys, 100, leaf=leaf, bits=3)


def test_strange_keys_are_still_found() -> None:
    """Broken, keys that no model fits (all equal, two far clusters, a fractal) are lost."""
    cantor: NDArray[Any] = np.zeros(1, np.uint64)
    for level in range(10):
        cantor = np.concatenate([cantor, cantor + np.uint64(2 * 3 ** (level + 20))])
    clusters = np.concatenate([np.arange(500), np.arange(500) + (2**63 - 500)])
    for keys in (cantor, clusters, np.zeros(700, np.float64)):
        for leaf in LEAVES:
            locator = rmi.build(keys, None, leaf=leaf, bits=2, leaves=5)
            queries = close_queries(keys)
            assert locator.lower_bound(keys, queries).tolist() == np.searchsorted(keys, queries).tolist()
