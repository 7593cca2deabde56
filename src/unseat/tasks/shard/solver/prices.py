"""Prices of memory: by columns, exact where few steps are scarce, and by subgradients, which meet many fast."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from unseat.tasks.shard.engine.problem import Int64
from unseat.tasks.shard.solver.blocks import COST, MOVED, Spells, State
from unseat.tasks.shard.solver.columns import SMOOTHING, Columns
from unseat.tasks.shard.solver.dual import Dual, improve, start
from unseat.tasks.shard.solver.graph import Graph
from unseat.tasks.shard.solver.moves import Arm

_BY_COLUMNS = 0.5
"""Share of the time for columns, before subgradients get half of the rest."""
_LAST = 3
"""Rounds of messages at the best prices in the end, as a multiple of those before there are prices."""
_ROUNDS_AT_ONCE = 5
_ROUNDS_A_COLUMN, _SPELLS_A_COLUMN = 6, 5


@dataclass(frozen=True)
class Steps:
    """What there is to set of prices.

    Attributes:
        plain_rounds: Rounds of messages before there are prices.
        step: Length of the first subgradient steps, as a share of Polyak's.
        patience: Rounds without a better bound until steps get half as long.
        reach: How far above the bound a subgradient step aims, as a share of it.
    """

    plain_rounds: int = 30
    step: float = 0.3
    patience: int = 10
    reach: float = 0.1


class Until(Protocol):
    """A clock's `until`."""

    def __call__(self, share: float) -> float: ...


class Prices:
    """Messages and prices at work.

    Args:
        graph: The problem.
        spells: Blocks, by which solutions settle.
        steps: Settings.
        told: Gets each solution within the limit that is better than those before, and its cost.
    """

    def __init__(self, graph: Graph, spells: Spells, steps: Steps, told: Callable[[Int64, float], None]) -> None:
        self.graph, self.spells, self.steps, self.told = graph, spells, steps, told
        self.columns, self.best, self.tries = Columns(graph), np.inf, 0

    def run(self, until: Until, share: float) -> Dual:
        """Messages and prices until a share of the time is gone, and messages at the best prices.

        Args:
            until: `time.thread_time()` at which a share of the time is gone.
            share: Of it.
        """
        dual = Dual.of(self.graph, self.steps.step)
        began = time.thread_time()
        improve(self.graph, dual, 0.0, self.steps.plain_rounds, 0, until(share / 8))
        last = _LAST * (time.thread_time() - began)
        other = replace(dual, messages=dual.messages.copy())
        self._by_columns(dual, until(share * _BY_COLUMNS))
        self._subgradients(other, until(share * (1 + _BY_COLUMNS) / 2), far=True)
        # The rest of the time is for whichever got further.
        rest = until(share) - last
        if dual.bound > other.bound:
            self._by_columns(dual, rest)
        else:
            dual = other
            dual.prices = dual.best_prices.copy()
            self._subgradients(dual, rest, far=False)
        # Solutions are rounded from messages at these prices.
        dual.prices = dual.best_prices.copy()
        improve(self.graph, dual, 0.0, _LAST * self.steps.plain_rounds, 0, until(share))
        return dual

    def _proven(self, dual: Dual) -> bool:
        return min(self.best, self.columns.bound) - dual.bound < 1

    def _subgradients(self, dual: Dual, until: float, *, far: bool) -> None:
        """Long steps towards the cost of a solution, which meet many prices, or short ones for the bound's sake."""
        dual.step = self.steps.step
        while time.thread_time() < until and not self._proven(dual):
            target = self.best if self.best < np.inf else 2.0 * max(dual.bound, 1.0)
            if not far:
                target = min(self.best, (1 + self.steps.reach) * max(dual.bound, 1.0))
            improve(self.graph, dual, target, _ROUNDS_AT_ONCE, self.steps.patience, until)
            self._tell(State.of(self.graph, start(self.graph, dual), 0))

    def _by_columns(self, dual: Dual, until: float) -> None:
        """What messages at the master problem's next prices round and settle to becomes columns."""
        graph = self.graph
        while time.thread_time() < until and not self._proven(dual):
            if self.columns.costs:
                found = self.columns.prices(until)
                if found is None:
                    return
                dual.prices = SMOOTHING * dual.best_prices + (1 - SMOOTHING) * found
            improve(graph, dual, 0.0, _ROUNDS_A_COLUMN, 0, until)
            state = State.of(graph, start(graph, dual), self.tries)
            self.tries += 1
            self.columns.add(state.chosen, float(state.numbers[COST]))
            for _ in range(_SPELLS_A_COLUMN):
                moved = state.numbers[MOVED]
                self.spells.run(state, Arm(100, 1.0), 0.0, dual.prices, feasible=False)
                if state.numbers[MOVED] == moved or time.thread_time() > until:
                    break
            self.columns.add(state.chosen, float(state.numbers[COST]))
            self._tell(state)

    def _tell(self, state: State) -> None:
        cost = float(state.numbers[COST])
        if cost < self.best and (state.slack >= 0).all():
            self.best = cost
            self.told(state.chosen.copy(), cost)
