"""The compact scorer as a policy, and the learners that set its weights."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from unseat.core.jit import jit
from unseat.core.learner import Learner, Study
from unseat.core.policy import Policy
from unseat.learn.evolution import EvolutionStrategy
from unseat.learn.tune import Parameter
from unseat.tasks.schedule.challengers import network
from unseat.tasks.schedule.challengers.budget import Budget
from unseat.tasks.schedule.challengers.workloads import redrawn
from unseat.tasks.schedule.engine import features as of
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.features import JOBS, STAGES
from unseat.tasks.schedule.engine.layout import Float32, Float64, Int32, Memory
from unseat.tasks.schedule.engine.memory import Cluster
from unseat.tasks.schedule.policies import Fast, FastPolicy
from unseat.tasks.schedule.problem import Problem


@dataclass(frozen=True)
class Scorer(FastPolicy):
    """The network of `network` with its weights; see `network.Weights`."""

    name: str
    inputs: Float32
    bias: Float32
    outputs: Float32
    prices: Float32

    def fast(self, m: Memory, cluster: Cluster) -> Fast:
        """Sum up what does not change."""
        static, weights = cluster.static, (self.inputs, self.bias, self.outputs, self.prices)
        space = network.prepare(m, static, self.inputs)

        def choose(m: Memory) -> tuple[int, int]:
            return network.choose(m, static, *weights, space)

        def play(m: Memory, until_ms: int) -> None:
            network.play(m, cluster.durations, static, *weights, space, until_ms)

        return Fast(choose, play)


def scorer(name: str, theta: Float32, hidden: int) -> Scorer:
    """The policy of a vector of weights."""
    return Scorer(name, *(part.copy() for part in network.unpacked(theta, hidden)))


@jit
def play_all(memory: Memory, ends: Memory, durations: Int32, static: Float32, thetas: Float32, hidden: int,
             values: Float64) -> None:  # fmt: skip
    """Mean completion times, ``float64[runs]`` in ms: a vector of weights for each run."""
    for run in range(values.size):
        m = memory[ends[run] : ends[run + 1]]
        inputs, bias, outputs, prices = network.unpacked(thetas[run], hidden)
        space = network.prepare(m, static, inputs)
        network.play(m, durations, static, inputs, bias, outputs, prices, space, at.NEVER_MS)
        total = 0.0
        for job in range(m[at.ALL_JOBS], m[at.ALL_JOBS] + m[at.JOBS] * at.JOB, at.JOB):
            total += m[job + at.DONE_AT] - m[job + at.ARRIVAL]
        values[run] = total / m[at.JOBS]


class ScorerByEvolution(Learner):
    """Evolution strategies on workloads drawn from the graphs of the training instances.

    Each pair of samples meets a new workload of the kind of a training instance; its two members are compared by the
    logarithm of the mean completion time, so that long and short workloads count alike. Simulated runs are charged to
    the study as its own are. Where the search begins is a proposal like any other, and scored before it.

    Args:
        name: Its name.
        hidden: Units of the network.
        sigma, pairs: See `EvolutionStrategy`.
        rate: Adam's first step; it falls to a tenth.
        generations: At most.
    """

    def __init__(
        self, name: str, hidden: int = 14, sigma: float = 0.05, pairs: int = 96, rate: float = 0.03,
        generations: int = 5000,
    ) -> None:  # fmt: skip
        self.name, self.hidden, self.sigma, self.pairs = name, hidden, sigma, pairs
        self.rate, self.generations = rate, generations

    def config(self) -> Mapping[str, Any]:
        """All of its parameters."""
        return {key: value for key, value in vars(self).items() if key != "name"}

    def fit(self, study: Study) -> Policy:
        """Search until the limit; the result did best on the validation instances: the start, or a later mean."""
        # A study of few runs gets few pairs, so that there are generations at all.
        pairs = max(1, min(self.pairs, (study.limits.runs or 2**30) // 8))
        strategy = EvolutionStrategy(network.begin(self.hidden, study.seed), self.sigma, pairs, study.seed)
        best = scorer(self.name, strategy.mean, self.hidden)
        study.propose(best)
        rng = np.random.default_rng(study.seed)
        train, valid = ([study.load(instance) for instance in part] for part in (study.train, study.valid))
        seeds = np.array([problem.cluster.begin(study.seed)[at.SEED] for problem in valid])
        budget = Budget(study, len(valid), 2 * pairs, self.generations)
        with ThreadPoolExecutor(study.limits.threads or 1) as pool:

            def judged(theta: Float32) -> float:
                return float(np.log(valued(np.tile(theta, (len(valid), 1)), self.hidden, valid, seeds, pool)).mean())

            least = judged(strategy.mean) if budget.begin(len(valid)) else math.inf
            for share, look in budget:
                drawn = [redrawn(train[int(rng.integers(len(train)))], rng) for _ in range(pairs)]
                draws = rng.integers(2**62, size=pairs)
                values = valued(strategy.ask(), self.hidden, 2 * drawn, np.tile(draws, 2), pool)
                strategy.tell(np.log(values), self.rate * (1 - 0.9 * share))
                if look:
                    score = judged(strategy.mean)
                    if score < least:
                        least, best = score, scorer(self.name, strategy.mean, self.hidden)
                        study.propose(best)
        return best


def valued(thetas: Float32, hidden: int, problems: Sequence[Problem], seeds: Memory, pool: Executor) -> Float64:
    """``float64[runs]``, the mean completion time in ms of each vector of weights on its problem."""
    values = np.zeros(len(problems))
    groups: dict[tuple[int, int], list[int]] = {}
    for place, problem in enumerate(problems):
        # What shares its arrays of durations can go together.
        key = id(problem.arrivals.graphs), problem.machines.executors
        groups.setdefault(key, []).append(place)

    def value(places: Sequence[int]) -> None:
        clusters = [problems[place].cluster for place in places]
        memories = [cluster.memory.copy() for cluster in clusters]
        for m, place in zip(memories, places, strict=True):
            m[at.SEED] = seeds[place]
        ends = np.cumsum([0] + [m.size for m in memories])
        some = np.zeros(len(places))
        play_all(np.concatenate(memories), ends, clusters[0].durations, clusters[0].static,
                 np.ascontiguousarray(thetas[places], np.float32), hidden, some)  # fmt: skip
        values[places] = some

    # Parts of a group, as threads wait for the longest.
    list(pool.map(value, [places[part : part + 8] for places in groups.values() for part in range(0, len(places), 8)]))
    return values


SPACE: Mapping[str, Parameter] = {
    "left": Parameter(-3.0, 0.0), "source": Parameter(0.0, 6.0), "path": Parameter(-1.0, 1.0),
    "ready": Parameter(-1.0, 1.0), "limit": Parameter(-2.0, 2.0), "limit_left": Parameter(-1.0, 1.0),
    "limit_slower": Parameter(-2.0, 2.0), "limit_jobs": Parameter(-1.5, 0.5), "over": Parameter(0.0, 4.0),
}  # fmt: skip
"""Weights that random search draws: the scorer without hidden units, and of its inputs those that matter most."""

BEGIN: Mapping[str, float] = {
    "left": -1.0, "source": 3.0, "path": 0.0, "ready": 0.0, "limit": 0.0, "limit_left": 0.0, "limit_slower": 0.0,
    "limit_jobs": -1.0, "over": 0.0,
}  # fmt: skip


def linear(parameters: Mapping[str, float]) -> Policy:
    """A scorer without hidden units."""
    inputs = np.zeros((of.F, network.OUTPUTS), np.float32)
    inputs[STAGES + of.LEFT, network.SCORE] = parameters["left"]
    inputs[STAGES + of.SOURCE, network.SCORE] = parameters["source"]
    inputs[of.KNOWN + 1, network.SCORE] = parameters["path"]
    inputs[of.READY, network.SCORE] = parameters["ready"]
    inputs[STAGES + of.LEFT, network.LIMIT] = parameters["limit_left"]
    inputs[STAGES + of.SLOWER, network.LIMIT] = parameters["limit_slower"]
    inputs[STAGES + JOBS + of.EXECUTORS, network.LIMIT] = 1.0
    inputs[STAGES + JOBS + of.N_JOBS, network.LIMIT] = parameters["limit_jobs"]
    bias = np.array([0.0, parameters["limit"], 0.0, 0.0], np.float32)
    prices = np.array([parameters["over"], 0.0], np.float32)
    return Scorer("linear", inputs, bias, np.zeros((0, network.OUTPUTS), np.float32), prices)
