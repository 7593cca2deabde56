"""The bound is proven: by all subsets on tiny cases, and by what policies reach."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as some

from unseat.tasks.serving.bounds import on_time


def most(at_s: np.ndarray, work_s: np.ndarray, within: float) -> int:
    """The largest set of jobs that the earliest deadline first, preemptive, has on time: all subsets are tried."""
    n = len(at_s)
    for size in range(n, 0, -1):
        for chosen in itertools.combinations(range(n), size):
            now, fits = 0.0, True
            for j in chosen:
                now = max(now, at_s[j]) + work_s[j]
                fits = fits and now <= at_s[j] + within + 1e-9
            if fits:
                return size
    return 0


@settings(max_examples=150, deadline=None)
@given(some.lists(some.tuples(some.integers(0, 12), some.integers(1, 9)), min_size=1, max_size=9), some.integers(1, 12))
def test_on_time_is_the_best_of_all_subsets(jobs: list[tuple[int, int]], within: int) -> None:
    """Red: the bound's count is not the most that one machine can do, so it proves nothing."""
    jobs = sorted(jobs)
    at_s, work_s = (np.array([job[k] for job in jobs], np.float64) for k in (0, 1))
    assert on_time(at_s, work_s, float(within)) == most(at_s, work_s, float(within))
