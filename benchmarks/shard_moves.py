"""Moves a second on a generated model: single nodes accepted or rejected, and nodes of tree blocks decided.

    python -m benchmarks.shard_moves [--layers 24] [--goal 5e6]

By CPU time. Fails where single moves are fewer a second than the goal.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np

from unseat.tasks.shard.data.generators import Recipe, generate
from unseat.tasks.shard.incumbents import moved
from unseat.tasks.shard.solver.blocks import State, sweep
from unseat.tasks.shard.solver.presolve import reduced
from unseat.tasks.shard.solver.search import least_memory

MOVES, BLOCKS, SIZE = 3_000_000, 300, 200


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", type=int, default=24)
    parser.add_argument("--goal", type=float, default=5e6)
    arguments = parser.parse_args()
    problem = generate(Recipe("transformer", 0, arguments.layers))
    reduction = reduced(problem, contract=False)
    graph = reduction.graph
    state = State.of(graph, reduction.restrict(least_memory(problem)), 0)
    scale = abs(state.numbers[0]) / graph.nodes
    for temperature in (0.1 * scale, 1e-4 * scale):
        moved(graph, state, MOVES // 3, temperature)
        began = time.process_time()
        moved(graph, state, MOVES, temperature)
        rate = MOVES / (time.process_time() - began)
        print(f"{graph.nodes} nodes, temperature {temperature:.3g}: {rate:,.0f} single moves a second")
    stamp, near = np.zeros(graph.nodes, np.int64), np.zeros(graph.nodes, np.int64)
    prices = np.zeros(len(graph.capacity) + 1)
    mark, took = 0, 0.0
    for _ in range(2):
        began = time.process_time()
        mark = sweep(
            BLOCKS, SIZE, 1e-4 * scale, 0.0, 50, prices, np.arange(graph.nodes), graph.offsets, graph.memory,
            graph.arcs, graph.head, graph.back, graph.table, graph.entries, state.chosen,
            state.local, state.slack, state.best, state.numbers, state.over, state.random, stamp, near, mark, True,
        )  # fmt: skip
        took = time.process_time() - began
    print(f"{BLOCKS * min(SIZE, graph.nodes) / took:,.0f} nodes of tree blocks a second, at most")
    print(f"goal {arguments.goal:,.0f} single moves a second")
    sys.exit(0 if rate >= arguments.goal else 1)


if __name__ == "__main__":
    main()
