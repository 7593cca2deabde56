"""Small problems, and slow, obvious ways to judge them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from unseat.core.learner import Contender
from unseat.tasks.shard.contenders import contenders
from unseat.tasks.shard.data.generators import FAMILIES, Recipe
from unseat.tasks.shard.engine.problem import NO_LIMIT, Problem
from unseat.tasks.shard.suites import SPLITS, Source
from unseat.tasks.shard.task import ShardTask

EXAMPLE = {
    "name": "example",
    "nodes": {
        "intervals": [[30, 70], [40, 70], [50, 120], [110, 140], [110, 150]],
        "costs": [[15], [55, 65], [25, 45, 35], [85, 75], [95]],
        "usages": [[10], [25, 25], [15, 20, 15], [10, 10], [15]],
    },
    "edges": {
        "nodes": [[0, 1], [0, 2], [1, 3], [2, 4], [3, 4]],
        "costs": [[30, 40], [50, 10, 40], [90, 10, 20, 80], [60, 20, 30], [70, 60]],
    },
    "usage_limit": 50,
}
"""The contest's own example, as its repository has it."""


class SmallShard(ShardTask):
    """One tiny model of each family, and solvers that stop soon."""

    def __init__(self) -> None:
        super().__init__([Source(family, family, SPLITS[family], frozenset({"quick", "full"}),
                                 Recipe(family, 1, 1, (2, 2), 0.5)) for family in FAMILIES])  # fmt: skip

    def contenders(self) -> dict[str, Contender]:
        # What ships runs for a second each time; here it is fitted anew, to stop soon.
        return {name: replace(one, shipped=None) for name, one in contenders(0.05).items()}


def write(path: Path, problem: object) -> Path:
    """A file of the contest's format."""
    path.write_text(json.dumps({"problem": problem}))
    return path


def made(
    intervals: Sequence[Sequence[int]], costs: Sequence[Sequence[int]], usages: Sequence[Sequence[int]],
    edges: Sequence[Sequence[int]], tables: Sequence[Sequence[int]], limit: int = NO_LIMIT,
) -> Problem:  # fmt: skip
    """A problem of lists."""

    def at(lists: Sequence[Sequence[int]]) -> np.ndarray:
        return np.cumsum([0, *map(len, lists)]).astype(np.int64)

    def flat(lists: Sequence[Sequence[int]]) -> np.ndarray:
        return np.array([one for part in lists for one in part], np.int64)

    return Problem("made", np.array(intervals, np.int64).reshape(-1, 2), at(costs), flat(costs), flat(usages),
                   np.array(edges, np.int64).reshape(-1, 2), at(tables), flat(tables), limit)  # fmt: skip


def slow_cost(problem: Problem, chosen: Sequence[int]) -> int:
    """The contest's evaluator, in Python's own integers."""
    total = 0
    for node, one in enumerate(chosen):
        total += int(problem.costs[problem.offsets[node] + one])
    for edge, (u, v) in enumerate(problem.edges):
        width = int(problem.offsets[v + 1] - problem.offsets[v])
        total += int(problem.edge_costs[problem.edge_offsets[edge] + chosen[u] * width + chosen[v]])
    return total


def slow_peak(problem: Problem, chosen: Sequence[int]) -> int:
    """Most memory at any time, step by step."""
    most = 0
    for time in range(int(problem.intervals.max(initial=0)) + 1):
        most = max(most, sum(int(problem.usages[problem.offsets[node] + one]) for node, one in enumerate(chosen)
                             if problem.intervals[node, 0] <= time < problem.intervals[node, 1]))  # fmt: skip
    return most


def best(problem: Problem) -> tuple[int, tuple[int, ...]] | None:
    """The cheapest of all choices within the limit; None where there is none."""
    every = itertools.product(*(range(int(size)) for size in np.diff(problem.offsets)))
    allowed = ((slow_cost(problem, one), one) for one in every
               if problem.limit == NO_LIMIT or slow_peak(problem, one) <= problem.limit)  # fmt: skip
    return min(allowed, default=None)


@st.composite
def problems(draw: st.DrawFn, most: int = 10**6, forbidden: bool = True) -> Problem:
    """Any small problem: parallel edges, loops, forbidden choices, empty intervals, a limit that can be kept.

    Some edges allow each strategy of one end a single one of the other's.
    """
    nodes = draw(st.integers(1, 6))
    sizes = [draw(st.integers(1, 3)) for _ in range(nodes)]
    # One in twelve is forbidden: more, and hardly any problem has a solution.
    numbers = st.tuples(st.integers(0, 11), st.integers(0, most)).map(
        lambda pair: 10**18 if pair[0] == 11 and forbidden else pair[1]
    )
    costs = [draw(st.lists(numbers, min_size=size, max_size=size)) for size in sizes]
    usages = [draw(st.lists(st.integers(0, 50), min_size=size, max_size=size)) for size in sizes]
    begins = [draw(st.integers(0, 8)) for _ in sizes]
    intervals = [[begin, begin + draw(st.integers(0, 5))] for begin in begins]
    node = st.integers(0, nodes - 1)
    edges = draw(st.lists(st.tuples(node, node), max_size=9))
    hidden = [draw(st.integers(0, size - 1)) for size in sizes]
    tables = []
    for u, v in edges:
        table = draw(st.lists(numbers, min_size=sizes[u] * sizes[v], max_size=sizes[u] * sizes[v]))
        if forbidden and u != v and draw(st.booleans()):
            fits = draw(st.lists(st.integers(0, sizes[v] - 1), min_size=sizes[u], max_size=sizes[u]))
            fits[hidden[u]] = hidden[v]
            table = [one % 10**6 if fits[at // sizes[v]] == at % sizes[v] else 10**18 for at, one in enumerate(table)]
        tables.append(table)
    free = made(intervals, costs, usages, edges, tables)
    least = slow_peak(free, [int(np.argmin(one)) for one in usages])
    limit = draw(st.just(NO_LIMIT) | st.integers(least, least + 60))
    return made(intervals, costs, usages, edges, tables, limit)
