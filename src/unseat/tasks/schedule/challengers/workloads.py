"""New workloads of the kinds that a learner was given."""

from __future__ import annotations

import numpy as np

from unseat.tasks.schedule.engine.graphs import Arrivals
from unseat.tasks.schedule.problem import Problem


def redrawn(problem: Problem, rng: np.random.Generator) -> Problem:
    """A new workload of the same kind: other graphs of the same pool at other times, as many, as far apart.

    Gaps of a stream are drawn anew from those of the problem, so that its rate is kept whatever its kind is.
    """
    arrivals = problem.arrivals
    gaps = np.diff(arrivals.at_ms)
    at_ms = np.concatenate([[0], np.cumsum(rng.choice(gaps, gaps.size))]) if gaps.size else np.zeros(1)
    jobs = rng.integers(len(arrivals.graphs), size=len(arrivals.jobs))
    return Problem(Arrivals(arrivals.graphs, tuple(jobs.tolist()), tuple(map(int, at_ms))), problem.machines)
