"""The bounds against exhaustive search, and against every policy."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tasks.cache.reference.bounds import fewest_missed_bytes, fewest_misses
from tests.tasks.cache.reference.workloads import workloads

from unseat.tasks.cache.bounds import belady, belady_over_time, flow_relaxation, independent_reference
from unseat.tasks.cache.engine.simulate import simulate
from unseat.tasks.cache.engine.trace import Trace, from_raw
from unseat.tasks.cache.incumbents import FUSED

TINY = workloads(14, 6)


def trace_of(requests: list[int], sizes: list[int] | None = None) -> Trace:
    keys = np.array(requests, np.uint64)
    return from_raw(keys, None if sizes is None else np.array([sizes[x] for x in requests]))


@settings(max_examples=400, deadline=None)
@given(requests=TINY, capacity=st.integers(1, 4), warm=st.floats(0, 1))
def test_belady_is_the_optimum_with_and_without_warm_up(requests: list[int], capacity: int, warm: float) -> None:
    """Red: the "optimal" bound can be beaten, or no policy can reach it."""
    judged_from = int(warm * len(requests))
    counts = belady(trace_of(requests), capacity, judged_from)
    assert counts.requests == len(requests) - judged_from
    assert counts.misses == fewest_misses(requests, capacity, judged_from)


@settings(max_examples=150, deadline=None)
@given(
    requests=workloads(11, 5),
    sizes=st.lists(st.integers(1, 6), min_size=20, max_size=20),
    capacity=st.integers(1, 12),
    warm=st.floats(0, 1),
    steps=st.sampled_from([0, 5, 60]),
)
def test_relaxation_is_never_beaten(
    requests: list[int], sizes: list[int], capacity: int, warm: float, steps: int
) -> None:
    """Red: some policy misses fewer judged bytes than the relaxation says is possible."""
    judged_from = int(warm * len(requests))
    bound = flow_relaxation(trace_of(requests, sizes), capacity, judged_from, segments=4, steps=steps)
    assert 0 <= bound <= fewest_missed_bytes(requests, sizes, capacity, judged_from)


@settings(max_examples=40, deadline=None)
@given(turns=st.integers(2, 30), warm=st.floats(0, 1), steps=st.sampled_from([0, 100]))
def test_relaxation_leaves_all_the_space_there_is(turns: int, warm: float, steps: int) -> None:
    """Red: the relaxation counts a gap too few, and calls a cache impossible that holds all objects, always full."""
    requests, sizes = [0, 1] * turns, [3, 4]
    judged_from = int(warm * len(requests))
    first = sum(sizes[x] for t, x in enumerate(requests) if judged_from <= t < 2)
    assert flow_relaxation(trace_of(requests, sizes), 7, judged_from, segments=4, steps=steps) == first


def workload(seed: int, n: int = 6000) -> Trace:
    """Zipf with drift and a scan; enough structure that policies differ."""
    rng = np.random.default_rng(seed)
    keys = rng.zipf(1.2, n) % 400 + np.arange(n) // 2000 * 50
    keys[n // 2 : n // 2 + 500] = 10_000 + np.arange(500)
    return from_raw(keys, 1 + keys * 37 % 90)


def test_no_incumbent_beats_a_bound() -> None:
    """Red: a policy's judged misses or bytes lie under its bound on a longer trace, or the refined one is worse."""
    for seed in range(3):
        trace = workload(seed)
        for capacity in (5, 50, 200):
            least = belady(trace, capacity, 1800).misses
            for fused in FUSED.values():
                if not fused.sized:
                    assert simulate(fused, trace, capacity, 1800)[1].misses >= least, fused.name
        for capacity in (300, 3000):
            plain, least = (flow_relaxation(trace, capacity, 1800, steps=steps) for steps in (0, 200))
            assert plain <= least
            for fused in FUSED.values():
                if fused.sized:
                    assert simulate(fused, trace, capacity, 1800)[1].missed_bytes >= least, fused.name


def test_independent_reference_is_reached_by_a_fixed_set() -> None:
    """Red: the best fixed set's count is not what such a cache would do on a trace small enough to count by hand."""
    trace = trace_of([0, 1, 0, 2, 0, 1, 3, 0, 1])
    # judged from 3: object 0 twice, 1 twice, 2 and 3 once; with three places 0 and 1 stay, both came in the warm-up
    assert independent_reference(trace, 3, 3) == 2
    # judged from the start: 0 and 1 miss once each, 2 and 3 once each
    assert independent_reference(trace, 3, 0) == 4


def test_belady_s_windows_add_up() -> None:
    """Red: the bound's part in a stretch of time is not what the same stretch's requests miss."""
    requests = [x * x % 23 for x in range(100)]
    trace = from_raw(np.array(requests, np.uint64))
    for judged_from, windows in ((0, 1), (30, 7), (0, 24), (99, 3)):
        missed = belady_over_time(trace, 5, judged_from, windows)
        assert missed.sum() == belady(trace, 5, judged_from).misses
        ends = [judged_from - (-part * (100 - judged_from) // windows) for part in range(windows + 1)]
        assert all(0 <= count <= high - low for count, low, high in zip(missed, ends[:-1], ends[1:], strict=True))
