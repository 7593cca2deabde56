"""Policies: a rule or the search, as data."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from unseat.core.policy import Policy, Session, View
from unseat.tasks.graphsched.engine.problem import Problem
from unseat.tasks.graphsched.engine.schedule import Evaluator, Step, to_json

LARGEST = 6
"""Operators of a subgraph that the dynamic programming over what has run looks at."""

SECONDS = 1.0
"""CPU seconds of a search in a run without a time limit."""

EVEN = {"merge": 1.0, "split": 1.0, "shift": 1.0, "swap": 1.0, "keep": 1.0, "recompute": 1.0, "pull": 1.0}
"""All moves alike."""


def clock(view: View, seconds: float) -> Callable[[], float]:
    """The share of a run that is gone; a run with a limit ends a little before it."""
    began, cpu = time.monotonic(), time.thread_time()
    if view.deadline is None:
        return lambda: (time.thread_time() - cpu) / seconds
    left = max(view.deadline - began, 1e-6)
    usable = max(left - max(0.05, 0.03 * left), left / 2)
    return lambda: (time.monotonic() - began) / usable


def problem_of(view: View) -> Problem:
    """The problem that a policy is told."""
    return Problem(**view.facts)


@dataclass(frozen=True)
class Rule(Policy):
    """A rule of `RULES`."""

    name: str
    rule: str

    def start(self, view: View, seed: int) -> Session:
        return _Ask(lambda: self._solve(view))

    def _solve(self, view: View) -> None:
        from unseat.tasks.graphsched.solver import partitions

        evaluator, spent = Evaluator(problem_of(view)), clock(view, SECONDS)
        steps = partitions.single(evaluator.problem)
        view.report(to_json(evaluator, steps))
        if self.rule == "residency":
            steps = partitions.resident(evaluator, steps, lambda: spent() < 1)
        elif self.rule == "greedy fusion":
            steps = partitions.fused(evaluator, lambda: spent() < 1)
        elif self.rule == "runs":
            steps = partitions.partitioned(evaluator, evaluator.problem.order)
            steps = partitions.resident(evaluator, steps, lambda: spent() < 1)
        view.report(to_json(evaluator, steps))


@dataclass(frozen=True)
class Annealing(Policy):
    """Dynamic programming over an order, then annealing.

    Attributes:
        seconds: CPU seconds in a run without a time limit.
        weights: How often each move is drawn; all alike, if empty.
        hot: Temperature at which it begins, as a share of what the start takes.
        cold: The same of the end.
    """

    name: str
    seconds: float = SECONDS
    weights: Mapping[str, float] = field(default_factory=dict)
    hot: float = 0.03
    cold: float = 1e-4

    def start(self, view: View, seed: int) -> Session:
        return _Ask(lambda: self._solve(view, seed))

    def _solve(self, view: View, seed: int) -> None:
        from unseat.tasks.graphsched.solver.anneal import anneal

        problem, spent = problem_of(view), clock(view, self.seconds)
        evaluator = Evaluator(problem)
        began = first_schedule(evaluator, view, spent)

        def told(steps: list[Step], took: float) -> None:
            view.report(to_json(evaluator, steps))

        anneal(problem, began, spent, told, seed=seed, weights=self.weights or EVEN, hot=self.hot, cold=self.cold)


@dataclass(frozen=True)
class Beam(Policy):
    """Beams over what has run, each twice as wide as the one before.

    Attributes:
        seconds: CPU seconds in a run without a time limit.
        value: Weights of what is left, `solver.value.LEFT`; without any, states are compared by what they took alone.
    """

    name: str
    seconds: float = SECONDS
    value: Mapping[str, float] = field(default_factory=dict)

    def start(self, view: View, seed: int) -> Session:
        return _Ask(lambda: self._solve(view))

    def _solve(self, view: View) -> None:
        import numpy as np

        from unseat.tasks.graphsched.solver import exact, value

        evaluator, spent = Evaluator(problem_of(view)), clock(view, self.seconds)
        found = Best(evaluator, view)
        rest = value.Rest(evaluator)
        weights = np.array([self.value.get(name, 0.0) for name in value.LEFT])
        width = 1
        while spent() < 1 and width <= exact.MOST_STATES:
            steps = exact.optimal(evaluator, LARGEST, lambda: spent() < 1, width,
                                  lambda done: float(rest(done) @ weights))  # fmt: skip
            if steps is not None:
                found.offer(steps)
            width *= 2


@dataclass(frozen=True)
class Ordered(Policy):
    """Operators by priority, cut into runs by dynamic programming, and what saves time kept.

    Attributes:
        weights: Of a priority, `solver.value.BY`.
    """

    name: str
    weights: Mapping[str, float]

    def start(self, view: View, seed: int) -> Session:
        return _Ask(lambda: self._solve(view))

    def _solve(self, view: View) -> None:
        from unseat.tasks.graphsched.solver import partitions, value

        evaluator, spent = Evaluator(problem_of(view)), clock(view, SECONDS)
        found = Best(evaluator, view)
        steps = partitions.partitioned(evaluator, value.by_priority(evaluator.problem, self.weights))
        found.offer(steps)
        found.offer(partitions.resident(evaluator, steps, lambda: spent() < 1))


class Best:
    """The best schedule so far, reported as it comes; it begins with one operator a step.

    Args:
        evaluator: Of the problem.
        view: Gets the reports.
    """

    def __init__(self, evaluator: Evaluator, view: View) -> None:
        from unseat.tasks.graphsched.solver.partitions import single

        self.evaluator, self.view = evaluator, view
        self.steps, self.took = list[Step](), float("inf")
        self.offer(single(evaluator.problem))

    def offer(self, steps: list[Step]) -> None:
        """Take a schedule if it is better."""
        took = self.evaluator.total(steps)
        if took < self.took:
            self.steps, self.took = steps, took
            self.view.report(to_json(self.evaluator, steps))


def first_schedule(evaluator: Evaluator, view: View, spent: Callable[[], float]) -> list[Step]:
    """The better of what the rules give, reported as it comes."""
    from unseat.tasks.graphsched.solver import exact, partitions

    best = Best(evaluator, view)
    steps = partitions.partitioned(evaluator, evaluator.problem.order)
    best.offer(steps)
    best.offer(partitions.resident(evaluator, steps, lambda: spent() < 0.1))
    best.offer(partitions.fused(evaluator, lambda: spent() < 0.2))
    best.offer(exact.optimal(evaluator, LARGEST, lambda: spent() < 0.4) or steps)
    return best.steps


class _Ask(Session):
    def __init__(self, solve: Callable[[], None]) -> None:
        self.solve = solve

    def decide(self, observation: Any) -> None:
        self.solve()
