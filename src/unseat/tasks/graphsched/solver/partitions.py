"""Schedules built by rule: one operator a step, greedy fusion, dynamic programming over an order; and what to keep."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from unseat.tasks.graphsched.engine.latency import BadSubgraph
from unseat.tasks.graphsched.engine.problem import Problem
from unseat.tasks.graphsched.engine.schedule import Evaluator, Step

MOST_FUSED = 10
"""Operators of one subgraph that dynamic programming looks at."""


def single(problem: Problem, order: Sequence[int] | None = None) -> list[Step]:
    """One operator a step."""
    return [Step(frozenset({op})) for op in (problem.order if order is None else order)]


def fused(evaluator: Evaluator, goes_on: Callable[[], bool]) -> list[Step]:
    """Merge the adjacent pair with the largest saving, each at its best granularity, until none helps."""
    steps = single(evaluator.problem)
    now = evaluator.total(steps)
    while goes_on():
        tries = [(evaluator.total(merged), at) for at in range(len(steps) - 1) if (merged := _merged(steps, at))]
        best, at = min(tries, default=(now, -1))
        if best >= now:
            break
        steps, now = _merged(steps, at), best
    return steps


def _merged(steps: Sequence[Step], at: int) -> list[Step]:
    both = Step(steps[at].ops | steps[at + 1].ops, steps[at + 1].keep)
    return [*steps[:at], both, *steps[at + 2 :]]


def partitioned(evaluator: Evaluator, order: Sequence[int]) -> list[Step]:
    """The best cut of an order of operators into runs, with nothing kept between them."""
    problem, n = evaluator.problem, len(order)
    place = {op: at for at, op in enumerate(order)}
    # A tensor is needed after the run that makes it if its last reader is beyond.
    last = {t: max((place[op] for op in problem.readers.get(t, ())), default=n) for t in problem.outputs}
    cost, back = [0.0] + [float("inf")] * n, [0] * (n + 1)
    for begin in range(n):
        if cost[begin] == float("inf"):
            continue
        for end in range(begin + 1, min(begin + MOST_FUSED, n) + 1):
            ops = frozenset(order[begin:end])
            needed = frozenset(problem.outputs[op] for op in ops if last[problem.outputs[op]] >= end)
            try:
                shape = evaluator.shape(ops, needed)
            except BadSubgraph:
                continue
            took = evaluator.step(Step(ops), shape, frozenset(), frozenset(), 0.0, 0)[0]
            if cost[begin] + took < cost[end]:
                cost[end], back[end] = cost[begin] + took, begin
    steps, end = list[Step](), n
    while end:
        steps.append(Step(frozenset(order[back[end] : end])))
        end = back[end]
    return steps[::-1]


def resident(evaluator: Evaluator, steps: Sequence[Step], goes_on: Callable[[], bool]) -> list[Step]:
    """Keep, one after the other, whatever tensor saves time from one step to the next."""
    problem, found = evaluator.problem, list(steps)
    now = evaluator.total(found)
    for at in range(len(found) - 1):
        reads = {t for op in found[at + 1].ops for t in problem.inputs[op]}
        here = {t for op in found[at].ops for t in (*problem.inputs[op], problem.outputs[op])} | found[at].keep
        for tensor in sorted(reads & here):
            if problem.size[tensor] > problem.capacity or not goes_on():
                continue
            tried = found.copy()
            tried[at] = Step(found[at].ops, found[at].keep | {tensor})
            took = evaluator.total(tried)
            if took < now:
                found, now = tried, took
    return found
