"""Annealing over schedules (S. Kirkpatrick et al., Science 220, 1983)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from unseat.core.jit import jit
from unseat.tasks.graphsched.engine.compiled import Graph, Memory, graph_of, memory_of, rows_of, steps_of, total
from unseat.tasks.graphsched.engine.latency import Float64, Int64
from unseat.tasks.graphsched.engine.problem import Problem
from unseat.tasks.graphsched.engine.schedule import Step
from unseat.tasks.graphsched.solver.moves import MOVES, moved

CHUNK = 500
"""Moves between two looks at the clock."""


@dataclass
class Seen:
    """What each move did: tries, and the sum of the logarithms of what it saved when it made the best better."""

    tries: dict[str, int] = field(default_factory=lambda: dict.fromkeys(MOVES, 0))
    gains: dict[str, float] = field(default_factory=lambda: dict.fromkeys(MOVES, 0.0))


@jit
def tried(
    count: int, temperature: float, graph: Graph, memory: Memory, rows: Int64, other: Int64, least: Int64,
    sizes: Int64, took: Float64, shares: Float64, told: Float64, rng: np.random.Generator,
) -> bool:  # fmt: skip
    """Try so many moves.

    Args:
        count: How many.
        temperature: In units of latency.
        graph, memory: The problem.
        rows, other, least: The schedule, room for another, and the best so far.
        sizes: int64 [2]: steps of the schedule and of the best.
        took: float64 [2]: what both take.
        shares: float64 [moves]: how often a move up to each is drawn, cumulative.
        told: float64 [2, moves]: tries and gains of each move; see `Seen`.
        rng: Of the draws.

    Returns:
        Whether the best is a new one.
    """
    better, turned = False, False
    here, there = rows, other
    for _ in range(count):
        kind = int(np.searchsorted(shares, rng.random()))
        steps = moved(kind, graph, here, sizes[0], there, rng)
        if steps < 0:
            continue
        value = total(graph, there, steps, memory)
        told[0, kind] += 1
        worse = value > took[0]
        if worse and (value == np.inf or rng.random() >= math.exp((took[0] - value) / temperature)):
            continue
        here, there, turned = there, here, not turned
        sizes[0], took[0] = steps, value
        if value < took[1] * (1 - 1e-12):
            if took[1] < np.inf:
                told[1, kind] += math.log(took[1] / value)
            took[1], sizes[1], better = value, steps, True
            least[:steps] = here[:steps]
    if turned:
        rows[: sizes[0]] = other[: sizes[0]]
    return better


def anneal(
    problem: Problem, start: Sequence[Step], spent: Callable[[], float], report: Callable[[list[Step], float], None], *,
    seed: int, weights: Mapping[str, float], hot: float = 0.03, cold: float = 1e-4, seen: Seen | None = None,
) -> None:  # fmt: skip
    """Anneal until the time is up.

    Args:
        problem: The problem.
        start: A schedule.
        spent: The share of the time that is gone.
        report: Gets each schedule that is better than all before, and what it takes.
        seed: Of the draws.
        weights: How often each move is drawn.
        hot, cold: Temperature at the beginning and at the end, as a share of what the start takes.
        seen: Gets what moves did.
    """
    most = 2 * problem.operators
    graph = graph_of(problem)
    memory = memory_of(graph, most)
    rows = rows_of(graph, start, most)
    other, least, sizes = rows.copy(), rows.copy(), np.full(2, len(start))
    took = np.full(2, total(graph, rows, len(start), memory))
    first = float(took[0]) if took[0] < math.inf else 1.0
    share = np.cumsum([weights.get(name, 0.0) + 1e-3 for name in MOVES])
    told = np.zeros((2, len(MOVES)))
    rng = np.random.default_rng(seed)
    while (done := spent()) < 1:
        temperature = hot * first * (cold / hot) ** done
        if tried(CHUNK, temperature, graph, memory, rows, other, least, sizes, took, share / share[-1], told, rng):
            report(steps_of(graph, least, int(sizes[1])), float(took[1]))
    if seen:
        for place, name in enumerate(MOVES):
            seen.tries[name] += int(told[0, place])
            seen.gains[name] += float(told[1, place])
