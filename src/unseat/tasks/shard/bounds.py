"""What no solution can go below."""

from __future__ import annotations

import math
from typing import Any

from unseat.core.learner import Bounder, Kind
from unseat.core.outcome import Limits, Outcome


class DualBound(Bounder):
    """Lagrangian relaxation of memory over a tree-reweighted relaxation of the costs; see `solver.dual`.

    Args:
        seconds: CPU seconds in a run without a time limit.
    """

    name = "dual bound"
    kind = Kind.RELAXATION

    def __init__(self, seconds: float = 2.0) -> None:
        self.seconds = seconds

    def solve(self, problem: Any, *, seed: int, limits: Limits) -> Outcome:
        from unseat.tasks.shard.solver.search import bound_of

        given = limits.within(2 * problem.seconds)
        until = given.deadline()
        # With a limit, half of its wall time: the bound of a busy machine must be there in time too.
        seconds = min(limits.cpu_s or math.inf, self.seconds if until is None else math.inf)
        until = None if until is None or given.wall_s is None else until - given.wall_s / 2
        # Costs are at least 0, so that 0 is a bound too.
        value, prices = bound_of(problem, seconds, until)
        return Outcome(max(value, 0.0), metrics={"steps_with_price": float((prices > 0).sum())})
