"""Imitation of Belady's choice by a small scorer, trained on other traces.

Parrot (Liu et al., "An Imitation Learning Approach for Cache Replacement", ICML 2020) teaches a policy to evict what
Belady would, from states that the policy itself reaches (DAgger: Ross, Gordon and Bagnell, AISTATS 2011). Its network
sees program counters and runs at hundreds of requests a second; this is its idea at a size that runs at millions: a
linear scorer of the candidates' logarithmic features, fitted by softmax regression of the candidate whose next request
is furthest away, over a few rounds of states visited by the scorer of the round before. Candidates that are all asked
for again far beyond the cache's reach are a tie that says nothing; the loss spreads over those that tie.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import jit
from unseat.core.learner import Learner, Study
from unseat.core.policy import Policy
from unseat.tasks.cache.challengers.linear import NAMES, Linear
from unseat.tasks.cache.engine import sampled
from unseat.tasks.cache.engine.dense import next_access
from unseat.tasks.cache.engine.trace import Int32, Int64
from unseat.tasks.cache.problem import Problem
from unseat.tasks.cache.question import empty_cache

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
TIE = 8
"""Next requests further away than so many capacities (in objects) count as equally far."""


@dataclass(frozen=True)
class Demonstrations:
    """What the teacher would do: ``features`` float32[n, K, F]; ``teacher`` float32[n, K], a distribution a row."""

    features: Float32
    teacher: Float32


class Imitation(Learner):
    """Softmax regression on Belady's choices, in DAgger rounds.

    Attributes:
        rounds: Rounds of collecting and fitting.
        questions: Questions collected of each instance and round.
        ridge: Weight of the squared weights in the loss.
    """

    def __init__(
        self, name: str = "Parrot-linear", rounds: int = 4, questions: int = 4000, ridge: float = 1e-4
    ) -> None:
        self.name, self.rounds, self.questions, self.ridge = name, rounds, questions, ridge

    def config(self) -> Mapping[str, Any]:
        """The learner's settings."""
        return {"rounds": self.rounds, "questions": self.questions, "ridge": self.ridge}

    def fit(self, study: Study) -> Policy:
        """Fit on the training instances; the round that misses least on the validation instances is the result."""
        weights = np.zeros(len(NAMES), np.float32)
        weights[0] = 1.0
        best, lowest = Linear(self.name, weights), np.inf
        study.propose(best)
        gathered: list[Demonstrations] = []
        for number in range(self.rounds):
            for place, instance in enumerate(study.train):
                seed = hash_seed(study.seed, number, place)
                gathered.append(demonstrate(study.load(instance), weights, self.questions, seed))
            weights = regress(gathered, self.ridge).astype(np.float32)
            policy = Linear(self.name, weights)
            values = [study.run(instance, policy).value for instance in study.valid or study.train]
            if np.mean(values) < lowest:
                best, lowest = policy, float(np.mean(values))
                study.propose(best)
        return best


def hash_seed(*parts: int) -> int:
    """A seed below 2^31 that depends on all parts."""
    return int(np.random.SeedSequence(parts).generate_state(1)[0] >> 1)


def demonstrate(problem: Problem, weights: Float32, questions: int, seed: int) -> Demonstrations:
    """Run a scorer over a problem and ask the teacher at evenly spread questions.

    Args:
        problem: A training problem; its future is read.
        weights: float32[F] of the scorer whose states are visited.
        questions: At most so many are kept.
        seed: Of the engine's draws.
    """
    following = next_access(problem.trace.ids, problem.trace.n_objects)
    counts = np.zeros(4, np.int64)
    total = _visit(problem.trace.ids, problem.sizes, problem.capacity, empty_cache(problem, seed), counts, weights,
                   following, 2**62, np.empty((0, sampled.K, sampled.F), np.float32),
                   np.empty((0, sampled.K), np.float32))  # fmt: skip
    every = max(1, total // questions)
    kept = min(questions, total // every)
    features = np.empty((kept, sampled.K, sampled.F), np.float32)
    distance = np.empty((kept, sampled.K), np.float32)
    _visit(problem.trace.ids, problem.sizes, problem.capacity, empty_cache(problem, seed), counts, weights, following,
           every, features, distance)  # fmt: skip
    if problem.trace.sizes is not None:
        distance += features[:, :, 9]
    furthest = distance >= distance.max(1, keepdims=True)
    return Demonstrations(features, (furthest / furthest.sum(1, keepdims=True)).astype(np.float32))


@jit
def _visit(
    ids: Int32, sizes: Int64, capacity: int, cache: Any, counts: Int64, weights: Float32, following: Int32, every: int,
    features: Float32, distance: Float32,
) -> int:  # fmt: skip
    """Serve the trace; note every so manieth question, and each candidate's log2 distance to its next request."""
    asked = 0
    while sampled.advance(ids, sizes, ids.size, capacity, cache, counts):
        kept = asked // every
        if asked % every == 0 and kept < features.shape[0]:
            now = cache[0][sampled.NEXT]
            furthest = TIE * cache[0][sampled.RESIDENT]
            for k in range(sampled.K):
                away = following[cache[2][cache[6][k], sampled.LAST]] - now
                distance[kept, k] = np.log2(np.float32(min(away, furthest)))
            features[kept] = cache[7]
        sampled.evict(sampled.best_linear(cache[7], weights), sizes, cache, counts)
        asked += 1
    return asked


def regress(gathered: list[Demonstrations], ridge: float) -> Float64:
    """Weights that minimise the mean cross-entropy of the teacher's distribution, by L-BFGS (convex)."""
    from scipy.optimize import minimize

    features = np.concatenate([part.features for part in gathered]).astype(np.float64)
    teacher = np.concatenate([part.teacher for part in gathered]).astype(np.float64)

    def loss(weights: Float64) -> tuple[float, Float64]:
        scores = features @ weights
        scores -= scores.max(1, keepdims=True)
        chances = np.exp(scores)
        chances /= chances.sum(1, keepdims=True)
        entropy = -np.mean(np.sum(teacher * np.log(np.maximum(chances, 1e-12)), 1))
        slope = np.einsum("nk,nkf->f", chances - teacher, features) / len(features)
        return float(entropy + ridge * weights @ weights), slope + 2 * ridge * weights

    found: Float64 = minimize(loss, np.zeros(features.shape[2]), jac=True, method="L-BFGS-B").x
    return found
