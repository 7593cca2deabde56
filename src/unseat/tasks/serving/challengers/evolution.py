"""Settings and weights of the compiled policy, by evolution strategies: who goes next, how large a batch, who is
refused, where to.

Each pair of samples meets a new piece of a training workload at a rate around that which the start serves, and is
compared by the share of requests that miss an objective; the result is what had the best goodput on the validation
instances.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import LimitReached
from unseat.core.learner import Learner, Study
from unseat.core.policy import Policy
from unseat.learn.evolution import EvolutionStrategy
from unseat.learn.tune import Parameter
from unseat.tasks.serving.challengers import lengths
from unseat.tasks.serving.challengers.settings import BEGIN, KINDS, SPACE
from unseat.tasks.serving.engine import layout as at
from unseat.tasks.serving.engine import play as of
from unseat.tasks.serving.engine.features import F
from unseat.tasks.serving.engine.layout import Float64
from unseat.tasks.serving.policies import RuleOf
from unseat.tasks.serving.problem import Problem, measured

PARTS: Mapping[str, tuple[int, int]] = {
    "order": (of.W_HIDDEN, of.W_PACE), "pace": (of.W_PACE, of.W_ADMIT), "admission": (of.W_ADMIT, of.W_ROUTE),
    "router": (of.W_ROUTE, of.WEIGHTS),
}  # fmt: skip
"""What can be learned, and where its weights lie."""

NUMBERS: Mapping[str, tuple[str, ...]] = {
    "order": ("late_last", "urgent", "long"), "pace": ("budget", "pace", "slack", "ease", "easy"),
    "admission": ("patient", "ahead", "spare", "pressed", "saved"), "router": ("decoding", "affinity"),
}  # fmt: skip
"""Settings that are learned with them."""

LEARNED: Mapping[str, tuple[str, int]] = {
    "order": ("order", of.LEARNED_ORDER), "pace": ("order", of.LEARNED_ORDER),
    "admission": ("admission", of.LEARNED_ADMISSION), "router": ("router", of.LEARNED_ROUTER),
}  # fmt: skip
"""The setting that says that it is."""

SPAN = 3.0
"""A setting's whole range in units of the search, in which a weight of one is one."""

WINDOW = 700
"""Requests of a piece."""

RATES = (0.6, 1.4)
"""Of the start's goodput, between which pieces are served."""

LOOK = 0.08
"""Part of the limit after which the validation instances are looked at again."""

LATENCY = 0.05
"""What the 99th percentiles of both times, over their objectives, count beside the share of requests that miss."""


def begin(seed: int) -> Float64:
    """Weights that change nothing: the hidden layer is drawn, and what it gives is zero."""
    w = np.zeros(of.WEIGHTS)
    w[of.W_HIDDEN : of.W_BIAS] = np.random.default_rng(seed).normal(0.0, F**-0.5, of.W_BIAS - of.W_HIDDEN)
    return w


def only(name: str, parts: Sequence[str], settings: Mapping[str, float], weights: Float64, guess: Float64) -> RuleOf:
    """The adaptive policy with what was learned for some of its parts; without weights, settings only."""
    mine = {key: settings[key] for part in parts for key in NUMBERS[part] if key in settings}
    kinds = {LEARNED[part][0]: LEARNED[part][1] for part in parts} if weights.size else {}
    return RuleOf(name, {**KINDS, **BEGIN, **mine, **kinds}, weights, guess)


class Coordinates:
    """Parameters of some parts as a vector: settings on a scale of their own, then weights.

    Args:
        parts: Of `PARTS`.
        start: The weights that the others have, and where these begin; empty if only settings are learned.
    """

    def __init__(self, parts: Sequence[str], start: Float64) -> None:
        self.names = [key for part in parts for key in NUMBERS[part]]
        self.places = np.concatenate([np.arange(*PARTS[part]) for part in parts]) if start.size else np.zeros(0, int)
        self.start = start

    def vector(self) -> NDArray[np.float32]:
        """Where the search begins."""
        scaled = [SPAN * _unit(SPACE[key], BEGIN[key]) for key in self.names]
        return np.concatenate([scaled, self.start[self.places]]).astype(np.float32)

    def settings(self, theta: NDArray[np.float32]) -> dict[str, float]:
        """Settings by name, within their ranges."""
        return {key: _value(SPACE[key], float(x) / SPAN) for key, x in zip(self.names, theta, strict=False)}

    def weights(self, theta: NDArray[np.float32]) -> Float64:
        """All weights."""
        found = self.start.copy()
        found[self.places] = theta[len(self.names) :]
        return found


def _unit(one: Parameter, value: float) -> float:
    low, high, x = (math.log(v) if one.log else v for v in (one.low, one.high, value))
    return (x - low) / (high - low)


def _value(one: Parameter, unit: float) -> float:
    low, high = (math.log(v) if one.log else v for v in (one.low, one.high))
    x = low + min(max(unit, 0.0), 1.0) * (high - low)
    return math.exp(x) if one.log else x


class ByEvolution(Learner):
    """See the module.

    Args:
        name: Its name.
        parts: What is learned, of `PARTS`; the rest is the adaptive policy.
        weighted: Whether weights are learned, too, and not settings only.
        sigma, pairs, rate: See `EvolutionStrategy`; the rate falls to a fifth.
        generations: At most.
    """

    def __init__(
        self, name: str, parts: Sequence[str], weighted: bool = True, sigma: float = 0.1, pairs: int = 16,
        rate: float = 0.05, generations: int = 2000,
    ) -> None:  # fmt: skip
        self.name, self.parts, self.weighted = name, tuple(parts), weighted
        self.sigma, self.pairs, self.rate, self.generations = sigma, pairs, rate, generations

    def config(self) -> Mapping[str, Any]:
        """All of its parameters."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in vars(self).items()
                if key != "name"}  # fmt: skip

    def fit(self, study: Study) -> Policy:
        """Search until the limit; the result did best on the validation instances: the start, or a later mean."""
        space = Coordinates(self.parts, begin(study.seed) if self.weighted else np.zeros(0))
        guess = lengths.fit([study.load(one).requests for one in study.train])

        def policy(theta: NDArray[np.float32]) -> RuleOf:
            return only(self.name, self.parts, space.settings(theta), space.weights(theta), guess)

        strategy = EvolutionStrategy(space.vector(), self.sigma, self._pairs(study), study.seed)
        best = policy(strategy.mean)
        study.propose(best)
        try:
            for found in self._search(study, strategy, policy):
                best = found
                study.propose(best)
        except LimitReached:
            pass
        return best

    def _pairs(self, study: Study) -> int:
        # A study of few runs gets few pairs, so that there are generations at all.
        return max(1, min(self.pairs, (study.limits.runs or 2**30) // 8))

    def _search(self, study: Study, strategy: EvolutionStrategy, policy: Any) -> Any:
        """Gives every policy that is the best so far on the validation instances."""
        rng = np.random.default_rng(study.seed)
        train, valid = ([study.load(one) for one in some] for some in (study.train, study.valid))
        study.charge(len(train) + len(valid))
        start = policy(strategy.mean)
        rates = [problem.goodput(start.play, study.seed, 0.9) for problem in train]
        known = np.array([problem.goodput(start.play, study.seed, 0.9) for problem in valid])
        most, began, looked = 0.0, time.monotonic(), 0.0
        for generation in range(self.generations):
            share = self._share(study, generation, began)
            if share >= 1:
                return
            study.charge(2 * strategy.pairs)
            pieces = [piece(train, rates, rng) for _ in range(strategy.pairs)]
            thetas = strategy.ask()
            values = np.array([missed(policy(theta), *pieces[k % strategy.pairs]) for k, theta in enumerate(thetas)])
            strategy.tell(values, self.rate * (1 - 0.8 * share))
            if share >= looked + LOOK or share > 0.97:
                looked = share
                study.charge(len(valid))
                found = policy(strategy.mean)
                now = np.array([problem.goodput(found.play, study.seed, 0.9, begin=float(rate))
                                for problem, rate in zip(valid, known, strict=True)])  # fmt: skip
                score = float(np.log(now / known).mean())
                if score > most:
                    most = score
                    yield found

    def _share(self, study: Study, generation: int, began: float) -> float:
        """The part of the nearest limit that is gone; of seconds a tenth is kept for what comes after."""
        limits, spent = study.limits, time.monotonic() - began
        seconds = min(limits.wall_s or np.inf, limits.cpu_s or np.inf)
        return max(generation / self.generations, spent / (0.85 * seconds))


def piece(train: Sequence[Problem], rates: Sequence[float], rng: np.random.Generator) -> tuple[Problem, float, int]:
    """Requests of a training workload that follow each other, a rate, and a seed."""
    place = int(rng.integers(len(train)))
    problem = train[place]
    count = len(problem.requests.at_s)
    first = int(rng.integers(max(1, count - WINDOW)))
    part = Problem(problem.requests.part(first, min(first + WINDOW, count)), problem.serving)
    return part, rates[place] * float(rng.uniform(*RATES)), int(rng.integers(2**31))


def missed(policy: RuleOf, problem: Problem, rate: float, seed: int) -> float:
    """The share of requests that miss an objective, and a little of the 99th percentiles of those that end."""
    s = problem.begin(seed, rate)
    policy.play(s)
    tails = measured(s)
    late = tails.get("p99_ttft_s", 0.0) / problem.serving.ttft_s + tails.get("p99_tpot_s", 0.0) / problem.serving.tpot_s
    return float(s.g[at.MISSED]) / len(s.when) + LATENCY * min(late, 4.0)
