"""The intervals of `benchmarks.schedule_learning`."""

from __future__ import annotations

import random

import numpy as np
import pytest

from unseat.tasks.schedule.suites import TPCH_TEST

learning = pytest.importorskip("benchmarks.schedule_learning", reason="benchmarks are not installed with the package")


def test_the_interval_over_queries_is_a_bootstrap_over_queries() -> None:
    """Red: an interval over workloads that share five queries is sold as one over queries."""
    rng = np.random.default_rng(0)
    theirs = rng.uniform(90, 110, (5, 4)) * np.array([[1.0], [5.0], [1.0], [2.0], [1.0]])
    ours = theirs * np.array([[0.9], [0.7], [1.0], [0.8], [0.95]]) * rng.uniform(0.98, 1.02, (5, 4))
    gains, point, low, high = learning.gain_over_queries(ours, theirs)
    assert gains.tolist() == [pytest.approx(1 - sum(a) / sum(b)) for a, b in zip(ours, theirs, strict=True)]
    assert point == pytest.approx(sum(gains) / 5)
    # The plain form: five queries with replacement, of each its batches with replacement.
    draws, drawn = random.Random(0), list[float]()
    for _ in range(4000):
        total = 0.0
        for query in draws.choices(range(5), k=5):
            picks = draws.choices(range(4), k=4)
            total += 1 - sum(ours[query, one] for one in picks) / sum(theirs[query, one] for one in picks)
        drawn.append(total / 5)
    drawn.sort()
    assert low == pytest.approx(drawn[100], abs=0.01) and high == pytest.approx(drawn[-100], abs=0.01)
    _, near, far = learning.gain(ours.ravel(), theirs.ravel())
    assert high - low > 1.2 * (far - near) > 0


def test_the_line_names_what_it_is_over() -> None:
    """Red: a reader takes the interval over queries for that over workloads, or a query's gain for another's."""
    theirs = np.full((5, 2), 100.0)
    ours = theirs - 10 * np.arange(5)[:, None]
    said = learning.over_queries(ours, theirs)
    assert "over queries (batches of one query alone, 2 each" in said and "mean 20.0% [" in said
    told = ", ".join(f"query {query} {10 * place:.1f}%" for place, query in enumerate(sorted(TPCH_TEST)))
    assert said.endswith(told)


def test_batches_of_single_queries() -> None:
    """Red: a batch holds another query than its own, or the same draw comes twice."""

    class Here:
        def map(self, doing: object, workloads: list[object], chunksize: int) -> list[float]:
            self.workloads = workloads
            return [float(place) for place, _ in enumerate(workloads)]

    here = Here()
    policy = type("Policy", (), {"name": "a"})()
    found = learning.of_single_queries([policy], 3, here)
    assert found["a"].tolist() == np.arange(15.0).reshape(5, 3).tolist()
    pools = [one.pool for one in here.workloads]  # type: ignore[attr-defined]
    assert pools == [f"tpch-{query}" for query in sorted(TPCH_TEST) for _ in range(3)]
    assert len({(one.pool, one.seed) for one in here.workloads}) == 15  # type: ignore[attr-defined]
