"""The PGM-index: fewest segments, proven error, right answers."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.structures.cases import close_queries, key_sets

from unseat.core.jit import jit, python
from unseat.structures import pgm
from unseat.structures.codes import KEY_TYPES
from unseat.structures.locator import OverBudget

Point = tuple[int, int]


def _points(codes: list[int]) -> list[Point]:
    """Every code with the rank of its first copy; the value above one with copies has the rank after them."""
    points: list[Point] = []
    for i, value in enumerate(codes):
        if i == 0 or value != codes[i - 1]:
            points.append((value, i))
        elif value + 1 < (1 << 64) and (i + 1 == len(codes) or codes[i + 1] > value + 1):
            points.append((value + 1, i + 1))
    return points


def _one_line_passes(points: list[Point], error: int) -> bool:
    """Whether the steepest of the least slopes that two points demand is no steeper than the least of the greatest."""
    pairs = [(a, b) for i, a in enumerate(points) for b in points[i + 1 :]]
    least = [Fraction(b[1] - error - a[1] - error, b[0] - a[0]) for a, b in pairs]
    most = [Fraction(b[1] + error - a[1] + error, b[0] - a[0]) for a, b in pairs]
    return not pairs or max(least) <= min(most)


def _fewest(points: list[Point], error: int) -> int:
    """By dynamic programming over all ways to cut."""
    fewest = [0]
    for end in range(1, len(points) + 1):
        fewest.append(min(fewest[start] + 1 for start in range(end) if _one_line_passes(points[start:end], error)))
    return fewest[-1]


@settings(deadline=None, max_examples=150)
@given(
    codes=st.lists(
        st.one_of(st.integers(0, 60), st.integers(2**63 - 5, 2**63 + 5), st.integers(0, 2**64 - 1)),
        min_size=1,
        max_size=14,
    ),
    error=st.integers(1, 3),
)
def test_no_segmentation_has_fewer_segments(codes: list[int], error: int) -> None:
    """Broken, a comparison overflows or a hull loses a point, and the index is larger than its paper's."""
    keys = np.sort(np.array(codes, np.uint64))
    origins, slopes, _ = pgm.fit_segments(keys, error, len(keys) + 2)
    assert len(origins) == _fewest(_points(keys.tolist()), error)
    assert (slopes >= 0).all()


def _keys() -> NDArray[np.uint64]:
    rng = np.random.default_rng(2)
    gaps = rng.integers(0, 1 << 40, 3000, dtype=np.uint64) >> np.repeat(rng.integers(0, 40, 60), 50).astype(np.uint64)
    return np.cumsum(gaps, dtype=np.uint64)


@pytest.mark.parametrize("error", [1, 4, 32])
def test_predictions_err_by_no_more_than_was_asked(error: int) -> None:
    """Broken, windows grow: beside the error there is only the rounding of the base, and one for what is not there."""
    shape = pgm.build(np.unique(_keys()), None, error=error).arrays[0]
    below, above = shape[-2:].tolist()
    assert below <= error + 1
    assert above <= error + 2


@pytest.mark.parametrize("kind", KEY_TYPES)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_every_query_is_answered_as_by_a_search(kind: str, data: st.DataObject) -> None:
    """Broken, some key type, duplicate, extreme or absent query gets a wrong rank."""
    keys = data.draw(key_sets(kind))
    locator = pgm.build(keys, None, error=data.draw(st.integers(1, 5)))
    queries = close_queries(keys)
    assert locator.lower_bound(keys, queries).tolist() == np.searchsorted(keys, queries).tolist()


def test_deep_levels_find_their_way() -> None:
    """Broken, an upper level sends a query to a segment that does not hold it."""
    keys = _keys()
    locator = pgm.build(keys, None, error=1)
    assert locator.config["levels"] >= 3
    queries = close_queries(keys)
    assert locator.lower_bound(keys, queries).tolist() == np.searchsorted(keys, queries).tolist()


@jit
def _steeper(rise: int, run: np.uint64, other_rise: int, other_run: np.uint64) -> bool:
    return pgm.steeper(rise, run, other_rise, other_run)


@settings(deadline=None)
@given(
    rises=st.tuples(*[st.integers(-(2**33), 2**33)] * 2),
    runs=st.tuples(*[st.integers(0, 2**64 - 1)] * 2),
)
def test_slopes_are_compared_exactly(rises: tuple[int, int], runs: tuple[int, int]) -> None:
    """Broken, products beyond 64 bits wrap around; compiled and plain code are held equal."""
    run, other_run = (np.uint64(run) for run in runs)
    assert _steeper(rises[0], run, rises[1], other_run) == (rises[0] * runs[1] > rises[1] * runs[0])
    assert pgm.steeper(rises[0], run, rises[1], other_run) == (rises[0] * runs[1] > rises[1] * runs[0])


def test_plain_python_builds_and_finds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Broken, the compiled kernels round otherwise than what is written."""
    keys = _keys()[:600]
    compiled = pgm.build(keys, None, error=2)
    queries = close_queries(keys)[::7]
    found = compiled.lower_bound(keys, queries)
    for name in ("fit_segments", "measure", "measure_upper", "admit", "settle", "predict", "_slope", "_surely_between"):
        monkeypatch.setattr(pgm, name, python(getattr(pgm, name)))
    plain = pgm.build(keys, None, error=2)
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
        locator = pgm.build(keys, budget)
        assert locator.nbytes <= budget
        sizes.append(locator.config["error"])
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]
    with pytest.raises(OverBudget):
        pgm.build(keys, 60)
    with pytest.raises(OverBudget):
        pgm.build(keys, 1000, error=1)
