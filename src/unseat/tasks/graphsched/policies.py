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

        evaluator, spent = Evaluator(problem_of(view)), clock(view, self.seconds)
        began = first_schedule(evaluator, view, spent)

        def told(steps: list[Step], took: float) -> None:
            view.report(to_json(evaluator, steps))

        anneal(evaluator, began, spent, told, seed=seed, weights=self.weights or EVEN, hot=self.hot, cold=self.cold)


def first_schedule(evaluator: Evaluator, view: View, spent: Callable[[], float]) -> list[Step]:
    """The better of what the rules give, reported as it comes."""
    from unseat.tasks.graphsched.solver import exact, partitions

    best = partitions.single(evaluator.problem)
    view.report(to_json(evaluator, best))
    steps = partitions.partitioned(evaluator, evaluator.problem.order)
    rules: list[Callable[[], list[Step]]] = [
        lambda: steps, lambda: partitions.resident(evaluator, steps, lambda: spent() < 0.1),
        lambda: partitions.fused(evaluator, lambda: spent() < 0.2),
        lambda: exact.optimal(evaluator, LARGEST, lambda: spent() < 0.4) or steps,
    ]  # fmt: skip
    for rule in rules:
        tried = rule()
        if evaluator.total(tried) < evaluator.total(best):
            best = tried
            view.report(to_json(evaluator, best))
    return best


class _Ask(Session):
    def __init__(self, solve: Callable[[], None]) -> None:
        self.solve = solve

    def decide(self, observation: Any) -> None:
        self.solve()
