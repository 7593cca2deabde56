"""A policy at work on a build: a session for every module, as every compiler is a process of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from unseat.core.policy import Asker, Policy, Question
from unseat.tasks.llvm.engine.channel import Answer, Header
from unseat.tasks.llvm.inline.answers import ModuleView
from unseat.tasks.llvm.inline.problem import Problem
from unseat.tasks.llvm.inline.question import Answering


def seed_of(seed: int, number: int) -> int:
    """The seed of a module's session: another one for each seed of a run and module."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0] >> 1)


class Build:
    """Begins a session for each module of a problem in turn, and adds up.

    Args:
        question: What is asked.
        problem: The program.
        policy: Who answers.
        seed: Of the run; each module's session gets one of its own.
        deadline: `time.monotonic()` at which the run ends.
    """

    def __init__(self, question: Question, problem: Problem, policy: Policy, seed: int, deadline: float | None) -> None:
        self.question, self.problem, self.policy, self.seed = question, problem, policy, seed
        self.deadline, self.start_s = deadline, 0.0
        self._begun: list[Answering] = []
        self._reported: dict[str, Any] = {}

    def next(self) -> Callable[[Header], Answer]:
        """Begin with the next module; see `Channel.serve`."""
        number = len(self._begun)
        began = time.perf_counter()
        view = ModuleView(**vars(self.problem.view(number, self.deadline)), number=number, known=self._reported)
        session = self.policy.start(view, seed_of(self.seed, number))
        self.start_s += time.perf_counter() - began
        self._begun.append(Answering(Asker(session, self.question, self.deadline)))
        return self._begun[-1].begin

    @property
    def decisions(self) -> int:
        """Answers so far."""
        return sum(one.asker.decisions for one in self._begun)

    @property
    def decide_s(self) -> float:
        """Seconds that they took."""
        return sum(one.asker.decide_s for one in self._begun)

    @property
    def inlined(self) -> int:
        """How often the answer was to inline."""
        return sum(one.inlined for one in self._begun)
