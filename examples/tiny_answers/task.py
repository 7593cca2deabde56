"""Which machine runs which job? A task that is asked once, for a whole answer."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import unseat
from unseat import (
    Bounder,
    Card,
    Contender,
    Form,
    Instance,
    InvalidAnswer,
    Kind,
    Limits,
    Objective,
    Outcome,
    Policy,
    Question,
    Role,
    Session,
    View,
    solve,
)

MOST_MACHINES = 8
ASSIGN = Question("Which machine runs which job? An integer for each job, in their order.")
SPLITS: Mapping[str, Any] = {"even": "train", "skewed": "valid", "few-long": "test", "mixed": "test"}


@dataclass(frozen=True)
class Problem:
    """How long each job takes (int64 [jobs]), and how many machines there are."""

    durations: NDArray[np.int64]
    machines: int


class MachineScheduling(unseat.Task):
    """All jobs of a batch are known: which machine runs which?"""

    card = Card.read(Path(__file__).with_name("card.toml"))
    objective = Objective("makespan", "mean loads", worst=lambda problem, limits: float(MOST_MACHINES))
    forms = frozenset({Form.DECIDE, Form.ANSWERS})

    @property
    def questions(self) -> Mapping[str, Question]:
        return {"assign": ASSIGN}

    def instances(self) -> Sequence[Instance]:
        return [Instance(f"{group}/{machines}", group, split, facts={"machines": machines},
                         suites=frozenset({"quick", "full"}))
                for group, split in SPLITS.items() for machines in (3, MOST_MACHINES)]  # fmt: skip

    def load(self, instance: Instance) -> Problem:
        rng = np.random.default_rng(list(instance.id.encode()))
        spread = {"even": 0.3, "skewed": 1.0, "few-long": 1.5, "mixed": 0.7}[instance.group]
        durations = 1 + (100 * rng.lognormal(0, spread, 60)).astype(np.int64)
        durations.setflags(write=False)
        return Problem(durations, instance.facts["machines"])

    def run(self, problem: Problem, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        facts = {"durations": problem.durations, "machines": problem.machines}
        return solve(policy, "assign", ASSIGN, facts, seed=seed, limits=limits)

    def score(self, problem: Problem, answer: Any) -> Outcome:
        chosen = np.asarray(answer)
        if chosen.shape != problem.durations.shape or chosen.dtype.kind not in "iu":
            raise InvalidAnswer(f"it must be an integer for each of the {len(problem.durations)} jobs")
        if not ((chosen >= 0) & (chosen < problem.machines)).all():
            raise InvalidAnswer(f"there are {problem.machines} machines, numbered from 0")
        loads = np.bincount(chosen, problem.durations, problem.machines)
        return Outcome(float(loads.max() / loads.mean()), metrics={"idle": float(1 - loads.mean() / loads.max())})

    def contenders(self) -> Mapping[str, Contender]:
        graham = self.card.papers[0].title
        listed = [
            Contender("in order", Role.INCUMBENT, lambda: Listed("in order", longest_first=False), paper=graham),
            Contender("longest first", Role.INCUMBENT, lambda: Listed("longest first", longest_first=True),
                      paper=graham),
            Contender("local search", Role.CHALLENGER, lambda: LocalSearch("local search", 20_000)),
            Contender("relaxation", Role.BOUND, Relaxation),
        ]  # fmt: skip
        return {contender.name: contender for contender in listed}


@dataclass(frozen=True)
class Listed(Policy):
    """Gives each job to the machine that is free first (Graham, 1969); within 4/3 of the optimum, longest first."""

    name: str
    longest_first: bool

    def start(self, view: View, seed: int) -> Session:
        return _Listed(view, self.longest_first)


class _Listed(Session):
    def __init__(self, view: View, longest_first: bool) -> None:
        self.durations, self.machines = view.facts["durations"], view.facts["machines"]
        self.order = np.argsort(-self.durations if longest_first else np.zeros_like(self.durations), kind="stable")

    def decide(self, observation: Any) -> NDArray[np.int64]:
        loads, chosen = np.zeros(self.machines), np.zeros(len(self.durations), np.int64)
        for job in self.order:
            chosen[job] = np.argmin(loads)
            loads[chosen[job]] += self.durations[job]
        return chosen


@dataclass(frozen=True)
class LocalSearch(Policy):
    """Begins longest first, swaps jobs at random and keeps what is no worse; reports whenever it is better.

    Attributes:
        steps: How many swaps it tries, if the time allows.
    """

    name: str
    steps: int

    def start(self, view: View, seed: int) -> Session:
        return _LocalSearch(view, seed, self.steps)


class _LocalSearch(Session):
    def __init__(self, view: View, seed: int, steps: int) -> None:
        self.view, self.rng, self.steps = view, np.random.default_rng(seed), steps

    def decide(self, observation: Any) -> NDArray[np.int64]:
        durations, machines = self.view.facts["durations"], self.view.facts["machines"]
        best = _Listed(self.view, longest_first=True).decide(None)
        self.view.report(best)
        loads = np.bincount(best, durations, machines)
        for _ in range(self.steps):
            if self.view.deadline is not None and time.monotonic() > self.view.deadline:
                break
            one, other = self.rng.integers(len(durations), size=2)
            shift = durations[one] - durations[other]
            changed = loads.copy()
            changed[best[one]] -= shift
            changed[best[other]] += shift
            if (changed**2).sum() <= (loads**2).sum():
                best[one], best[other] = best[other], best[one]
                if changed.max() < loads.max():
                    self.view.report(best)
                loads = changed
        return best


class Relaxation(Bounder):
    """No machine is done before the mean load, nor before the longest job."""

    name = "relaxation"
    kind = Kind.RELAXATION

    def solve(self, problem: Problem, *, seed: int, limits: Limits) -> Outcome:
        return Outcome(max(1.0, float(problem.durations.max() * problem.machines / problem.durations.sum())))
