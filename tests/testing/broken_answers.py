"""Tasks of whole answers, and of several questions and agents, that each break one clause of the contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from examples.tiny_answers.task import MachineScheduling, Problem
from gymnasium.spaces import Box
from tests.core.workshop import Workshop

from unseat import Contender, Form, Instance, Limits, Outcome, Policy, Question, Session, Status, View
from unseat.core.agents import AgentsEnv
from unseat.core.errors import ContractError


class Batch(MachineScheduling):
    """The example of whole answers, unbroken and short."""

    def contenders(self) -> Mapping[str, Contender]:
        return {name: one for name, one in super().contenders().items() if name != "local search"}


class ScoresByWhim(Batch):
    def score(self, problem: Problem, answer: Any) -> Outcome:
        outcome = super().score(problem, answer)
        return replace(outcome, value=outcome.value + 1e-9 * float(np.random.default_rng().random()))


class TakesAnything(Batch):
    def score(self, problem: Problem, answer: Any) -> Outcome:
        try:
            return super().score(problem, answer)
        except Exception:
            return Outcome(float(problem.machines))


class ScoreChangesProblem(Batch):
    @cached_property
    def loaded(self) -> dict[str, Problem]:
        return {}

    def load(self, instance: Instance) -> Problem:
        return self.loaded.setdefault(instance.id, super().load(instance))

    def score(self, problem: Problem, answer: Any) -> Outcome:
        outcome = super().score(problem, answer)
        problem.__dict__["durations"] = np.append(problem.durations, 1)[1:]
        return replace(outcome, value=7.9)


class KeepsNoAnswer(Batch):
    """The engine scores what it is given by itself, and keeps it to itself."""

    def run(self, problem: Problem, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        view = View("assign", {"durations": problem.durations.copy(), "machines": problem.machines})
        return self.score(problem, policy.start(view, seed).decide(None))


class CannotScore(KeepsNoAnswer):
    forms = frozenset({Form.DECIDE})


@dataclass(frozen=True)
class _Muffled(Policy):
    """A policy whom the engine hears only at the end."""

    inner: Policy
    name: str = "muffled"

    def start(self, view: View, seed: int) -> Session:
        quiet = replace(view)
        session = self.inner.start(quiet, seed)
        view.listener, quiet.listener = quiet.listener, None
        return session


class HearsNoReports(Batch):
    def run(self, problem: Problem, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        return super().run(problem, _Muffled(policy), seed=seed, limits=limits)


class TellsNoDeadline(Batch):
    def run(self, problem: Problem, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        return super().run(problem, policy, seed=seed, limits=replace(limits, wall_s=None))


class CountsLateReports(Batch):
    """An engine that stops the clock for itself, and counts what it likes."""

    def run(self, problem: Problem, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        try:
            return super().run(problem, policy, seed=seed, limits=limits)
        except Exception:
            return Outcome(1.0, Status.INVALID, message="it was late")


class NoDefault(Workshop):
    def default(self, question: str) -> Policy:
        if question == "serve":
            raise ContractError("nobody serves")
        return super().default(question)

    def player(self, policy: Policy, question: str) -> Policy:
        return policy if question in (policy.questions or ("admit",)) else Workshop.default(self, question)


class AsksEverything(Workshop):
    def player(self, policy: Policy, question: str) -> Policy:
        return policy


class ForgetsAnAgent(Workshop):
    """The second server is always served by the default."""

    asked = 0

    def player(self, policy: Policy, question: str) -> Policy:
        self.asked = 0 if question == "admit" else self.asked + 1
        return super().player(policy, question) if self.asked < 2 else self.default(question)


class AgentsOutsideTheirSpace(Workshop):
    @cached_property
    def questions(self) -> Mapping[str, Question]:
        asked = dict(super().questions)
        return {**asked, "serve": replace(asked["serve"], observation=Box(-2, -1, (3,), np.float32))}


class AgentsOfAnother(Workshop):
    def env(self, instance: Instance) -> AgentsEnv:
        class Other(AgentsEnv):
            """An environment that plays another instance than it was asked for."""

        return Other(self, self.instances()[0])
