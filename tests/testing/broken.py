"""Tasks that each break one clause of the contract; all are variants of the example task.

They lie in a module of their own because another process must find them by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import gymnasium
import numpy as np
from examples.tiny_task import engine
from examples.tiny_task.engine import LONGEST, Problem
from examples.tiny_task.incumbents import SpinFor
from examples.tiny_task.task import SpinThenBlock
from gymnasium.spaces import Box, Discrete
from numpy.typing import NDArray

from unseat import (
    Bounder,
    Contender,
    Instance,
    Kind,
    Learner,
    Limits,
    Objective,
    Outcome,
    Policy,
    Question,
    Role,
    Session,
    Study,
    View,
)
from unseat.core.env import TaskEnv
from unseat.learn.baselines import Uniform
from unseat.learn.tune import RandomSearch

ACQUISITIONS = 40


class Small(SpinThenBlock):
    """The example task, unbroken and short."""

    def load(self, instance: Instance) -> Problem:
        problem = super().load(instance)
        waits = problem.waits[:ACQUISITIONS].copy()
        waits.setflags(write=False)
        return replace(problem, waits=waits)

    def twins(self) -> tuple[Problem, Problem, int]:
        """Half of the acquisitions are the same, and each asks at least once."""
        problem = self.load(self.instances()[0])
        moment = len(problem.waits) // 2
        waits = np.concatenate([problem.waits[:moment], 1 + LONGEST - problem.waits[moment:]])
        return problem, replace(problem, waits=waits), moment


class UnknownVersion(Small):
    card = Small.card.model_copy(update={"versions": {**Small.card.versions, "nobody": "1.0"}})


class NoFailureValue(Small):
    objective = replace(Small.objective, worst=lambda problem, limits: float("inf"))


class NoBaselines(Small):
    def contenders(self) -> Mapping[str, Contender]:
        return {name: one for name, one in super().contenders().items() if one.role is not Role.BASELINE}


class NoRandomSearch(Small):
    def contenders(self) -> Mapping[str, Contender]:
        return {name: one for name, one in super().contenders().items() if name != "random search"}


class NoPaper(Small):
    def contenders(self) -> Mapping[str, Contender]:
        found = super().contenders()
        return {**found, "glibc": replace(found["glibc"], paper="")}


class OtherName(Small):
    def contenders(self) -> Mapping[str, Contender]:
        found = super().contenders()
        return {**found, "block": replace(found["block"], make=lambda: SpinFor("other", 0.0))}


class GroupInTwoSplits(Small):
    def instances(self) -> Sequence[Instance]:
        found = list(super().instances())
        return [replace(found[0], split="test"), *found[1:]]


class SameIdTwice(Small):
    def instances(self) -> Sequence[Instance]:
        found = list(super().instances())
        return [*found, replace(found[0], level=5, series="other")]


class NoWeight(Small):
    def instances(self) -> Sequence[Instance]:
        found = list(super().instances())
        return [replace(found[0], weight=0.0), *found[1:]]


class UnstableInstances(Small):
    def instances(self) -> Sequence[Instance]:
        found = list(super().instances())
        self.calls = getattr(self, "calls", 0) + 1
        return [*found[:-1], replace(found[-1], facts={"calls": self.calls})]


class SameLevelTwice(Small):
    def instances(self) -> Sequence[Instance]:
        found = list(super().instances())
        return [*found, replace(found[0], id="again")]


class FactsThatChange(Small):
    def instances(self) -> Sequence[Instance]:
        found = list(super().instances())
        return [replace(found[0], facts={"pair": (1, 2)}), *found[1:]]


class ContentOfNothing(Small):
    def content(self, instance: Instance) -> str:
        return "0" * 64


class Noise(Small):
    def run(self, problem: Problem, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        outcome = super().run(problem, policy, seed=seed, limits=limits)
        return replace(outcome, value=outcome.value + 1e-6 * float(np.random.default_rng().random()))


@dataclass(frozen=True)
class Scratch(Problem):
    """A problem with room in it for an engine to write."""

    runs: list[int] = field(default_factory=list)


class EngineChangesProblem(Small):
    @cached_property
    def problems(self) -> dict[str, Problem]:
        return {}

    def load(self, instance: Instance) -> Problem:
        if instance.id not in self.problems:
            problem = super().load(instance)
            self.problems[instance.id] = Scratch(problem.waits, problem.block_cost)
        return self.problems[instance.id]

    def run(self, problem: Problem, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        if isinstance(problem, Scratch):
            problem.runs.append(seed)
        return super().run(problem, policy, seed=seed, limits=limits)


@dataclass(frozen=True)
class Told(Policy):
    """Another policy that is told the past waits as well."""

    inner: Policy
    waits: NDArray[np.int64]

    @property
    def name(self) -> str:  # type: ignore[override]
        return self.inner.name

    def start(self, view: View, seed: int) -> Session:
        shown = self.waits.view()
        shown.flags.writeable = False
        return self.inner.start(replace(view, facts={**view.facts, "past": shown}), seed)


class HandsOutTheProblem(Small):
    """What must not be written to is a view of what can be."""

    def load(self, instance: Instance) -> Problem:
        problem = super().load(instance)
        return replace(problem, waits=problem.waits.copy())

    def run(self, problem: Problem, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        return super().run(problem, Told(policy, problem.waits), seed=seed, limits=limits)


class HandsOutWhatItKeeps(Small):
    """The same with what is kept from run to run, beside the problem."""

    @cached_property
    def kept(self) -> NDArray[np.int64]:
        return np.zeros(3, np.int64)

    def run(self, problem: Problem, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        outcome = super().run(problem, Told(policy, self.kept), seed=seed, limits=limits)
        return replace(outcome, value=outcome.value + float(self.kept.sum()))


class HandsOutItsState(Small):
    """The engine's counter of spins is the observation itself."""

    def run(self, problem: Problem, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        [(name, question)] = self.questions.items()
        session = policy.start(View(name, {"block_cost": problem.block_cost}), seed)
        state, total = np.zeros(4, np.float32), 0.0
        for wait in problem.waits / problem.block_cost:
            state[0] = 0.0
            while state[0] < wait:
                answer = session.decide(state)
                assert question.action is not None
                if not question.action.contains(answer):
                    raise ValueError(f"{answer!r} is no answer")
                if answer == engine.BLOCK:
                    total += 1.0
                    break
                state[0] += 1 / problem.block_cost
            total += float(state[0])
        return Outcome(total * problem.block_cost / len(problem.waits), decisions=1)


class _Optimist(Bounder):
    name, kind = "offline optimum", Kind.OPTIMAL

    def solve(self, problem: Problem, *, seed: int, limits: Limits) -> Outcome:
        return Outcome(2.0 * LONGEST)


class WrongBound(Small):
    def contenders(self) -> Mapping[str, Contender]:
        return {**super().contenders(), "offline optimum": Contender("offline optimum", Role.BOUND, _Optimist)}


class ConstantWins(Small):
    """Every wait is long, so whoever blocks at once wins; but no such policy is listed."""

    def load(self, instance: Instance) -> Problem:
        return replace(super().load(instance), waits=np.full(ACQUISITIONS, LONGEST))

    def contenders(self) -> Mapping[str, Contender]:
        keep = {"glibc", "spin", "tuned", "random search", "offline optimum"}
        return {name: one for name, one in super().contenders().items() if name in keep}


class HidesFailures(Small):
    def run(self, problem: Problem, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        try:
            return super().run(problem, policy, seed=seed, limits=limits)
        except Exception as error:
            if "time was up" in str(error):
                raise
            return Outcome(float(LONGEST))


class TakesAnyAnswer(Small):
    def run(self, problem: Problem, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        deadline = {"_deadline": limits.wall_s}
        if deadline["_deadline"]:
            return super().run(problem, policy, seed=seed, limits=limits)
        session = policy.start(View("spin or block", {"block_cost": problem.block_cost}), seed)
        asked = 0

        def ask(observation: Any) -> Any:
            nonlocal asked
            asked += 1
            return session.decide(observation)

        return Outcome(engine.serve(problem, ask, session.reward), decisions=asked)


class FailingPays(Small):
    objective = Objective("cost of an acquisition", "slots", worst=lambda problem, limits: 0.0)


class NoDeadline(Small):
    def run(self, problem: Problem, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        return super().run(problem, policy, seed=seed, limits=Limits())


class EnvironmentOfAnother(Small):
    def env(self, instance: Instance) -> gymnasium.Env[Any, Any]:
        class Other(TaskEnv):
            """An environment that plays another instance than it was asked for."""

        return Other(self, self.instances()[0])


class OutsideItsSpace(Small):
    @cached_property
    def questions(self) -> Mapping[str, Question]:
        return {"spin or block": Question("?", Box(-1, -0.5, (4,)), Discrete(2))}


@dataclass(frozen=True)
class HashesText(SpinFor):
    """Decides by `hash` of a text, which is another in every process."""

    def start(self, view: View, seed: int) -> Session:
        return Uniform(self.name, 2).start(view, hash("a text") % 2**31)


class HashOfText(Small):
    def contenders(self) -> Mapping[str, Contender]:
        text = Contender("text", Role.INCUMBENT, lambda: HashesText("text", 0.0), paper="none")
        return {**super().contenders(), "text": text}


class OrderOfSet(Small):
    def instances(self) -> Sequence[Instance]:
        found = {instance.id: instance for instance in super().instances()}
        return [found[name] for name in set(found)]


class _Forgetful(Learner):
    """Proposes nothing until it is done, and it is never done."""

    name = "tuned"

    def fit(self, study: Study) -> Policy:
        while True:
            study.run(study.train[0], SpinFor(self.name, 1.0))


class _Whim(RandomSearch):
    def fit(self, study: Study) -> Policy:
        return SpinFor(self.name, float(np.random.default_rng().random()))


class LearnerForgets(Small):
    def contenders(self) -> Mapping[str, Contender]:
        return {**super().contenders(), "tuned": Contender("tuned", Role.CHALLENGER, _Forgetful)}


class LearnerHasWhims(Small):
    def contenders(self) -> Mapping[str, Contender]:
        found = super().contenders()
        make = found["random search"].make()
        assert isinstance(make, RandomSearch)
        whim = Contender("tuned", Role.CHALLENGER, lambda: _Whim("tuned", make.make, make.space))
        return {**found, "tuned": whim}


class LeaksInFacts(Small):
    def run(self, problem: Problem, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        @dataclass(frozen=True)
        class Told(Policy):
            name: str = "told"

            def start(self, view: View, seed: int) -> Session:
                told = replace(view, facts={**view.facts, "mean": float(problem.waits.mean())})
                return policy.start(told, seed)

        return super().run(problem, Told(), seed=seed, limits=limits)


class LeaksInObservation(Small):
    """What is shown as the oldest of the last waits is the next one."""

    @cached_property
    def questions(self) -> Mapping[str, Question]:
        return {"spin or block": Question("?", Box(0, LONGEST, (4,)), Discrete(2))}

    def run(self, problem: Problem, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        following = iter([*problem.waits[1:].tolist(), 0])
        now = [0]

        class Leaking(Session):
            def __init__(self, session: Session) -> None:
                self.session = session

            def decide(self, observation: Any) -> Any:
                if observation[0] == 0:
                    now[0] = next(following)
                return self.session.decide(np.array([*observation[:3], now[0]], np.float32))

            def reward(self, amount: float) -> None:
                self.session.reward(amount)

        @dataclass(frozen=True)
        class Told(Policy):
            name: str = "told"

            def start(self, view: View, seed: int) -> Session:
                return Leaking(policy.start(view, seed))

        return super().run(problem, Told(), seed=seed, limits=limits)
