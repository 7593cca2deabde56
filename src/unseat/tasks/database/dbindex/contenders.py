"""Advisors as policies, and everything that the task measures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from unseat.core.learner import Contender, Learner, Role
from unseat.core.policy import Artefact, Policy, Session, View
from unseat.tasks.database.dbindex.algorithms import ADVISORS, Advisor

_PAPERS = {
    "none": "PostgreSQL without secondary indexes", "drop": "Whang, Index Selection in Relational Databases, 1987",
    "AutoAdmin": "Chaudhuri and Narasayya, VLDB 1997", "DB2Advis": "Valentin et al., ICDE 2000",
    "Extend": "Schlosser, Kossmann and Boissier, ICDE 2019", "measured": "this library",
    "bandit": "after Perera et al., DBA bandits, ICDE 2021",
}  # fmt: skip
LEARNED, RANDOM = "learned benefit", "random search"
SHIPPED = Path(__file__).parent / "shipped"
"""Policies that were fitted on the built-in training instances, with the records of their fits."""
_CHALLENGERS = frozenset({"measured", "bandit"})


@dataclass(frozen=True)
class Advised(Policy):
    """An advisor of `ADVISORS`.

    Attributes:
        advisor: Its name there.
    """

    name: str
    advisor: str

    def start(self, view: View, seed: int) -> Session:
        return Advising(ADVISORS[self.advisor](view.facts, np.random.default_rng(seed)))


class Advising(Session):
    """An advisor at work.

    Args:
        steps: What it asks.
    """

    def __init__(self, steps: Advisor) -> None:
        self.steps, self.begun = steps, False

    def decide(self, observation: Any) -> Any:
        try:
            if not self.begun:
                self.begun = True
                kind, config = next(self.steps)
            else:
                kind, config = self.steps.send((observation["costs"], observation["bytes"], observation["plans"]))
        except StopIteration as end:
            kind, config = "choose", end.value
        return {kind: [list(index) for index in config]}


def contenders() -> Mapping[str, Contender]:
    """By name."""
    made = {}
    for name in ADVISORS:
        role = Role.CHALLENGER if name in _CHALLENGERS else Role.INCUMBENT
        made[name] = Contender(name, role, partial(Advised, name, name), paper=_PAPERS[name])
    made[LEARNED] = Contender(LEARNED, Role.CHALLENGER, _learned, shipped=_shipped(LEARNED), paper="this library")
    made[RANDOM] = Contender(
        RANDOM, Role.BASELINE, _random, shipped=_shipped(RANDOM), paper="Bergstra and Bengio, JMLR 13, 2012"
    )
    return made


def _random() -> Learner:
    from unseat.learn.tune import Parameter, RandomSearch

    space = {"advisor": Parameter(0, len(ADVISORS) - 1, integer=True)}
    return RandomSearch(RANDOM, _drawn, space, default={"advisor": 0})


def _drawn(parameters: Mapping[str, float]) -> Advised:
    return Advised(RANDOM, list(ADVISORS)[int(parameters["advisor"])])


def _learned() -> Learner:
    from unseat.tasks.database.dbindex.learned import BenefitLearner

    return BenefitLearner(LEARNED)


def _shipped(name: str) -> Callable[[], Policy] | None:
    folder = SHIPPED / "dbindex" / name
    return (lambda: Artefact.load(folder).restore()) if folder.is_dir() else None
