"""Compiling what is compiled on first use."""

from __future__ import annotations

from unseat.core.outcome import Limits
from unseat.core.policy import View


def warm() -> None:
    """Run every loop on a tiny instance."""
    from unseat.tasks.shard import incumbents
    from unseat.tasks.shard.bounds import DualBound
    from unseat.tasks.shard.data.generators import Recipe, generate
    from unseat.tasks.shard.policies import Solver
    from unseat.tasks.shard.solver.blocks import State
    from unseat.tasks.shard.solver.columns import Columns
    from unseat.tasks.shard.solver.presolve import reduced

    problem = generate(Recipe("mlp", 0, 1))
    problem.cost(incumbents.greedy(problem, View("strategies"), 0))
    Solver("blocks", seconds=0.02).start(View("strategies", problem.facts()), 0).decide(None)
    reduction = reduced(problem, contract=False)
    if reduction.graph.nodes:
        start = reduction.restrict(incumbents.least_memory(problem, View("strategies"), 0))
        incumbents.moved(reduction.graph, State.of(reduction.graph, start, 0), 1, 1.0)
        columns = Columns(reduction.graph)
        columns.add(start, 0.0)
        columns.prices()
    DualBound(0.01).solve(problem, seed=0, limits=Limits())
