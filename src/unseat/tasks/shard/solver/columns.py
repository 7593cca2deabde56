"""Prices of memory by column generation: where the solutions so far, mixed, would use more than there is.

A master problem mixes solutions at the least cost within the limit; the duals of its rows are the prices of memory at
these time steps (P. Gilmore and R. Gomory, "A linear programming approach to the cutting-stock problem", Operations
Research 9(6), 1961). Solutions come from messages at prices between those and the best so far, which keeps prices
from jumping (A. Pessoa, R. Sadykov, E. Uchoa and F. Vanderbeck, "Automation and combination of linear-programming based
stabilization techniques in column generation", INFORMS Journal on Computing 30(2), 2018). Subgradients halve their
steps by luck where many steps are just full; here few prices are needed, and they are exact.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from unseat.tasks.shard.engine.problem import Int64
from unseat.tasks.shard.solver.dual import Float64, peaks, used_by
from unseat.tasks.shard.solver.graph import Graph

SMOOTHING = 0.5
"""Share of the best prices so far in those that are tried next."""
_DEAREST = 3.0
"""What all of a step's memory costs at most, as a multiple of the dearest solution."""
_KEPT = 1e-6
"""Share of the limit by which a mixture may pass it, for the linear program's own tolerance."""
_IDLE = 30
"""Rounds without a share in the mixture after which a solution goes."""


@dataclass
class Columns:
    """Solutions, and the time steps at which memory is scarce in what is mixed of them.

    Attributes:
        graph: The problem.
        costs: Of each solution.
        over: Bytes beyond the limit, as a share of it, of each at each step (float64 [steps] each).
        idle: Rounds since each had a share in the mixture.
        steps: Whether a time step has a row (bool [steps]).
        bound: Cost of the cheapest mixture so far that is within the limit at every step, with a row or without: no
            prices prove more. Infinite before there is one.
    """

    graph: Graph
    costs: list[float] = field(default_factory=list)
    over: list[Float64] = field(default_factory=list)
    idle: list[int] = field(default_factory=list)
    steps: NDArray[np.bool_] = field(init=False)
    bound: float = np.inf

    def __post_init__(self) -> None:
        self.steps = np.zeros(len(self.graph.capacity), np.bool_)

    def add(self, chosen: Int64, cost: float) -> None:
        """A solution, which may use more memory than there is."""
        used = used_by(chosen, self.graph.memory, len(self.graph.capacity))
        self.costs.append(cost)
        self.over.append((used - self.graph.capacity) / self._unit)
        self.idle.append(0)

    def prices(self, until: float = np.inf) -> Float64 | None:
        """The master problem's prices of a byte at each step (float64 [steps]).

        Steps at which the cheapest mixture passes the limit get a row, until there is none.

        Args:
            until: CPU seconds of this thread at which to stop.

        Returns:
            None where the time is up before there are any.
        """
        from scipy.optimize import linprog

        costs = np.array(self.costs)
        unit = max(float(np.abs(costs).max()), 1.0)
        while True:
            rows = np.array([each[self.steps] for each in self.over]).T
            made = linprog(
                np.concatenate([costs / unit, np.full(len(rows), _DEAREST)]), b_ub=np.zeros(len(rows)), b_eq=[1.0],
                A_ub=np.hstack([rows, -np.eye(len(rows))]), method="highs",
                A_eq=np.concatenate([np.ones(len(costs)), np.zeros(len(rows))])[None],
                options={"time_limit": max(until - time.thread_time(), 0.0)},
            )  # fmt: skip
            if made.status != 0:
                return None
            mixed = made.x[: len(costs)]
            passed = np.full(len(self.steps), -_KEPT)
            for one in np.flatnonzero(mixed):
                passed += mixed[one] * self.over[one]
            fresh = peaks(passed) & ~self.steps
            if not fresh.any():
                break
            self.steps |= fresh
        if not (passed > 0).any():
            self.bound = min(self.bound, made.fun * unit)
        found = np.zeros(len(self.steps))
        found[self.steps] = np.maximum(-made.ineqlin.marginals, 0) * unit / self._unit[self.steps]
        self._keep(mixed > 0)
        return found

    def _keep(self, mixed: NDArray[np.bool_]) -> None:
        """Let go of what has not been mixed for long: a master problem must not grow with each round."""
        self.idle = [0 if one else rounds + 1 for one, rounds in zip(mixed, self.idle, strict=True)]
        kept = [rounds < _IDLE for rounds in self.idle]
        self.costs, self.over = list(compress(self.costs, kept)), list(compress(self.over, kept))
        self.idle = list(compress(self.idle, kept))

    @property
    def _unit(self) -> Float64:
        return np.maximum(np.abs(self.graph.capacity), 1.0)
