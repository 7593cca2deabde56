"""What the rest of a graph will take, guessed from what is left of it; and orders of its operators by priority.

The first leads a beam (B. Steiner et al., "Value function based performance optimization of deep learning workloads",
arXiv 2011.14486); the second gives dynamic programming over runs another order to cut (list scheduling: R. Graham,
"Bounds on multiprocessing timing anomalies", SIAM Journal on Applied Mathematics 17(2), 1969).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from unseat.tasks.graphsched.engine.latency import Float64
from unseat.tasks.graphsched.engine.problem import Problem
from unseat.tasks.graphsched.engine.schedule import Evaluator, Step

LEFT = ("alone", "arithmetic", "compulsory", "between", "in flight")
"""Of the operators that are left: what each takes as a subgraph of its own, their arithmetic, the traffic that no
fusion saves them, that of what they pass to one another, and that of what has been made for them. In units of time."""

BY = ("number", "near", "frees", "makes", "depth")
"""Of an operator that could run next: early in the list (as negative share), whether it reads what was made last, the
elements that nobody else still reads, those that it makes, both as share of the largest tensor, and operators on the
longest path from it as share of the longest of all."""


class Rest:
    """Features of what is left.

    Args:
        evaluator: Of the problem.
    """

    def __init__(self, evaluator: Evaluator) -> None:
        self.problem = problem = evaluator.problem
        self._every = frozenset(range(problem.operators))
        self._alone, self._work = [], []
        for op, tensor in enumerate(problem.outputs):
            ops = frozenset({op})
            shape = evaluator.shape(ops, frozenset({tensor}))
            self._alone.append(evaluator.step(Step(ops), shape, frozenset(), frozenset(), 0.0, 0)[0])
            native = problem.native[0] * problem.native[1]
            self._work.append(problem.costs[op] * problem.size[tensor] / native)

    def __call__(self, done: frozenset[int]) -> Float64:
        """float64 [features], in the order of `LEFT`."""
        problem, left = self.problem, self._every - done
        reads = {tensor for op in left for tensor in problem.inputs[op]}
        makes = {problem.outputs[op] for op in left}
        compulsory = sum(problem.size[one] for one in (reads - makes) | (makes & problem.results))
        between = sum(problem.size[one] for one in makes & reads)
        flight = sum(problem.size[one] for one in reads - makes if one in problem.producer)
        alone, work = sum(self._alone[op] for op in left), sum(self._work[op] for op in left)
        return np.array([alone, work, *(one / problem.bandwidth for one in (compulsory, between, flight))])


def by_priority(problem: Problem, weights: Mapping[str, float]) -> list[int]:
    """The operators, each after those it reads from; of those that could run the one with the highest priority.

    Args:
        problem: The problem.
        weights: Of the features in `BY`.
    """
    largest, deepest = max(problem.size), _depths(problem)
    longest = max(deepest)
    unread = {tensor: len(ops) for tensor, ops in problem.readers.items()}
    waits = [len({problem.producer[t] for t in read if t in problem.producer}) for read in problem.inputs]
    ready, order = {op for op, count in enumerate(waits) if not count}, list[int]()

    def priority(op: int) -> tuple[float, int]:
        read = set(problem.inputs[op])
        near = bool(order) and problem.outputs[order[-1]] in read
        frees = sum(problem.size[one] for one in read if unread[one] == 1)
        told = (-op / problem.operators, near, frees / largest, problem.size[problem.outputs[op]] / largest,
                deepest[op] / longest)  # fmt: skip
        return sum(weights[name] * one for name, one in zip(BY, told, strict=True)), -op

    while ready:
        op = max(ready, key=priority)
        ready.remove(op)
        order.append(op)
        for tensor in set(problem.inputs[op]):
            unread[tensor] -= 1
        for reader in problem.readers.get(problem.outputs[op], ()):
            waits[reader] -= 1
            if not waits[reader]:
                ready.add(reader)
    return order


def _depths(problem: Problem) -> Sequence[int]:
    """Operators on the longest path that begins with each."""
    depths = [1] * problem.operators
    for op in reversed(problem.order):
        depths[op] += max((depths[one] for one in problem.readers.get(problem.outputs[op], ())), default=0)
    return depths
