"""The compact scorer as a policy, and the learners that set its weights."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from unseat.core.jit import jit
from unseat.core.learner import Learner, Study
from unseat.core.policy import Form, Policy, Session, View
from unseat.learn.evolution import EvolutionStrategy
from unseat.learn.tune import Parameter
from unseat.tasks.schedule.challengers import network
from unseat.tasks.schedule.engine import features as of
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.features import JOBS, STAGES
from unseat.tasks.schedule.engine.graphs import Arrivals
from unseat.tasks.schedule.engine.layout import Float32, Float64, Int32, Memory
from unseat.tasks.schedule.engine.memory import Cluster, lay_out
from unseat.tasks.schedule.policies import Fused
from unseat.tasks.schedule.problem import Problem


@dataclass(frozen=True)
class Scorer(Policy):
    """The network of `network` with its weights; see `network.Weights`."""

    form = Form.FUSED
    name: str
    inputs: Float32
    bias: Float32
    outputs: Float32
    prices: Float32

    def start(self, view: View, seed: int) -> Session:
        """There is nothing to prepare."""
        return Fused(self.play)

    def play(self, m: Memory, cluster: Cluster) -> None:
        """Run a state to its end."""
        network.play(m, cluster.durations, cluster.static, self.inputs, self.bias, self.outputs, self.prices)


def scorer(name: str, theta: Float32, hidden: int) -> Scorer:
    """The policy of a vector of weights."""
    return Scorer(name, *(part.copy() for part in network.unpacked(theta, hidden)))


@jit
def play_all(memory: Memory, ends: Memory, durations: Int32, static: Float32, thetas: Float32, hidden: int,
             values: Float64) -> None:  # fmt: skip
    """Mean completion times, ``float64[samples, workloads]`` in ms: every sample meets the same draws."""
    for run in range(ends.size - 1):
        for sample in range(thetas.shape[0]):
            m = memory[ends[run] : ends[run + 1]].copy()
            inputs, bias, outputs, prices = network.unpacked(thetas[sample], hidden)
            network.play(m, durations, static, inputs, bias, outputs, prices)
            total = 0.0
            for job in range(m[at.ALL_JOBS], m[at.ALL_JOBS] + m[at.JOBS] * at.JOB, at.JOB):
                total += m[job + at.DONE_AT] - m[job + at.ARRIVAL]
            values[sample, run] = total / m[at.JOBS]


class ScorerByEvolution(Learner):
    """Evolution strategies on workloads drawn from the graphs of the training instances.

    A generation's samples are all valued on the same few new workloads, of the kinds of the training instances, by the
    mean logarithm of the mean completion time, so that long and short workloads count alike. Simulated runs are
    counted against the study's limit as its own are.

    Args:
        name: Its name.
        hidden: Units of the network.
        sigma, pairs: See `EvolutionStrategy`.
        rate: Adam's first step; it falls to a tenth.
        workloads: Workloads a generation.
        generations: At most.
    """

    def __init__(
        self, name: str, hidden: int = 14, sigma: float = 0.05, pairs: int = 16, rate: float = 0.02, workloads: int = 8,
        generations: int = 5000,
    ) -> None:  # fmt: skip
        self.name, self.hidden, self.sigma, self.pairs = name, hidden, sigma, pairs
        self.rate, self.workloads, self.generations = rate, workloads, generations

    def config(self) -> Mapping[str, Any]:
        """All of its parameters."""
        return {key: value for key, value in vars(self).items() if key != "name"}

    def fit(self, study: Study) -> Policy:
        """Search until the limit; the running mean that did best on the validation instances is the result."""
        strategy = EvolutionStrategy(network.begin(self.hidden, study.seed), self.sigma, self.pairs, study.seed)
        study.propose(scorer(self.name, strategy.mean, self.hidden))
        valid, best = Valued(study, self.hidden, study.valid), math.inf
        budget = Budget(study, len(study.valid), 2 * self.pairs * self.workloads, self.generations)
        problems = [study.load(instance) for instance in study.train]
        rng = np.random.default_rng(study.seed)
        chosen = scorer(self.name, strategy.mean, self.hidden)
        for share, check in budget:
            drawn = [redrawn(problems[int(rng.integers(len(problems)))], rng) for _ in range(self.workloads)]
            values = valued(strategy.ask(), self.hidden, drawn, rng.integers(2**62, size=self.workloads))
            strategy.tell(np.log(values).mean(axis=1), self.rate * (1 - 0.9 * share))
            if check:
                score = valid(strategy.mean)
                if score < best:
                    best, chosen = score, scorer(self.name, strategy.mean, self.hidden)
                    study.propose(chosen)
        return chosen


class Valued:
    """The mean logarithm of the mean completion time on fixed instances, by the study's own draws."""

    def __init__(self, study: Study, hidden: int, instances: Sequence[Any]) -> None:
        self.problems, self.hidden = [study.load(instance) for instance in instances], hidden
        self.seeds = [int(problem.cluster.begin(study.seed)[at.SEED]) for problem in self.problems]

    def __call__(self, theta: Float32) -> float:
        values = valued(theta[None], self.hidden, self.problems, np.array(self.seeds))
        return float(np.log(values).mean())


class Budget:
    """The generations that a study pays for: iterates over (share that is spent, whether to look at validation)."""

    def __init__(self, study: Study, looks: int, runs: int, generations: int) -> None:
        self.limits, self.looks, self.runs, self.generations = study.limits, looks, runs, generations
        self.wall, self.cpu = time.monotonic(), time.process_time()

    def __iter__(self) -> Iterator[tuple[float, bool]]:
        spent, looked, share = 0, 0.0, 0.0
        for generation in range(self.generations):
            spent += self.runs
            share = max(generation / self.generations, self._share(spent))
            last = share + self._share(spent) / (generation + 1) >= 1 or generation + 1 == self.generations
            look = last or share >= looked + 0.02
            spent += self.looks * look
            if self._share(spent) > 1:
                return
            looked = share if look else looked
            yield share, look
            if last:
                return

    def _share(self, runs: int) -> float:
        """The part of the nearest limit that is gone; of seconds a twentieth is kept for what comes after."""
        limits, wall, cpu = self.limits, time.monotonic() - self.wall, time.process_time() - self.cpu
        parts = (runs / limits.runs if limits.runs else 0.0, wall / (0.95 * limits.wall_s) if limits.wall_s else 0.0,
                 cpu / (0.95 * limits.cpu_s) if limits.cpu_s else 0.0)  # fmt: skip
        return max(parts)


def redrawn(problem: Problem, rng: np.random.Generator) -> Problem:
    """A new workload of the same kind: other graphs of the same pool at other times, as many, as far apart.

    Gaps of a stream are drawn anew from those of the problem, so that its rate is kept whatever its kind is.
    """
    arrivals = problem.arrivals
    gaps = np.diff(arrivals.at_ms)
    at_ms = np.concatenate([[0], np.cumsum(rng.choice(gaps, gaps.size))]) if gaps.size else np.zeros(1)
    jobs = rng.integers(len(arrivals.graphs), size=len(arrivals.jobs))
    return Problem(Arrivals(arrivals.graphs, tuple(jobs.tolist()), tuple(map(int, at_ms))), problem.machines)


def valued(thetas: Float32, hidden: int, problems: Sequence[Problem], seeds: Memory) -> Float64:
    """``float64[samples, workloads]``, see `play_all`; problems of one library go together."""
    values = np.zeros((len(thetas), len(problems)))
    groups: dict[tuple[int, int], list[int]] = {}
    for place, problem in enumerate(problems):
        key = id(problem.arrivals.graphs), problem.machines.executors
        groups.setdefault(key, []).append(place)
    for places in groups.values():
        clusters = [lay_out(problems[place].arrivals, problems[place].machines) for place in places]
        memories = [cluster.memory.copy() for cluster in clusters]
        for m, place in zip(memories, places, strict=True):
            m[at.SEED] = seeds[place]
        ends = np.cumsum([0] + [m.size for m in memories])
        some = np.zeros((len(thetas), len(places)))
        play_all(np.concatenate(memories), ends, clusters[0].durations, clusters[0].static,
                 np.ascontiguousarray(thetas, np.float32), hidden, some)  # fmt: skip
        values[:, places] = some
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
