"""Policies: a heuristic, or the solver with its settings, as data."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from unseat.core.policy import Policy, Session, View
from unseat.tasks.shard.engine.problem import Int64, Problem

SECONDS = 1.0
"""CPU seconds of a solver in a run without a time limit."""

MARGIN_S, MARGIN_SHARE = 0.05, 0.03
"""What is left of a time limit for the last answer to be reported."""


def ends(view: View) -> float | None:
    """When a solver stops, a little before the run must end; None without a time limit."""
    if view.deadline is None:
        return None
    left = view.deadline - time.monotonic()
    return view.deadline - max(MARGIN_S, MARGIN_SHARE * left) if left > 4 * MARGIN_S else view.deadline - left / 2


@dataclass(frozen=True)
class Rule(Policy):
    """A heuristic of `incumbents`, by its name there."""

    name: str
    rule: str

    def start(self, view: View, seed: int) -> Session:
        from unseat.tasks.shard.incumbents import RULES

        return _Ask(lambda: RULES[self.rule](Problem(**view.facts), view, seed))


@dataclass(frozen=True)
class Solver(Policy):
    """The solver of this project.

    Attributes:
        seconds: CPU seconds in a run without a time limit.
        schedule: Settings that differ from those of `solver.search.Schedule`.
        weights: How often each arm is drawn in each part of a round, [parts][arms]; uniformly, if empty.
        online: Whether a bandit goes on learning on the instance itself.
        threads: Searches at once.
    """

    name: str
    seconds: float = SECONDS
    schedule: Mapping[str, float] = field(default_factory=dict)
    weights: list[list[float]] = field(default_factory=list)
    online: bool = False
    threads: int = 1

    def start(self, view: View, seed: int) -> Session:
        def solve() -> None:
            from unseat.tasks.shard.solver.bandit import selector
            from unseat.tasks.shard.solver.search import together

            until = ends(view)
            seconds = self.seconds if until is None else 1e9
            together(Problem(**view.facts), seconds, until, view.report, threads=self.threads, seed=seed,
                     schedule=settings(self.schedule),
                     selectors=[selector(self.weights, self.online) for _ in range(self.threads)])  # fmt: skip

        return _Ask(solve)


def settings(changed: Mapping[str, float]) -> Any:
    """A schedule with some of its settings changed; whole numbers stay whole."""
    from dataclasses import fields, replace

    from unseat.tasks.shard.solver.search import Schedule

    default = Schedule()
    kinds = {part.name: type(getattr(default, part.name)) for part in fields(default)}
    return replace(default, **{name: kinds[name](value) for name, value in changed.items()})


class _Ask(Session):
    def __init__(self, solve: Callable[[], Int64 | None]) -> None:
        self.solve = solve

    def decide(self, observation: Any) -> Int64 | None:
        return self.solve()
