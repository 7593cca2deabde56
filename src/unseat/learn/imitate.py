"""Imitation of the best of several baselines: BC-Max."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import ContractError, LimitReached
from unseat.core.learner import Learner, Study
from unseat.core.policy import Policy

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Episode:
    """What a policy did in one context, and what that cost.

    Attributes:
        context: Names what was decided about; the same for every policy (a module, a trace).
        observations: [n, F], what it saw.
        actions: int64 [n], what it answered.
        cost: What came of it; less is better.
    """

    context: str
    observations: NDArray[Any]
    actions: NDArray[np.int64]
    cost: float


Play = Callable[[Any, Policy, int], Sequence[Episode]]
"""Runs a policy on a problem with a seed; an episode for each context in it, always the same ones."""

Clone = Callable[[NDArray[Any], NDArray[np.int64], Float64, int], Policy]
"""Fits a policy to observations [n, F], actions [n] and weights [n], with a seed."""


@dataclass(frozen=True)
class Round:
    """A line of the table that a fit leaves behind.

    Attributes:
        number: The iteration; 0 is that of the best baseline.
        policy: Whose costs these are.
        train: Mean cost on the training contexts.
        best: Mean over the training contexts of the least cost so far.
        valid: Mean value on the validation instances; NaN where there are none.
    """

    number: int
    policy: str
    train: float
    best: float
    valid: float


class BCMax(Learner):
    """Clones, in each context, the baseline that did best there; the clone then joins the baselines.

    T. V. Marinov, A. Agarwal, M. Trofin, "Offline Imitation Learning from Multiple Baselines with Applications to
    Compiler Optimization", arXiv 2403.19462: algorithm 1 (BC-Max), iterated as in its section on inlining. Contexts are
    put into bins by their size, and each bin's weight grows by exponentiated gradients with how much the last policy
    lost there against the best so far, averaged over the iterations, as in the authors' `google/ml-compiler-opt`.

    Attributes:
        name: The learner's name.
        play: Runs a policy, see `Play`.
        clone: Fits a policy, see `Clone`.
        baselines: Gives the policies to begin with, at least three, by name.
        rounds: Iterations.
        best: Whether only the best baseline of a context is cloned; all of them otherwise (plain cloning).
        weighted: Whether the bins are weighted.
        bins: How many bins, equally many contexts in each.
        table: Of the last fit.
    """

    def __init__(
        self, name: str, play: Play, clone: Clone, baselines: Callable[[], Mapping[str, Policy]], *, rounds: int = 3,
        best: bool = True, weighted: bool = True, bins: int = 4,
    ) -> None:  # fmt: skip
        self.name, self.play, self.clone, self.baselines = name, play, clone, baselines
        self.rounds, self.best, self.weighted, self.bins = rounds, best, weighted, bins
        self.table: list[Round] = []

    def config(self) -> Mapping[str, Any]:
        """The learner's settings."""
        parts = {part: getattr(self, part) for part in ("play", "clone", "baselines")}
        named = {part: f"{made.__module__}:{made.__qualname__}" for part, made in parts.items()}
        return {**named, "rounds": self.rounds, "best": self.best, "weighted": self.weighted, "bins": self.bins}

    def fit(self, study: Study) -> Policy:
        """Iterate; the policy that does best on the validation instances is the result, a baseline if need be."""
        baselines = self.baselines()
        if len(baselines) < 3:
            raise ContractError(f"learner {self.name}: {len(baselines)} baselines; it needs three")
        self.table = []
        found = next(iter(baselines.values())).renamed(self.name)
        study.propose(found)
        lowest = np.inf
        try:
            for line, policy in self._iterate(study, baselines):
                self.table.append(line)
                judged = line.train if np.isnan(line.valid) else line.valid
                if judged < lowest:
                    found, lowest = policy.renamed(self.name), judged
                    study.propose(found)
        except LimitReached:
            pass
        return found

    def _iterate(self, study: Study, baselines: Mapping[str, Policy]) -> Iterator[tuple[Round, Policy]]:
        """The best baseline, then each iteration's policy."""
        memory = _Memory()
        for name, policy in baselines.items():
            self._visit(study, memory, name, policy)
        name = min(baselines, key=lambda name: memory.costs(name).mean())
        yield self._line(study, memory, 0, name, baselines[name]), baselines[name]
        last, weights = name, _Weights(memory.costs(name), self.bins)
        for number in range(1, self.rounds + 1):
            if self.weighted:
                weights.update(memory.costs(last) - memory.least())
            policy = self.clone(*memory.steps(weights.of_context, all_of_them=not self.best), study.seed)
            last = f"iteration {number}"
            self._visit(study, memory, last, policy)
            yield self._line(study, memory, number, last, policy), policy

    def _visit(self, study: Study, memory: _Memory, name: str, policy: Policy) -> None:
        for instance in study.train:
            study.charge(1)
            memory.add(name, self.play(study.load(instance), policy, study.seed))

    def _line(self, study: Study, memory: _Memory, number: int, name: str, policy: Policy) -> Round:
        values = [study.run(instance, policy).value for instance in study.valid]
        valid = float(np.mean(values)) if values else float("nan")
        return Round(number, name, float(memory.costs(name).mean()), float(memory.least().mean()), valid)


class _Memory:
    """Every policy's episodes."""

    def __init__(self) -> None:
        self._episodes: dict[str, list[Episode]] = {}

    def add(self, name: str, episodes: Sequence[Episode]) -> None:
        """More episodes of a policy."""
        self._episodes.setdefault(name, []).extend(episodes)

    def costs(self, name: str) -> Float64:
        """float64 [contexts]."""
        return np.array([episode.cost for episode in self._episodes[name]])

    def least(self) -> Float64:
        """float64 [contexts], of the best policy in each."""
        least: Float64 = np.min([self.costs(name) for name in self._episodes], axis=0)
        return least

    def steps(self, weight: Float64, *, all_of_them: bool) -> tuple[NDArray[Any], NDArray[np.int64], Float64]:
        """Observations, actions and weights of the steps to be cloned."""
        chosen: list[tuple[Episode, float]] = []
        for number, episodes in enumerate(zip(*self._episodes.values(), strict=True)):
            names = {episode.context for episode in episodes}
            if len(names) > 1:
                raise ContractError(f"policies were played in different contexts: {sorted(names)}")
            kept = episodes if all_of_them else [min(episodes, key=lambda episode: episode.cost)]
            chosen += [(episode, weight[number] / len(kept)) for episode in kept]
        seen = [episode.observations for episode, _ in chosen if len(episode.actions)]
        if not seen:
            raise ContractError("no policy was ever asked in the training contexts")
        actions = np.concatenate([episode.actions for episode, _ in chosen])
        return np.concatenate(seen), actions, np.concatenate([np.full(len(e.actions), w) for e, w in chosen])


class _Weights:
    """Weights of the contexts by bins of their size.

    Args:
        sizes: float64 [contexts], what a context costs.
        bins: How many bins.
    """

    def __init__(self, sizes: Float64, bins: int) -> None:
        edges = np.quantile(sizes, np.linspace(0, 1, bins + 1)[1:-1])
        self._bin, self._logits = np.searchsorted(edges, sizes, side="right"), np.zeros(bins)
        self._mean, self._steps = np.full(bins, 1 / bins), 1

    def update(self, regret: Float64) -> None:
        """Take an exponentiated gradient's step of 1 away from the bins with more regret, and average.

        Args:
            regret: float64 [contexts], what the last policy cost more than the best.
        """
        lost = np.bincount(self._bin, np.maximum(regret, 0.0), len(self._logits))
        if lost.max() > 0:
            self._logits -= lost / lost.max()
        now = np.exp(self._logits - self._logits.max())
        self._steps += 1
        self._mean += (now / now.sum() - self._mean) / self._steps

    @property
    def of_context(self) -> Float64:
        """float64 [contexts], one in the bin with most regret, and less in the others."""
        weight: Float64 = (self._mean.min() / self._mean)[self._bin]
        return weight
