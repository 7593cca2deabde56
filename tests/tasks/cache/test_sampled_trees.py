"""The cache that evicts by trees, against slow references."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.tasks.cache.reference.workloads import workloads

from unseat.core.jit import python
from unseat.tasks.cache.challengers import lrb
from unseat.tasks.cache.engine import sampled_trees as trees
from unseat.tasks.cache.incumbents import lru

NO_SIZES = np.empty(0, np.int64)
REQUESTS = workloads(600, 60)
CAPACITY = st.integers(2, 12)


def random_forest(seed: int) -> trees.Forest:
    """Trees that split at random, grown leaf by leaf."""
    rng = np.random.default_rng(seed)

    def grow(leaves: int) -> dict[str, Any]:
        if leaves == 1:
            return {"leaf_value": rng.normal()}
        left, feature, threshold = int(rng.integers(1, leaves)), rng.integers(trees.F), rng.exponential(1.0)
        below = {"left_child": grow(left), "right_child": grow(leaves - left)}
        return {"split_feature": feature, "threshold": threshold, **below}

    return lrb.forest_arrays({"tree_info": [{"tree_structure": grow(trees.LEAVES)} for _ in range(6)]})


def planted(ids: list[int], capacity: int, seed: int = 1, **sizes: int) -> Any:
    """An empty cache with a random forest."""
    return trees.with_forest(trees.init(max(ids) + 1, capacity, seed, **sizes), random_forest(seed))


def serve(ids: list[int], capacity: int, state: Any, stops: tuple[int, ...] = ()) -> list[int]:
    """Counts after serving all requests, in the given pieces."""
    counts = np.zeros(4, np.int64)
    ends = [*sorted(stops), len(ids)]
    for start, stop in zip([0, *ends[:-1]], ends, strict=True):
        trees.run(np.array(ids, np.int32), NO_SIZES, start, stop, capacity, state, counts)
    return list(map(int, counts))


@settings(max_examples=30, deadline=None)
@given(ids=REQUESTS, capacity=CAPACITY)
def test_without_trees_it_is_lru(ids: list[int], capacity: int) -> None:
    """Red: the recency list, the slots or the counts are wrong."""
    counts = np.zeros(4, np.int64)
    n_objects = max(ids) + 1
    lru.run(np.array(ids, np.int32), NO_SIZES, 0, len(ids), capacity, lru.init(n_objects, capacity), counts)
    assert serve(ids, capacity, trees.init(n_objects, capacity)) == list(counts)


@settings(max_examples=30, deadline=None)
@given(ids=REQUESTS, capacity=CAPACITY, where=st.floats(0, 1))
def test_stopping_changes_nothing(ids: list[int], capacity: int, where: float) -> None:
    """Red: something that decides is not in the state, so a run that is stopped and continued differs."""
    whole, parts = planted(ids, capacity), planted(ids, capacity)
    assert serve(ids, capacity, whole) == serve(ids, capacity, parts, (int(where * len(ids)),))
    for one, other in zip(whole, parts, strict=True):
        resident = int(whole[0][trees.RESIDENT]) if one is whole[1] else one.shape[0]
        assert np.array_equal(one[:resident], other[:resident])


@settings(max_examples=30, deadline=None)
@given(ids=REQUESTS, capacity=CAPACITY)
def test_residents_are_those_that_were_requested_and_not_noted_as_evicted(ids: list[int], capacity: int) -> None:
    """Red: an object is counted as a hit that is not held, two leave at once, or the evicted are misreported."""
    state = planted(ids, capacity)
    held: set[int] = set()
    for t, x in enumerate(ids):
        counts = np.zeros(8, np.int64)
        trees.run(np.array(ids, np.int32), NO_SIZES, t, t + 1, capacity, state, counts)
        assert counts[1] == (x not in held)
        evicted = set(counts[5 : 5 + counts[4]].tolist())
        assert evicted <= held and len(evicted) == (x not in held and len(held) == capacity)
        held = held - evicted | {x}
        assert set(state[1][: state[0][trees.RESIDENT]].tolist()) == held


@settings(max_examples=30, deadline=None)
@given(ids=REQUESTS, capacity=CAPACITY, rows=st.integers(4, 400))
def test_rows_hold_what_was_known_and_the_wait_that_followed(ids: list[int], capacity: int, rows: int) -> None:
    """Red: a label is not the wait until the next request, belongs to another row, or a feature knows the future."""
    state = planted(ids, capacity, rows=rows, reach=10**6)
    serve(ids, capacity, state)
    for row, (x, now, _), wait in zip(state[7], state[8], state[9], strict=True):
        if x < 0:
            continue
        past = [t for t in range(now) if ids[t] == x]
        later = next((t for t in range(now, len(ids)) if ids[t] == x), None)
        assert wait == pytest.approx(-1 if later is None else (later - now) / capacity, rel=1e-5)
        gaps = [(b - a) / capacity for a, b in itertools.pairwise(past)][::-1] + [trees.NEVER] * 3
        expected = [(now - past[-1]) / capacity, *gaps[:3]]
        assert row[:4] == pytest.approx(expected, rel=1e-5)
        assert row[7] == len(past)
        for feature, neighbour in ((14, x - 1), (15, x + 1)):
            last = max((t for t in range(now + 1) if ids[t] == neighbour), default=None)
            assert row[feature] == pytest.approx(trees.NEVER if last is None else (now - last) / capacity, rel=1e-5)


def test_the_reservoir_is_a_uniform_sample() -> None:
    """Red: rows of some part of the past are kept more often than others, so that old or new moments dominate."""
    ids = np.random.default_rng(0).integers(0, 500, 60_000).tolist()
    state = planted(ids, 50, rows=2_000)
    serve(ids, 50, state)
    quarters = np.bincount(state[8][:, 1] * 4 // len(ids), minlength=4)
    assert quarters.min() > 420 and quarters.max() < 580


def test_what_left_long_ago_is_forgotten() -> None:
    """Red: metadata of evicted objects is not bounded by the reach."""
    ids = [0, 1, 0, 1, *range(2, 40), 0]
    near, far = trees.init(40, 4, reach=20), trees.init(40, 4, reach=2)
    for state in (near, far):
        serve(ids, 4, state)
    assert near[3][0, trees.COUNT] == 3 and far[3][0, trees.COUNT] == 1
    assert trees.metadata_bytes(far) < trees.metadata_bytes(near)


def test_compiled_and_plain_python_agree() -> None:
    """Red: the kernel means something else compiled than read."""
    ids = np.random.default_rng(3).integers(0, 30, 300).astype(np.int32)
    states, counts = [planted(ids.tolist(), 6) for _ in range(2)], np.zeros((2, 4), np.int64)
    trees.run(ids, NO_SIZES, 0, ids.size, 6, states[0], counts[0])
    python(trees.run)(ids, NO_SIZES, 0, ids.size, 6, states[1], counts[1])
    assert np.array_equal(counts[0], counts[1])


def rows_and_waits(count: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Rows whose wait depends on two features."""
    rng = np.random.default_rng(0)
    rows = rng.exponential(1.0, (count, trees.F)).astype(np.float32)
    return rows, (rows[:, 0] * rng.exponential(1.0, count) / (1 + rows[:, 4])).astype(np.float32)


def test_the_arrays_are_lightgbm_trees() -> None:
    """Red: a tree is laid out wrongly, or a threshold is rounded to the other side of a feature value."""
    import lightgbm

    rows, waits = rows_and_waits(4_000)
    options = {"num_leaves": trees.LEAVES, "verbose": -1, "num_threads": 1}
    model = lightgbm.train(options, lightgbm.Dataset(rows, waits), 20)
    forest, scores = lrb.forest_arrays(model.dump_model()), np.zeros(trees.WIDE, np.float32)
    for first in range(0, 25 * trees.WIDE, trees.WIDE):
        part = rows[first : first + trees.WIDE]
        trees.hazards(np.ascontiguousarray(part.T), *forest, np.zeros(trees.WIDE, np.int32), scores)
        assert scores == pytest.approx(model.predict(part, raw_score=True), rel=1e-4, abs=1e-5)


def test_no_forest_where_nothing_returns() -> None:
    """Red: LightGBM is asked to fit labels that are all zero, and raises."""
    rows, waits = rows_and_waits(400)
    assert lrb.fit_forest(rows, np.full_like(waits, np.inf), lrb.Recipe(), 0) is None
