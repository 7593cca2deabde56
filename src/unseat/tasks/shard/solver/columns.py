"""Prices of memory by column generation: where the solutions so far, mixed, would use more than there is.

A master problem mixes solutions at the least cost within the limit; the duals of its rows are the prices of memory at
these time steps (P. Gilmore and R. Gomory, "A linear programming approach to the cutting-stock problem", Operations
Research 9(6), 1961). Solutions come from messages at prices between those and the best so far, which keeps prices
from jumping (A. Pessoa, R. Sadykov, E. Uchoa and F. Vanderbeck, "Automation and combination of linear-programming based
stabilization techniques in column generation", INFORMS Journal on Computing 30(2), 2018). Subgradients halve their
steps by luck where many steps are just full; here few prices are needed, and they are exact.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from unseat.tasks.shard.engine.problem import Int64
from unseat.tasks.shard.solver.dual import Float64, peaks, used_by
from unseat.tasks.shard.solver.graph import Graph

SMOOTHING = 0.5
"""Share of the best prices so far in those that are tried next."""
_DEAREST = 3.0
"""What all of a step's memory costs at most, as a multiple of the dearest solution."""


@dataclass
class Columns:
    """Solutions, and the time steps at which memory is scarce in them.

    Attributes:
        graph: The problem.
        chosen: The solutions (int64 [nodes] each).
        costs: Of each.
        steps: Whether a time step has a row (bool [steps]).
        rows: Bytes beyond the limit, as a share of it, of each solution at each step with a row.
        bound: What the master problem says; infinite before there is one.
    """

    graph: Graph
    chosen: list[Int64] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    steps: NDArray[np.bool_] = field(init=False)
    rows: list[Float64] = field(default_factory=list)
    bound: float = np.inf

    def __post_init__(self) -> None:
        self.steps = np.zeros(len(self.graph.capacity), np.bool_)

    def add(self, chosen: Int64, cost: float) -> None:
        """A solution, which may use more memory than there is."""
        over = self._over(chosen)
        fresh = peaks(over) & ~self.steps
        self.chosen.append(chosen.copy())
        self.costs.append(cost)
        if fresh.any():
            self.steps |= fresh
            self.rows = [self._over(each)[self.steps] for each in self.chosen]
        else:
            self.rows.append(over[self.steps])

    def prices(self) -> Float64:
        """The master problem's prices of a byte at each step (float64 [steps])."""
        from scipy.optimize import linprog

        found = np.zeros(len(self.steps))
        if not self.steps.any():
            self.bound = min(self.costs)
            return found
        costs, rows = np.array(self.costs), np.array(self.rows).T
        unit = max(float(np.abs(costs).max()), 1.0)
        made = linprog(
            np.concatenate([costs / unit, np.full(len(rows), _DEAREST)]), b_ub=np.zeros(len(rows)), b_eq=[1.0],
            A_ub=np.hstack([rows, -np.eye(len(rows))]), method="highs",
            A_eq=np.concatenate([np.ones(len(costs)), np.zeros(len(rows))])[None],
        )  # fmt: skip
        if made.status == 0:
            self.bound = made.fun * unit
            found[self.steps] = np.maximum(-made.ineqlin.marginals, 0) * unit / self._unit[self.steps]
        return found

    @property
    def _unit(self) -> Float64:
        return np.maximum(np.abs(self.graph.capacity), 1.0)

    def _over(self, chosen: Int64) -> Float64:
        used = used_by(chosen, self.graph.memory, len(self.graph.capacity))
        return (used - self.graph.capacity) / self._unit
