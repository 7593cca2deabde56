"""What is learned on the training graphs: how hot to anneal, which moves pay, what the rest takes, and orders."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from unseat.core.errors import LimitReached
from unseat.core.learner import Learner, Study
from unseat.core.policy import Policy
from unseat.learn.tune import Parameter
from unseat.tasks.graphsched.engine.schedule import Evaluator, Step
from unseat.tasks.graphsched.policies import EVEN, Annealing, Beam, Ordered
from unseat.tasks.graphsched.solver.anneal import Seen, anneal
from unseat.tasks.graphsched.solver.moves import MOVES
from unseat.tasks.graphsched.solver.partitions import partitioned
from unseat.tasks.graphsched.solver.value import BY, LEFT, Rest

SPACE = {
    "hot": Parameter(1e-3, 0.3, log=True), "cold": Parameter(1e-6, 1e-3, log=True),
    **{name: Parameter(0.05, 4.0, log=True) for name in MOVES},
}  # fmt: skip
"""Temperatures and how often each move is drawn."""

PRIORITIES = {name: Parameter(-2.0, 2.0) for name in BY}
"""Weights of an operator's priority; from 1 for its place in the list, which is the order that the rules cut."""

NUMBERED = {name: float(name == "number") for name in BY}

DEFAULT = {"hot": Annealing.hot, "cold": Annealing.cold, **EVEN}


class Family:
    """Annealing by its parameters; its qualified name is part of the ledger's key."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.__qualname__ = seconds, f"Family({seconds})"

    def __call__(self, parameters: Mapping[str, float]) -> Policy:
        weights = {name: parameters[name] for name in MOVES}
        return Annealing("annealing", self.seconds, weights, parameters["hot"], parameters["cold"])


def _annealed(evaluator: Evaluator, seconds: float, seed: int, seen: Seen | None = None) -> list[Step]:
    """The best schedule that even moves lead to from the best runs, in so many CPU seconds."""
    best, began = partitioned(evaluator, evaluator.problem.order), time.thread_time()

    def better(steps: list[Step], took: float) -> None:
        nonlocal best
        best = steps

    anneal(evaluator.problem, best, lambda: (time.thread_time() - began) / seconds, better, seed=seed, weights=EVEN,
           seen=seen)  # fmt: skip
    return best


class MoveLearner(Learner):
    """Draws each move as often as it paid on training graphs: what it saved a try, with even moves."""

    def __init__(self, name: str, seconds: float) -> None:
        self.name, self.seconds = name, seconds

    def config(self) -> Mapping[str, Any]:
        return {"seconds": self.seconds}

    def fit(self, study: Study) -> Policy:
        policy: Policy = Annealing(self.name, self.seconds)
        study.propose(policy)
        paid = dict.fromkeys(MOVES, 0.0)
        try:
            for number in np.random.default_rng(study.seed).permutation(len(study.train)):
                problem = study.load(study.train[int(number)])
                study.charge(1)
                seen = Seen()
                _annealed(Evaluator(problem), self.seconds, study.seed, seen)
                total = sum(seen.gains.values()) or 1.0
                for name in MOVES:
                    paid[name] += seen.gains[name] / total / max(seen.tries[name], 1)
                mean = sum(paid.values()) / len(MOVES) or 1.0
                weights = {name: round(0.25 + 0.75 * paid[name] / mean, 4) for name in MOVES}
                policy = Annealing(self.name, self.seconds, weights)
                study.propose(policy)
        except LimitReached:
            pass
        return policy


def ordering(parameters: Mapping[str, float]) -> Policy:
    """The policy of some priorities."""
    return Ordered("ordering", dict(parameters))


class ValueLearner(Learner):
    """What the rest of a graph takes, by least squares with weights of at least zero over what annealing found.

    Every step of the best schedule of a training graph is a row: what was left after it, and what that took, both as a
    share of what it would take one operator a step, so that long graphs count as short ones do.
    """

    def __init__(self, name: str, seconds: float) -> None:
        self.name, self.seconds = name, seconds

    def config(self) -> Mapping[str, Any]:
        return {"seconds": self.seconds}

    def fit(self, study: Study) -> Policy:
        from scipy.optimize import nnls

        policy: Policy = Beam(self.name, self.seconds, {"alone": 1.0})
        study.propose(policy)
        rows, took = list[Any](), list[float]()
        try:
            for number in np.random.default_rng(study.seed).permutation(len(study.train)):
                problem = study.load(study.train[int(number)])
                study.charge(1)
                evaluator = Evaluator(problem)
                best = _annealed(evaluator, self.seconds, study.seed)
                rest, done, left = Rest(evaluator), frozenset[int](), evaluator.total(best)
                for step, latency in zip(best, evaluator.latencies(best), strict=True):
                    features = rest(done)
                    rows.append(features / features[0])
                    took.append(left / features[0])
                    done, left = done | step.ops, left - latency
                weights, _ = nnls(np.array(rows), np.array(took))
                named = {name: round(float(one), 4) for name, one in zip(LEFT, weights, strict=True)}
                policy = Beam(self.name, self.seconds, named)
                study.propose(policy)
        except LimitReached:
            pass
        return policy
