"""One pass after the other: what the best known sequences would do next, from what the module is like by now.

A softmax regression of the next pass (behavioural cloning: D. Pomerleau, "ALVINN", NeurIPS 1988) on the module's
counts, the pass before and how many there were.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import LimitReached
from unseat.core.learner import Learner, Study
from unseat.core.policy import Policy, Session, View
from unseat.tasks.llvm.engine.optimizer import Optimizer
from unseat.tasks.llvm.passes.actions import MOST, NAMES, PIPELINES
from unseat.tasks.llvm.passes.challengers.chooser import INPUTS, inputs
from unseat.tasks.llvm.passes.challengers.search import DEFAULT, Bench, Found, search, shipped
from unseat.tasks.llvm.passes.policies import fixed
from unseat.tasks.llvm.passes.problem import Problem
from unseat.tasks.llvm.passes.question import FEATURES, RESTART, STOP, observation

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

WIDTH = INPUTS + 2 + len(NAMES) + 1
"""Numbers that a step is decided by."""

_LENGTH, _LAST = FEATURES.index("passes"), FEATURES.index("last pass")


def step_inputs(seen: NDArray[np.int64]) -> Float32:
    """float32 [WIDTH]: the module's `inputs`, a constant, the share of `MOST` that is used, and which pass was last."""
    last = np.zeros(len(NAMES) + 1, np.float32)
    last[seen[_LAST]] = 1
    return np.concatenate([inputs(seen), np.array([1, seen[_LENGTH] / MOST], np.float32), last])


@dataclass(frozen=True)
class Stepwise(Policy):
    """Tries -Oz, and then goes one pass at a time, always the one with the highest score.

    Attributes:
        weights: float32 [WIDTH, len(NAMES) + 1], a score for each pass and, the last, for stopping.
        centre, scale: float32 [WIDTH], what is taken from the inputs, and what they are divided by.
    """

    name: str
    weights: Float32
    centre: Float32
    scale: Float32

    def start(self, view: View, seed: int) -> Session:
        return _Stepping(self)


class _Stepping(Session):
    def __init__(self, policy: Stepwise) -> None:
        self.policy = policy
        self.before: list[Any] = [RESTART, list(DEFAULT)]

    def decide(self, observation: NDArray[np.int64]) -> Any:
        if self.before:
            return self.before.pop()
        scores = ((step_inputs(observation) - self.policy.centre) / self.policy.scale) @ self.policy.weights
        best = int(np.argmax(scores))
        return best if best < len(NAMES) and observation[_LENGTH] < MOST - 1 else STOP


class Cloner(Learner):
    """Searches for sequences, then learns to do on each training program what is best for it.

    Args:
        name: Name of the learner and of what it finds.
        count: How many sequences the search keeps.
        ridge: Weight of the squared weights in the loss.
    """

    def __init__(self, name: str, count: int = 8, ridge: float = 1e-3) -> None:
        self.name, self.count, self.ridge = name, count, ridge

    def config(self) -> Mapping[str, Any]:
        """The learner's settings."""
        return {"count": self.count, "ridge": self.ridge}

    def fit(self, study: Study) -> Policy:
        """Go on from the shipped portfolio where that may be, and regress after every round."""
        best: Policy = fixed(self.name, DEFAULT)
        study.propose(best)
        with contextlib.suppress(LimitReached), Bench(study) as bench:
            for found in search(study, bench, self.count, seeds=shipped(study)):
                # After every round: the time may be up before the next one is over.
                best = self._cloned(study, found)
                study.propose(best)
        return best

    def _cloned(self, study: Study, found: Found) -> Policy:
        rows, wanted = list[Float32](), list[int]()
        for place, instance in enumerate(study.train):
            shown, done = demonstrated(study.load(instance), found.members[int(np.argmin(found.logs[:, place]))])
            rows += shown
            wanted += done
        given = np.array(rows)
        centre, scale = given.mean(0), given.std(0)
        # What never changes says nothing, and the constant must stay one.
        centre[scale == 0], scale[scale == 0] = 0, 1
        weights = regressed(((given - centre) / scale).astype(np.float64), np.array(wanted), self.ridge)
        return Stepwise(self.name, weights.astype(np.float32), centre.astype(np.float32), scale.astype(np.float32))


def demonstrated(problem: Problem, sequence: tuple[str, ...]) -> tuple[list[Float32], list[int]]:
    """The steps of a sequence on a program: what is seen before each, and what is done."""
    rows, done, last = list[Float32](), list[int](), -1
    with Optimizer(problem.bitcode, problem.counts) as optimizer:
        for length, action in enumerate([*(NAMES.index(name) for name in sequence), len(NAMES)]):
            rows.append(step_inputs(observation(optimizer.counts, (length, last, -1, -1, 0))))
            done.append(action)
            last = action
            if action < len(NAMES):
                optimizer.run(PIPELINES[NAMES[action]])
    return rows, done


def regressed(given: Float64, wanted: NDArray[np.int64], ridge: float) -> Float64:
    """Weights that minimise the mean cross-entropy of what is wanted, by L-BFGS (convex); float64 [WIDTH, actions]."""
    from scipy.optimize import minimize

    shape = (given.shape[1], len(NAMES) + 1)
    target = np.zeros((len(given), shape[1]))
    target[np.arange(len(given)), wanted] = 1

    def loss(flat: Float64) -> tuple[float, Float64]:
        weights = flat.reshape(shape)
        scores = given @ weights
        scores -= scores.max(1, keepdims=True)
        chances = np.exp(scores)
        chances /= chances.sum(1, keepdims=True)
        entropy = -np.mean(np.log(np.maximum(chances[target == 1], 1e-12)))
        slope = given.T @ (chances - target) / len(given) + 2 * ridge * weights
        return float(entropy + ridge * (weights**2).sum()), slope.ravel()

    options = {"maxiter": 300}
    found: Float64 = minimize(loss, np.zeros(shape[0] * shape[1]), jac=True, method="L-BFGS-B", options=options).x
    return found.reshape(shape)
