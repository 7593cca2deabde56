"""Proximal policy optimisation, as MLGO trains an inliner (its section on policy gradients).

M. Trofin et al., "MLGO: a Machine Learning Guided Compiler Optimizations Framework", arXiv 2101.04808; J. Schulman et
al., "Proximal Policy Optimization Algorithms", arXiv 1707.06347. The network is that of `Evolution`, so that the two
ways to train it can be compared. Every decision in a module is credited with what the whole module became, as there:
LLVM tells no sizes in between.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from unseat.core.errors import LimitReached, MissingExtra
from unseat.core.learner import Learner, Study
from unseat.core.policy import Policy, Session, View
from unseat.tasks.llvm.engine.process import ToolError
from unseat.tasks.llvm.inline.learners import Float64, Judge, Work, begun, compiled
from unseat.tasks.llvm.inline.question import COST
from unseat.tasks.llvm.inline.rules import OF_MODULE, NetworkRule, margin
from unseat.tasks.llvm.inline.trials import tried

SOFT = 5.0
"""Cost of an instruction: so far from the threshold, a call goes the other way about one time in four."""


@dataclass(frozen=True, eq=False)
class Drawn(Policy):
    """Inlines by chance, the likelier the farther a call's cost is under the moved threshold.

    Attributes:
        rule: The rule that it explores around.
    """

    name: str
    rule: NetworkRule

    def start(self, view: View, seed: int) -> Session:
        return _Drawing(self.rule, np.random.default_rng(seed))


class _Drawing(Session):
    def __init__(self, rule: NetworkRule, rng: np.random.Generator) -> None:
        self.rule, self.rng = rule, rng

    def decide(self, observation: NDArray[np.int64]) -> int:
        likely = expit(margin(observation, self.rule.hidden, self.rule.output, self.rule.rule) / SOFT)
        return int(self.rng.random() < likely)


@dataclass(frozen=True)
class Batch:
    """Decisions that were made by one policy.

    Attributes:
        observations: int64 [n, F].
        actions: int64 [n].
        advantages: float64 [n], how much better than usual their module became, in standard deviations.
    """

    observations: NDArray[np.int64]
    actions: NDArray[np.int64]
    advantages: Float64


class PPO(Learner):
    """See the module.

    Args:
        name: Its name.
        hidden: Hidden units.
        modules: Modules an iteration.
        iterations: At most so many.
        every: Iterations from one validation to the next.
        epochs: Steps of Adam on the decisions of an iteration.
        clip: How far a decision's likelihood may move in an iteration, as a share.
        rate, entropy: Adam's step, and what the entropy of decisions counts.
    """

    def __init__(
        self, name: str = "PPO", hidden: int = 8, modules: int = 24, iterations: int = 400, every: int = 4,
        epochs: int = 4, clip: float = 0.2, rate: float = 0.01, entropy: float = 0.003,
    ) -> None:  # fmt: skip
        self.name, self.hidden, self.modules, self.iterations = name, hidden, modules, iterations
        self.every, self.epochs, self.clip, self.rate, self.entropy = every, epochs, clip, rate, entropy

    def config(self) -> Mapping[str, Any]:
        """The learner's settings."""
        return {key: value for key, value in vars(self).items() if key != "name"}

    def fit(self, study: Study) -> Policy:
        """Train until the limit; the iteration that is best on the validation programs is the result.

        Raises:
            MissingExtra: There is no PyTorch, which what was fitted does without.
        """
        try:
            import torch
        except ImportError as error:
            raise MissingExtra("PPO is trained with PyTorch; install it: pip install 'unseat[torch]'") from error

        torch.set_num_threads(study.limits.threads or 1)
        rng = np.random.default_rng(study.seed)
        found = begun(self.name, self.hidden, rng)
        study.propose(found)
        theta = [torch.tensor(part, requires_grad=True) for part in (found.hidden, found.output)]
        optimizer = torch.optim.Adam(theta, lr=self.rate)
        try:
            judge = Judge(study)
            lowest = judge.relative(found)
            problems = [study.load(one) for one in study.train]
            works = [work for work in compiled(study, problems, found) if len(work.trial.actions)]
            usual = np.zeros(len(works))
            for iteration in range(1, self.iterations + 1 if works else 0):
                hidden, output = (part.detach().numpy().copy() for part in theta)
                policy = NetworkRule(self.name, hidden, output, found.rule)
                if iteration % self.every == 0:
                    value = judge.relative(policy)
                    if value < lowest:
                        found, lowest = policy, value
                        study.propose(found)
                batch = self._collect(study, Drawn(self.name, policy), works, usual, rng)
                if batch is not None:
                    self.step(theta, optimizer, batch, found.rule)
        except LimitReached:
            pass
        return found

    def _collect(
        self, study: Study, policy: Drawn, works: Sequence[Work], usual: Float64, rng: np.random.Generator
    ) -> Batch | None:
        """Compile some modules; `usual` holds each one's running mean of what it became, and is moved on."""
        trials, gains = [], []
        for choice in rng.choice(len(works), min(self.modules, len(works)), replace=False):
            work = works[choice]
            study.charge(1)
            try:
                trial = tried(work.problem, work.module, policy, int(rng.integers(2**31)))
            except ToolError:
                continue
            gain = 1.0 - trial.nbytes / max(work.trial.nbytes, 1)
            if len(trial.actions):
                trials.append(trial)
                gains.append(gain - usual[choice])
            usual[choice] += 0.2 * (gain - usual[choice])
        if not trials:
            return None
        each = np.repeat(gains, [len(trial.actions) for trial in trials])
        return Batch(
            np.concatenate([trial.observations for trial in trials]),
            np.concatenate([trial.actions for trial in trials]), each / (each.std() + 1e-9),
        )  # fmt: skip

    def step(self, theta: Sequence[Any], optimizer: Any, batch: Batch, rule: Float64) -> None:
        """A few steps on the clipped objective.

        Args:
            theta: Tensors, the weights of the hidden units and of the output; moved in place.
            optimizer: Of these.
            batch: What was decided with them.
            rule: See `NetworkRule`.
        """
        import torch

        acted, better = torch.tensor(batch.actions), torch.tensor(batch.advantages)

        def likelihood(logits: Any) -> Any:
            return torch.nn.functional.logsigmoid(torch.where(acted == 1, logits, -logits))

        with torch.no_grad():
            before = likelihood(margins(theta, batch.observations, rule) / SOFT)
        for _ in range(self.epochs):
            logits = margins(theta, batch.observations, rule) / SOFT
            ratio = torch.exp(likelihood(logits) - before)
            clipped = ratio.clamp(1 - self.clip, 1 + self.clip)
            spread = torch.distributions.Bernoulli(logits=logits).entropy().mean()
            loss = -torch.minimum(ratio * better, clipped * better).mean() - self.entropy * spread
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(list(theta), 1.0)
            optimizer.step()


def margins(theta: Sequence[Any], observations: NDArray[np.int64], rule: Float64) -> Any:
    """`margin` of every row, as a tensor of the weights."""
    import torch

    rows = np.log1p(np.abs(observations).astype(np.float64)) * np.sign(observations) / 4.0
    rows[:, OF_MODULE] = 0.0
    moved = torch.tanh(torch.tensor(rows) @ theta[0][:-1] + theta[0][-1]) @ theta[1]
    return rule[0] + rule[1] * moved - torch.tensor(observations[:, COST].astype(np.float64))
