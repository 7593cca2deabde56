"""What is learned on the training instances: the settings of the solver, and which moves pay when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from unseat.core.errors import LimitReached
from unseat.core.learner import Learner, Study
from unseat.core.policy import Policy
from unseat.learn.tune import Parameter
from unseat.tasks.shard.policies import Solver
from unseat.tasks.shard.solver.moves import ARMS, PHASES, Arm, Uniform
from unseat.tasks.shard.solver.search import Clock, Schedule, search

SPACE = {
    "dual_share": Parameter(0.05, 0.6), "step": Parameter(0.03, 1.0, log=True),
    "patience": Parameter(4, 40, log=True, integer=True), "hot": Parameter(1e-3, 3.0, log=True),
    "cold": Parameter(1e-5, 0.1, log=True), "rounds": Parameter(1, 12, integer=True),
    "greedy_share": Parameter(0.05, 0.6),
}  # fmt: skip
"""Settings of the solver that are searched, and their ranges."""

DEFAULT = {name: float(getattr(Schedule, name)) for name in SPACE}


class Family:
    """The solver by its settings; its qualified name is part of the ledger's key."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.__qualname__ = seconds, f"Family({seconds})"

    def __call__(self, parameters: Mapping[str, float]) -> Policy:
        return Solver("blocks", self.seconds, dict(parameters))


class Watched(Uniform):
    """Draws uniformly, and keeps what each arm gained in each part of a round."""

    def __init__(self) -> None:
        self.gain, self.time = np.zeros((PHASES, len(ARMS))), np.zeros((PHASES, len(ARMS)))
        self.now = 0

    def pick(self, rng: np.random.Generator, done: float) -> Arm:
        """Any arm."""
        self.now = min(int(done * PHASES), PHASES - 1)
        return super().pick(rng, done)

    def learn(self, arm: Arm, gain: float, seconds: float) -> None:
        """Add it up."""
        self.gain[self.now, ARMS.index(arm)] += gain
        self.time[self.now, ARMS.index(arm)] += seconds


class MoveLearner(Learner):
    """Learns how often to draw each kind of block in each part of a round, from what kinds gain on training instances.

    A run with uniform draws gives each kind's gain a second; the ranks of these, averaged over instances, become
    weights. Kinds that undo (memory at full price) pay later and not at once, so weights are never zero.
    """

    def __init__(self, name: str, seconds: float) -> None:
        self.name, self.seconds = name, seconds

    def config(self) -> Mapping[str, Any]:
        return {"seconds": self.seconds}

    def fit(self, study: Study) -> Policy:
        ranks = np.zeros((PHASES, len(ARMS)))
        policy: Policy = Solver(self.name, self.seconds)
        study.propose(policy)
        order = np.random.default_rng(study.seed).permutation(len(study.train))
        try:
            for place in order:
                problem = study.load(study.train[int(place)])
                study.charge(1)
                seen = Watched()
                search(problem, Clock(self.seconds), lambda chosen: None, seed=study.seed, selector=seen)
                if not seen.gain.any():
                    # It was solved before any block was moved, and says nothing of them.
                    continue
                rate = seen.gain / np.maximum(seen.time, 1e-9)
                ranks += rate.argsort(axis=1).argsort(axis=1) / (len(ARMS) - 1)
                weights = np.exp(3 * (ranks - ranks.max(axis=1, keepdims=True)) / max(ranks.max(), 1.0))
                policy = Solver(self.name, self.seconds, weights=np.round(weights, 4).tolist())
                study.propose(policy)
        except LimitReached:
            pass
        return policy
