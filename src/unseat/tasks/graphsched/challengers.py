"""What is learned on the training graphs: how hot to anneal, and which moves pay."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from unseat.core.errors import LimitReached
from unseat.core.learner import Learner, Study
from unseat.core.policy import Policy
from unseat.learn.tune import Parameter
from unseat.tasks.graphsched.engine.schedule import Evaluator
from unseat.tasks.graphsched.policies import EVEN, Annealing
from unseat.tasks.graphsched.solver.anneal import MOVES, Seen, anneal
from unseat.tasks.graphsched.solver.partitions import partitioned

SPACE = {
    "hot": Parameter(1e-3, 0.3, log=True), "cold": Parameter(1e-6, 1e-3, log=True),
    **{name: Parameter(0.05, 4.0, log=True) for name in MOVES},
}  # fmt: skip
"""Temperatures and how often each move is drawn."""

DEFAULT = {"hot": Annealing.hot, "cold": Annealing.cold, **EVEN}


class Family:
    """Annealing by its parameters; its qualified name is part of the ledger's key."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.__qualname__ = seconds, f"Family({seconds})"

    def __call__(self, parameters: Mapping[str, float]) -> Policy:
        weights = {name: parameters[name] for name in MOVES}
        return Annealing("annealing", self.seconds, weights, parameters["hot"], parameters["cold"])


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
                seen, began, evaluator = Seen(), time.thread_time(), Evaluator(problem)
                anneal(evaluator, partitioned(evaluator, problem.order),
                       lambda began=began: (time.thread_time() - began) / self.seconds,  # type: ignore[misc]
                       lambda steps, took: None, seed=study.seed, weights=EVEN, seen=seen)  # fmt: skip
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
