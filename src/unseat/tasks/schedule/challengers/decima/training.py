"""Decima's training: policy gradient with a baseline for each sequence of arrivals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from unseat.core.learner import Learner, Study
from unseat.core.policy import Policy
from unseat.tasks.schedule.challengers.budget import Budget
from unseat.tasks.schedule.challengers.decima import layout, network
from unseat.tasks.schedule.challengers.decima.policy import Decima
from unseat.tasks.schedule.challengers.workloads import redrawn
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.layout import Float32, Float64
from unseat.tasks.schedule.policies import RuleOf
from unseat.tasks.schedule.problem import Problem, completion_s

if TYPE_CHECKING:
    from unseat.tasks.schedule.challengers.decima.gradient import Batch, Network

DECISIONS, ROWS = 6_000, 600_000
"""Room for a run's record; a longer one is cut, which is an end without memory too."""


class DecimaByGradient(Learner):
    """REINFORCE as the paper has it (sections 5.3 and 6).

    An iteration draws one sequence of arrivals of the kind of a training instance and runs it several times with drawn
    actions. The reward of a decision is minus the time that jobs spend in the system until the next one; for streams
    the mean rate so far is added back (differential reward), one rate for all runs of an iteration. What a decision
    leads to is compared with what the other runs of the *same* arrivals had at that time (input-dependent baseline).
    Streams end after a time drawn without memory, whose mean grows over the training. Advantages are scaled to a
    deviation of one, which is not the paper's.

    Args:
        name: Its name.
        messages: Whether stages hear from their children.
        input_baseline: Whether the runs of an iteration share their arrivals; without, the ablation: each has its own,
            and the baseline is their mean at the same time.
        episodes: At most.
        runs: Runs an iteration.
        rate: Adam's step, which falls to a fifth.
        entropy: Weight of the entropy at the beginning; it falls to a hundredth.
        horizon_s: Mean time after which a stream is cut, at the beginning and at the end.
    """

    def __init__(
        self, name: str, messages: bool = True, input_baseline: bool = True, episodes: int = 6000, runs: int = 8,
        rate: float = 2e-3, entropy: float = 0.05, horizon_s: tuple[float, float] = (100.0, 1500.0),
    ) -> None:  # fmt: skip
        self.name, self.messages, self.input_baseline, self.episodes = name, messages, input_baseline, episodes
        self.runs, self.rate, self.entropy, self.horizon_s = runs, rate, entropy, horizon_s

    def config(self) -> Mapping[str, Any]:
        """All of its parameters."""
        return {key: value for key, value in vars(self).items() if key != "name"}

    def fit(self, study: Study) -> Policy:
        """Train until the limit; the weights that did best on the validation instances are the result.

        Those that it begins with are scored too, and every simulated run is charged to the study.
        """
        import torch

        from unseat.tasks.schedule.challengers.decima.gradient import Network

        torch.set_num_threads(study.limits.threads or 1)
        rng = np.random.default_rng(study.seed)
        net = Network(layout.begin(study.seed), self.messages)
        optimizer = torch.optim.Adam([net.theta], lr=self.rate)
        problems = [study.load(instance) for instance in study.train]
        curve: list[tuple[float, float, float]] = []
        best, rates = self._policy(net, curve), Rates()
        study.propose(best)
        budget = Budget(study, len(study.valid), self.runs, max(1, self.episodes // self.runs))
        # Fair shares, which all scores are measured by, and the first weights.
        if not budget.begin(2 * len(study.valid)):
            return best
        valid = Judged([study.load(instance) for instance in study.valid], self.messages, study.seed)
        first = valid(best.theta)
        curve.append((0.0, first, first))
        for share, look in budget:
            batches, advantages = self._collect(net, problems[int(rng.integers(len(problems)))], rng, share, rates)
            for group in optimizer.param_groups:
                group["lr"] = self.rate * (1 - 0.8 * share)
            self._step(net, optimizer, batches, advantages, self.entropy * 0.01**share)
            rates.episodes += self.runs
            if look:
                score = valid(net.theta.detach().numpy())
                least = min([score, *(point[2] for point in curve)])
                curve.append((rates.episodes, score, least))
                if score == least:
                    best = self._policy(net, curve)
                    study.propose(best)
        return Decima(self.name, best.theta, np.array(curve, np.float32).reshape(-1, 3), self.messages)

    def _policy(self, net: Network, curve: Sequence[tuple[float, float, float]]) -> Decima:
        theta = net.theta.detach().numpy().copy()
        return Decima(self.name, theta, np.array(curve, np.float32).reshape(-1, 3), self.messages)

    def _collect(
        self, net: Network, like: Problem, rng: np.random.Generator, share: float, rates: Rates
    ) -> tuple[list[Batch], list[Float32]]:
        """The runs of an iteration, and the advantage of each decision."""
        from unseat.tasks.schedule.challengers.decima.gradient import Batch, Graphs

        stream = like.arrivals.at_ms[-1] > 0
        until = at.NEVER_MS
        if stream:
            mean = self.horizon_s[0] * (self.horizon_s[1] / self.horizon_s[0]) ** share
            until = 1 + int(1000 * rng.exponential(mean))
        theta, batches, times = net.theta.detach().numpy(), [], []
        problem, seed, graphs = redrawn(like, rng), int(rng.integers(2**31)), None
        for _ in range(self.runs):
            if not self.input_baseline:
                problem, seed, graphs = redrawn(like, rng), int(rng.integers(2**31)), None
            cluster = problem.cluster
            graphs = graphs or Graphs(cluster)
            kept = network.record(DECISIONS, ROWS)
            network.play(cluster.begin(seed), cluster.durations, theta, layout.layers(), self.messages, until,
                         int(rng.integers(2**31)), kept)  # fmt: skip
            if kept.counts[0]:
                batches.append(Batch(kept, graphs))
                times.append(kept.times[: kept.counts[0] + 1])
        if stream:
            rates.add(times)
        # Only now, so that the runs that are compared are measured by one rate.
        runs = [(own[:-1, 0], rates.returns(own, stream)) for own in times]
        advantages = [own - np.mean([np.interp(moments, *run) for run in runs], axis=0) for moments, own in runs]
        spread = float(np.concatenate(advantages).std()) + 1e-6 if advantages else 1.0
        return batches, [(own / spread).astype(np.float32) for own in advantages]

    def _step(
        self, net: Network, optimizer: Any, batches: Sequence[Batch], advantages: Sequence[Float32], entropy: float
    ) -> None:
        """One step of Adam on the mean over all decisions."""
        import torch

        total = sum(batch.count for batch in batches)
        optimizer.zero_grad()
        for batch, advantage in zip(batches, advantages, strict=True):
            logs, spread = net(batch)
            loss = -(logs * torch.from_numpy(advantage)).sum() - entropy * spread.sum()
            (loss / total).backward()
        torch.nn.utils.clip_grad_norm_([net.theta], 1.0)
        optimizer.step()


class Rates:
    """Returns of decisions; for streams against the mean rate at which time was spent so far."""

    def __init__(self) -> None:
        self.episodes, self.seconds, self.spent = 0, 0.0, 0.0

    def add(self, runs: Sequence[Float64]) -> None:
        """Take runs of streams into the mean rate: of each, float64 [decisions + 1, (time, time spent until then)]."""
        for times in runs:
            passed, spent = times[-1] - times[0]
            self.seconds, self.spent = 0.99 * self.seconds + passed, 0.99 * self.spent + spent

    def returns(self, times: Float64, stream: bool) -> Float64:
        """float64 [decisions], minus the time that jobs will spend in the system from each decision on."""
        passed, spent = np.diff(times[:, 0]), np.diff(times[:, 1])
        if stream:
            spent = spent - passed * self.spent / max(self.seconds, 1e-9)
        return -np.cumsum(spent[::-1])[::-1] / 100.0


class Judged:
    """The mean logarithm of the mean completion time over that of fair shares."""

    def __init__(self, problems: Sequence[Problem], messages: bool, seed: int) -> None:
        self.problems, self.messages, self.seed = problems, messages, seed
        self.fair = [self._log(problem, RuleOf("fair", "fair")) for problem in problems]

    def __call__(self, theta: Float32) -> float:
        policy = Decima("decima", theta.copy(), np.zeros((0, 3), np.float32), self.messages)
        logs = [self._log(problem, policy) for problem in self.problems]
        return float(np.mean(np.subtract(logs, self.fair)))

    def _log(self, problem: Problem, policy: RuleOf | Decima) -> float:
        m = problem.cluster.begin(self.seed)
        policy.play(m, problem.cluster)
        return math.log(completion_s(m).mean())
