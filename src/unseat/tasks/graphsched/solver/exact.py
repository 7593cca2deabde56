"""The best schedule of a small graph without recomputation or residency: dynamic programming over what has run.

A state is a set of operators that has run, closed under what they read from (R. Held and R. Karp, "A dynamic
programming approach to sequencing problems", Journal of SIAM 10(1), 1962). Every subgraph that may come next, in any
order, is tried at its best granularity, so this is the optimum of all partitions that compute each operator once and
keep nothing; where no tensor that is read again fits into the fast memory, nothing can be kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from unseat.tasks.graphsched.engine.latency import BadSubgraph
from unseat.tasks.graphsched.engine.problem import Problem
from unseat.tasks.graphsched.engine.schedule import Evaluator, Step

MOST_STATES = 20_000


def optimal(
    evaluator: Evaluator, largest: int, goes_on: Callable[[], bool], width: int | None = None,
    value: Callable[[frozenset[int]], float] = lambda done: 0.0,
) -> list[Step] | None:  # fmt: skip
    """The best partition into subgraphs of at most `largest` operators; None where there are too many states.

    With a width it is a beam search instead: of the states in which equally many operators have run, only so many are
    gone on from, those with the least sum of what they took and of what the rest will take by `value`.
    """
    problem = evaluator.problem
    whole = frozenset(range(problem.operators))
    cost, back = {frozenset[int](): 0.0}, dict[frozenset[int], frozenset[int]]()
    layers: list[set[frozenset[int]]] = [set() for _ in range(problem.operators + 1)]
    layers[0].add(frozenset())
    for layer in layers[:-1]:
        states = sorted(layer, key=lambda done: (cost[done] + value(done), sorted(done)))
        for done in states[:width]:
            if (width is None and len(cost) > MOST_STATES) or not goes_on():
                return None
            for ops in _next(problem, done, largest):
                after = done | ops
                needed = frozenset(t for op in ops if (t := problem.outputs[op]) in problem.results
                                   or any(reader not in after for reader in problem.readers[t]))  # fmt: skip
                try:
                    shape = evaluator.shape(ops, needed)
                except BadSubgraph:
                    continue
                took = cost[done] + evaluator.step(Step(ops), shape, frozenset(), frozenset(), 0.0, 0)[0]
                if took < cost.get(after, float("inf")):
                    cost[after], back[after] = took, ops
                    layers[len(after)].add(after)
    steps, at = list[Step](), whole
    if whole not in cost:
        return None
    while at:
        steps.append(Step(back[at]))
        at = at - back[at]
    return steps[::-1]


def _next(problem: Problem, done: frozenset[int], largest: int) -> Iterator[frozenset[int]]:
    """Every set of operators that can run as one, given what has run; parts of it may be joined by a later one."""
    ready = [op for op in range(problem.operators) if op not in done and _may(problem, op, done)]
    seen, waiting = set[frozenset[int]](), [frozenset({op}) for op in ready]
    while waiting:
        ops = waiting.pop()
        if ops in seen:
            continue
        seen.add(ops)
        yield ops
        if len(ops) == largest:
            continue
        have = done | ops
        waiting += [ops | {op} for op in range(problem.operators) if op not in have and _may(problem, op, have)]


def _may(problem: Problem, op: int, have: frozenset[int]) -> bool:
    return all(problem.producer.get(t, -1) in have or t not in problem.producer for t in problem.inputs[op])
