"""The task's challengers: imitation of the best baseline, regression on single decisions, evolution strategies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import LimitReached
from unseat.core.learner import Learner, Study
from unseat.core.policy import Policy
from unseat.learn.evolution import EvolutionStrategy
from unseat.learn.trees import boost
from unseat.tasks.llvm.engine.process import ToolError
from unseat.tasks.llvm.inline.policies import CostThreshold, Default
from unseat.tasks.llvm.inline.problem import Module, Problem
from unseat.tasks.llvm.inline.question import ADVICE, FEATURES
from unseat.tasks.llvm.inline.rules import OF_MODULE, NetworkRule, TreeRule
from unseat.tasks.llvm.inline.trials import Trial, tried

Float64 = NDArray[np.float64]

THRESHOLDS = (5, -4, -12, -19, -24)
"""Cost thresholds that a learner starts from; the first is LLVM's own."""

UNSURE = (2.0, 4.0, 8.0, 16.0)
"""Bytes under which the trees' opinion may be left out; which, is chosen on validation programs."""

START, MOVES = -12.0, 20.0
"""The threshold from which evolution starts, near what tuning finds, and the cost that its output counts in."""


def baselines() -> Mapping[str, Policy]:
    """What imitation begins with: policies that do well on modules of different kinds."""
    found: dict[str, Policy] = {"LLVM default": Default()}
    for threshold in (20, *THRESHOLDS[1:]):
        found[f"cost < {threshold}"] = CostThreshold(f"cost < {threshold}", threshold)
    return found


def clone(observations: NDArray[Any], actions: NDArray[np.int64], weights: Float64, seed: int) -> Policy:
    """Trees that were fitted to answers; see `unseat.learn.imitate.Clone`.

    LLVM's advice, which is the answer of one of the baselines, is left out, as the paper's authors do.
    """
    rows, inlined = _blind(observations), actions.astype(np.float64)
    rows[:, ADVICE] = 0
    # Of log-odds of leaving the call, since the policy's score is what inlining costs.
    forest = boost(rows, 1.0 - inlined, weights, seed, objective="binary", trees=100, leaves=31)
    return TreeRule.of("clone", forest, THRESHOLDS[0], 0.0)


def _blind(observations: NDArray[Any]) -> NDArray[Any]:
    """Without what names the module."""
    rows = observations.copy()
    rows[:, OF_MODULE] = 0
    return rows


@dataclass
class Work:
    """A module to learn from, with what the base policy makes of it and the flips that were tried."""

    problem: Problem
    module: Module
    trial: Trial
    rows: list[NDArray[np.int64]] = field(default_factory=list)
    grows: list[float] = field(default_factory=list)


class FlipRegression(Learner):
    """Turns over single decisions of a policy, learns what each is worth, and corrects the policy where it is sure.

    A round compiles modules of the training programs with one decision turned over, drawn among all decisions alike;
    trees are fitted to the bytes that inlining the call adds. Where they expect less than some bytes either way, the
    cost threshold decides on. Then the next round begins around the corrected policy, since what a decision is worth
    hangs on the others. Every compilation is charged as a run.

    Attributes:
        rounds: Rounds.
        flips: Decisions that the first round turns over; each round doubles that.
        clip: Bytes beyond which an effect counts no more.
    """

    def __init__(self, name: str = "flip-regression", rounds: int = 6, flips: int = 200, clip: float = 60.0) -> None:
        self.name, self.rounds, self.flips, self.clip = name, rounds, flips, clip

    def config(self) -> Mapping[str, Any]:
        """The learner's settings."""
        return {"rounds": self.rounds, "flips": self.flips, "clip": self.clip, "thresholds": THRESHOLDS}

    def fit(self, study: Study) -> Policy:
        """Begin with the best threshold; a round's policy stays if it is better on the validation programs."""
        found: Policy = CostThreshold(self.name, THRESHOLDS[0])
        study.propose(found)
        try:
            for better in self._improve(study, found):
                found = better
                study.propose(found)
        except LimitReached:
            pass
        return found

    def _improve(self, study: Study, found: Policy) -> Iterator[Policy]:
        problems = [study.load(instance) for instance in study.train]
        judge = Judge(study)
        thresholds = [CostThreshold(self.name, threshold) for threshold in THRESHOLDS]
        lowest = judge.relative(found)
        for policy in thresholds[1:]:
            value = judge.relative(policy)
            if value < lowest:
                found, lowest = policy, value
                yield found
        threshold = found.threshold if isinstance(found, CostThreshold) else THRESHOLDS[0]
        rng, past = np.random.default_rng(study.seed), []
        for number in range(self.rounds):
            works = list(compiled(study, problems, found))
            self.turn(study, works, found, self.flips << number, rng)
            past += [work for work in works if work.grows]
            if not past:
                return
            rows = np.concatenate([work.rows for work in past])
            grows = np.clip(np.concatenate([work.grows for work in past]), -self.clip, self.clip)
            forest = boost(_blind(rows), grows, np.ones(len(grows)), study.seed, trees=300)
            for unsure in UNSURE:
                rule = TreeRule.of(self.name, forest, threshold, unsure)
                value = judge.relative(rule)
                if value < lowest:
                    found, lowest = rule, value
                    yield found

    def turn(self, study: Study, works: Sequence[Work], base: Policy, flips: int, rng: np.random.Generator) -> None:
        """Turn over so many decisions, drawn from all modules."""
        of_work = np.repeat(np.arange(len(works)), [len(work.trial.actions) for work in works])
        first = np.searchsorted(of_work, np.arange(len(works)))
        for drawn in rng.permutation(len(of_work))[:flips]:
            work, number = works[of_work[drawn]], int(drawn - first[of_work[drawn]])
            study.charge(1)
            try:
                other = tried(work.problem, work.module, base, study.seed, number)
            except ToolError:
                continue
            change = other.nbytes - work.trial.nbytes
            work.rows.append(work.trial.observations[number])
            work.grows.append(-change if work.trial.actions[number] else change)


def compiled(study: Study, problems: Sequence[Problem], policy: Policy) -> Iterator[Work]:
    """Every module of the training programs, compiled with a policy."""
    for problem in problems:
        for module in problem.modules:
            study.charge(1)
            try:
                yield Work(problem, module, tried(problem, module, policy, study.seed))
            except ToolError:
                continue


class Judge:
    """Mean size of the validation programs, or of the training programs where there are none, relative to LLVM's."""

    def __init__(self, study: Study) -> None:
        self.study, self.instances = study, study.valid or study.train

    def relative(self, policy: Policy) -> float:
        """One is as large as clang makes them."""
        study = self.study
        values = [study.run(one, policy).value / study.load(one).default_bytes for one in self.instances]
        return float(np.mean(values))


def begun(name: str, hidden: int, rng: np.random.Generator) -> NetworkRule:
    """The network before it has learned anything: so many hidden units are drawn, and what they give is zero."""
    drawn = rng.normal(0, len(FEATURES) ** -0.5, (len(FEATURES) + 1, hidden))
    return NetworkRule(name, drawn, np.zeros(hidden), np.array([START, MOVES]))


class Evolution(Learner):
    """Evolves the network of `NetworkRule` on the sizes of modules, as MLGO does (its section on evolution strategies).

    Every pair of mirrored samples is valued on a few modules of its own.

    Attributes:
        hidden: Hidden units.
        modules: Modules a pair.
        generations: At most so many.
        every: Generations from one validation to the next.
    """

    def __init__(
        self, name: str = "evolution", hidden: int = 8, modules: int = 3, generations: int = 400, every: int = 5
    ) -> None:
        self.name, self.hidden, self.modules = name, hidden, modules
        self.generations, self.every = generations, every

    def config(self) -> Mapping[str, Any]:
        """The learner's settings."""
        return {
            "hidden": self.hidden, "modules": self.modules, "generations": self.generations, "every": self.every,
        }  # fmt: skip

    def fit(self, study: Study) -> Policy:
        """Evolve until the limit; the generation that is best on the validation programs is the result."""
        rng = np.random.default_rng(study.seed)
        start = begun(self.name, self.hidden, rng)
        theta = np.concatenate([start.hidden.ravel(), start.output])
        strategy = EvolutionStrategy(theta.astype(np.float32), sigma=0.1, pairs=4, seed=study.seed)
        found = self._policy(strategy.theta)
        study.propose(found)
        try:
            judge = Judge(study)
            lowest = judge.relative(found)
            works = [work for work in compiled(study, [study.load(one) for one in study.train], found)
                     if len(work.trial.actions)]  # fmt: skip
            for generation in range(1, self.generations + 1 if works else 0):
                strategy.tell(self._values(study, strategy.ask(), works, rng), 0.05)
                if generation % self.every == 0:
                    policy = self._policy(strategy.mean)
                    value = judge.relative(policy)
                    if value < lowest:
                        found, lowest = policy, value
                        study.propose(found)
        except LimitReached:
            pass
        return found

    def _policy(self, theta: NDArray[np.float32]) -> NetworkRule:
        hidden = theta[: -self.hidden].astype(np.float64).reshape(-1, self.hidden)
        return NetworkRule(self.name, hidden, theta[-self.hidden :].astype(np.float64), np.array([START, MOVES]))

    def _values(
        self, study: Study, samples: NDArray[np.float32], works: Sequence[Work], rng: np.random.Generator
    ) -> Float64:
        """float64 [samples]: bytes relative to those of the beginning, of a few modules a pair."""
        pairs = len(samples) // 2
        values = np.zeros(len(samples))
        for pair in range(pairs):
            for choice in rng.choice(len(works), min(self.modules, len(works)), replace=False):
                work = works[choice]
                for place in (pair, pairs + pair):
                    study.charge(1)
                    try:
                        trial = tried(work.problem, work.module, self._policy(samples[place]), study.seed)
                        values[place] += trial.nbytes / max(work.trial.nbytes, 1)
                    except ToolError:
                        values[place] += 2.0
        return values
