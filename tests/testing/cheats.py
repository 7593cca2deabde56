"""Policies and a learner that cheat, on the example task.

They lie in a module of their own because another process must find them by name.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from examples.tiny_task import engine
from examples.tiny_task.engine import LONGEST
from examples.tiny_task.incumbents import SpinFor
from examples.tiny_task.task import SpinThenBlock
from numpy.typing import NDArray

from unseat import Artefact, Learner, Policy, Session, Study, View


@dataclass(frozen=True)
class ReadsTheFuture(Policy):
    """Finds the engine among its callers, and in it how long the lock will stay taken."""

    name: str = "reads the future"

    def start(self, view: View, seed: int) -> Session:
        return _ReadsTheFuture()


class _ReadsTheFuture(Session):
    def decide(self, observation: Any) -> int:
        frame = sys._getframe()
        while frame.f_code.co_name != "serve" and frame.f_back is not None:
            frame = frame.f_back
        waits = frame.f_locals["problem"].waits
        return int(waits[-1] > LONGEST / 2)


@dataclass(frozen=True)
class KeepsState(Policy):
    """Remembers in its class what it saw in earlier runs."""

    remembered: ClassVar[list[int]] = []
    name: str = "keeps state"

    def start(self, view: View, seed: int) -> Session:
        self.remembered.append(view.facts["block_cost"])
        return SpinFor(self.name, 0.1 * (len(self.remembered) % 10)).start(view, seed)


@dataclass(frozen=True)
class KnowsTheFirst(Policy):
    """Remembers the first instance that this process ever ran, so that equal runs in a row are equal."""

    remembered: ClassVar[dict[int, int]] = {}
    name: str = "knows the first"

    def start(self, view: View, seed: int) -> Session:
        cost = view.facts["block_cost"]
        self.remembered.setdefault(os.getpid(), cost)
        return SpinFor(self.name, float(self.remembered[os.getpid()] == cost)).start(view, seed)


@dataclass(frozen=True)
class ChangesItself(Policy):
    """Writes into its own weights, though it never uses them."""

    name: str = "changes itself"
    weights: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))

    def start(self, view: View, seed: int) -> Session:
        self.weights[0] += 1.0
        return SpinFor(self.name, 1.0).start(view, seed)


@dataclass(frozen=True)
class ChangesTheProblem(Policy):
    """Finds the engine among its callers, and makes all waits short."""

    name: str = "changes the problem"

    def start(self, view: View, seed: int) -> Session:
        return _ChangesTheProblem()


class _ChangesTheProblem(Session):
    def decide(self, observation: Any) -> int:
        waits = sys._getframe(2).f_locals["problem"].waits
        waits.setflags(write=True)
        waits[:] = 1
        return engine.SPIN


@dataclass(frozen=True)
class AnswersNothing(Policy):
    """Its answer is not a number."""

    name: str = "answers NaN"

    def start(self, view: View, seed: int) -> Session:
        return _AnswersNothing()


class _AnswersNothing(Session):
    def decide(self, observation: Any) -> float:
        return float("nan")


class FitsOnTest(Learner):
    """Asks for the instances that it will be judged by."""

    name = "fits on test"

    def __init__(self, task: SpinThenBlock) -> None:
        self.task = task

    def fit(self, study: Study) -> Policy:
        hidden = next(instance for instance in self.task.instances() if instance.split == "test")
        study.run(replace(hidden, split="train"), SpinFor(self.name, 1.0))
        return SpinFor(self.name, 1.0)


@dataclass(frozen=True)
class LosesItsWeights(SpinFor):
    """Its artefact leaves out what it decides by."""

    @property
    def artefact(self) -> Artefact:
        return replace(super().artefact, config={"patience": 1.0})
