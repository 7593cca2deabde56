"""What no schedule can go below: arithmetic that must be done, and tensors that must move."""

from __future__ import annotations

from typing import Any

from unseat.core.learner import Bounder, Kind
from unseat.core.outcome import Limits, Outcome
from unseat.tasks.graphsched.engine.problem import Problem


def arithmetic(problem: Problem) -> float:
    """Each operator once, in native tiles.

    A slice along an inner dimension is charged its share of a tile, so no cut of an operator costs less than its size
    in tiles, not rounded up; results, which are cut to tiles, cost that rounded up.
    """
    total = 0.0
    for op, tensor in enumerate(problem.outputs):
        w, h = problem.widths[tensor] / problem.native[0], problem.heights[tensor] / problem.native[1]
        if tensor in problem.results:
            w, h = float(-(-problem.widths[tensor] // problem.native[0])), float(-(-problem.heights[tensor]
                                                                                   // problem.native[1]))  # fmt: skip
        total += problem.costs[op] * w * h
    return total


def traffic(problem: Problem) -> float:
    """Each input of the graph that is read comes in once, each result goes out once."""
    read = {tensor for tensors in problem.inputs for tensor in tensors} - set(problem.outputs)
    return sum(problem.size[tensor] for tensor in read | problem.results) / problem.bandwidth


class Compulsory(Bounder):
    """The larger of compulsory arithmetic and compulsory traffic."""

    name = "compulsory"
    kind = Kind.RELAXATION

    def solve(self, problem: Any, *, seed: int, limits: Limits) -> Outcome:
        work, moved = arithmetic(problem), traffic(problem)
        return Outcome(max(work, moved), metrics={"arithmetic": work, "traffic": moved})
