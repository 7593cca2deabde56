"""Schedules of about thirty operators that annealing evaluates in a second of CPU time, on a graph of each family.

    python -m benchmarks.graphsched_evaluations [--seconds 3] [--goal 2e5]

Each is a changed schedule, evaluated whole: every step's traffic and latency, looked up where the step was met before.
Prints what share of the steps had to be worked out, and fails where the slowest family is below the goal.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np

from unseat.tasks.graphsched.data.generators import FAMILIES, Recipe, generate
from unseat.tasks.graphsched.engine.compiled import graph_of, memory_of, rows_of, total
from unseat.tasks.graphsched.engine.schedule import Evaluator
from unseat.tasks.graphsched.solver.anneal import tried
from unseat.tasks.graphsched.solver.moves import MOVES
from unseat.tasks.graphsched.solver.partitions import partitioned

OPERATORS, CHUNK, HOT, COLD = 30, 2_000, 0.03, 1e-4


def rate(family: str, seconds: float) -> tuple[float, float, int]:
    """Evaluations a second, the share of their steps that were worked out, and operators of the graph."""
    each = generate(Recipe(family, 0, 1)).operators
    problem = generate(Recipe(family, 0, -(-OPERATORS // each)))
    steps, most = partitioned(Evaluator(problem), problem.order), 2 * problem.operators
    graph = graph_of(problem)
    memory = memory_of(graph, most)
    rows = rows_of(graph, steps, most)
    other, least, sizes = rows.copy(), rows.copy(), np.full(2, len(steps))
    took = np.full(2, total(graph, rows, len(steps), memory))
    first, told, rng = took[0], np.zeros((2, len(MOVES))), np.random.default_rng(0)
    shares, steps_seen = np.arange(1, len(MOVES) + 1) / len(MOVES), 0.0
    tried(1, first, graph, memory, rows, other, least, sizes, took, shares, told, rng)
    told[:], memory.counts[:] = 0, 0
    began = time.thread_time()
    while (done := (time.thread_time() - began) / seconds) < 1:
        before = told[0].sum()
        tried(CHUNK, HOT * first * (COLD / HOT) ** done, graph, memory, rows, other, least, sizes, took, shares, told,
              rng)  # fmt: skip
        steps_seen += (told[0].sum() - before) * sizes[0]
    spent = time.thread_time() - began
    return told[0].sum() / spent, memory.counts[1] / steps_seen, problem.operators


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--goal", type=float, default=2e5)
    arguments = parser.parse_args()
    rates = []
    for family in FAMILIES:
        found, new, operators = rate(family, arguments.seconds)
        rates.append(found)
        print(f"{family}, {operators} operators: {found:,.0f} schedules a second, {new:.2%} of the steps new")
    print(f"slowest {min(rates):,.0f}, goal {arguments.goal:,.0f}")
    sys.exit(0 if min(rates) >= arguments.goal else 1)


if __name__ == "__main__":
    main()
