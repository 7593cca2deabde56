"""Small graphs: the specification's examples, and tiny models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from unseat.core.learner import Contender
from unseat.tasks.graphsched.contenders import contenders
from unseat.tasks.graphsched.data.generators import FAMILIES, Recipe
from unseat.tasks.graphsched.engine.problem import Problem, parsed
from unseat.tasks.graphsched.suites import SPLITS, Source
from unseat.tasks.graphsched.task import GraphSchedTask


class SmallGraphSched(GraphSchedTask):
    """One tiny graph of each family, and searches that stop soon."""

    def __init__(self) -> None:
        super().__init__([Source(family, family, SPLITS[family], frozenset({"quick", "full"}), Recipe(family, 1, 1))
                          for family in FAMILIES])  # fmt: skip

    def contenders(self) -> dict[str, Contender]:
        # What ships runs for a second each time; here it is fitted anew, to stop soon.
        return {name: replace(one, shipped=None) for name, one in contenders(0.05).items()}


def graph(
    sides: Sequence[int], inputs: Sequence[Sequence[int]], costs: Sequence[int], kinds: str, capacity: int
) -> Problem:
    """Square tensors; each operator makes the next tensor that no other one makes; kinds are letters M and P."""
    first = len(sides) - len(inputs)
    return parsed(data(sides, inputs, [[first + op] for op in range(len(inputs))], costs, kinds, capacity), "example")


def data(
    sides: Sequence[int], inputs: Any, outputs: Any, costs: Sequence[int], kinds: str, capacity: int
) -> dict[str, Any]:
    """The contest's JSON of a graph of square tensors, on the machine of the specification's examples."""
    return {
        "widths": list(sides), "heights": list(sides), "inputs": inputs, "outputs": outputs,
        "base_costs": list(costs), "op_types": [{"M": "MatMul", "P": "Pointwise"}[kind] for kind in kinds],
        "fast_memory_capacity": capacity, "slow_memory_bandwidth": 10, "native_granularity": [128, 128],
    }  # fmt: skip
