"""Steering by plans: Bao with boosted trees, trees on the default's plan alone, and nearest neighbours.

R. Marcus et al., "Bao: Making Learned Query Optimization Practical", SIGMOD 2021.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.learner import Learner, Study
from unseat.core.policy import Policy, Session, View
from unseat.learn.trees import Forest, boost, score
from unseat.tasks.database.query.arms import DEFAULT
from unseat.tasks.database.query.features import features
from unseat.tasks.database.query.labels import Labelled, best_fixed, labelled
from unseat.tasks.database.query.policies import Fixed
from unseat.tasks.database.query.question import Plan, plans_of

Float64 = NDArray[np.float64]

FEW = 5
"""Arms that Bao chooses among: its paper finds most of the gain in few, and every plan has to be made."""


FEWEST = 4
"""Queries from which trees can be grown at all."""


class _Asking(Session):
    """Asks for some plans, and then decides."""

    def __init__(self, view: View, wanted: Sequence[int], choose: Any) -> None:
        self.explain, self.wanted, self.choose = len(view.facts["arms"]), wanted, choose

    def decide(self, observation: Any) -> int:
        # What has been shown cannot be asked for again; plans are read once, when all are there.
        allowed = observation["action_mask"]
        missing = [arm for arm in self.wanted if allowed[self.explain + arm]]
        return self.explain + missing[0] if missing else int(self.choose(plans_of(observation)))


@dataclass(frozen=True)
class Trees(Policy):
    """Trees guess what arms do.

    Attributes:
        arms: What it chooses among; the default is one of them.
        every: Whether it looks at the plan of every arm, as Bao does, or at the default's alone.
        margin: By how much, as a logarithm, another arm must be thought to be faster than the default.
        feature, threshold, children, leaves, roots: The trees (`Forest`).
    """

    name: str
    arms: Sequence[int]
    every: bool
    margin: float
    feature: NDArray[np.int32]
    threshold: Float64
    children: NDArray[np.int32]
    leaves: Float64
    roots: NDArray[np.int32]

    def start(self, view: View, seed: int) -> Session:
        return _Asking(view, list(self.arms) if self.every else [DEFAULT], self.choose)

    def choose(self, plans: Mapping[int, Plan]) -> int:
        """The arm thought best."""
        seen = {arm: features(plan) for arm, plan in plans.items()}
        guess = {arm: self._guess(seen, arm) + (arm != DEFAULT) * self.margin for arm in self.arms}
        return min(guess, key=lambda arm: guess[arm])

    def _guess(self, seen: Mapping[int, Float64], arm: int) -> float:
        if not self.every and arm == DEFAULT:
            return 0.0
        row = seen[arm] if self.every else np.append(seen[DEFAULT], float(arm))
        return score(row, self.feature, self.threshold, self.children, self.leaves, self.roots)


class TreesLearner(Learner):
    """Fits `Trees`.

    Args:
        name: Of the learner and of what it fits.
        every: Plans of every arm (Bao: the logarithm of the CPU time, on a bootstrap sample, which is how Bao draws
            from its posterior for Thompson sampling), or of the default alone (the change against the default).
        margin: See `Trees`.
        arms: How many arms it chooses among.
    """

    def __init__(self, name: str, *, every: bool, margin: float = 0.0, arms: int = FEW) -> None:
        self.name, self.every, self.margin, self.arms = name, every, margin, arms

    def config(self) -> Mapping[str, Any]:
        """The learner's settings."""
        return {"every": self.every, "margin": self.margin, "arms": self.arms}

    def fit(self, study: Study) -> Policy:
        """Measure, choose arms that complement each other, and grow trees."""
        study.propose(Fixed(self.name))
        rows = list(labelled(study, study.train))
        if not rows:
            return Fixed(self.name)
        arms = complementary(rows, self.arms)
        if arms == [DEFAULT] or len(rows) < FEWEST:
            return Fixed(self.name)
        forest = self._bao(rows, arms, study.seed) if self.every else self._change(rows, arms, study.seed)
        return Trees(self.name, arms, self.every, self.margin, *forest)

    def _bao(self, rows: Sequence[Labelled], arms: Sequence[int], seed: int) -> Forest:
        drawn = np.random.default_rng(seed).integers(len(rows), size=len(rows))
        x = [features(rows[row].plans[arm]) for row in drawn for arm in arms]
        y = [np.log(rows[row].cpu_ms[arm]) for row in drawn for arm in arms]
        return boost(np.array(x), np.array(y), np.ones(len(y)), seed, trees=150, leaves=8, smallest=8)

    def _change(self, rows: Sequence[Labelled], arms: Sequence[int], seed: int) -> Forest:
        x, y, weight = [], [], []
        for row in rows:
            seen = features(row.plans[DEFAULT])
            for arm in arms:
                if arm != DEFAULT:
                    x.append(np.append(seen, float(arm)))
                    y.append(np.log(row.cpu_ms[arm] / row.cpu_ms[DEFAULT]))
                    weight.append(np.sqrt(row.cpu_ms[DEFAULT]))
        return boost(np.array(x), np.array(y), np.array(weight), seed, trees=150, leaves=8, smallest=8)


def complementary(rows: Sequence[Labelled], most: int, first: int = DEFAULT) -> list[int]:
    """The default and `first`, and then whichever arm lowers the best of each query the most, until none does."""
    cpu = np.array([row.cpu_ms for row in rows])
    arms = sorted({DEFAULT, first})
    best = cpu[:, arms].min(axis=1)
    while len(arms) < most:
        totals = np.minimum(cpu, best[:, np.newaxis]).sum(axis=0)
        arm = int(totals.argmin())
        if totals[arm] >= best.sum():
            break
        arms.append(arm)
        best = np.minimum(best, cpu[:, arm])
    return arms


@dataclass(frozen=True)
class Neighbours(Policy):
    """No training: the arm that was best in the mean for the training plans that are nearest to the default's plan.

    Attributes:
        count: How many neighbours.
        margin: As `Trees.margin`.
        scale: float64 [WIDTH], what features are divided by.
        known: float64 [queries, WIDTH], plans of training queries, scaled.
        change: float64 [queries, arms], logarithms of CPU time against the default.
    """

    name: str
    count: int
    margin: float
    scale: Float64
    known: Float64
    change: Float64

    def start(self, view: View, seed: int) -> Session:
        return _Asking(view, [DEFAULT], self.choose)

    def choose(self, plans: Mapping[int, Plan]) -> int:
        """The arm of the neighbourhood."""
        far = ((self.known - features(plans[DEFAULT]) / self.scale) ** 2).sum(axis=1)
        near = np.argsort(far, kind="stable")[: self.count]
        guess = self.change[near].mean(axis=0) + self.margin
        guess[DEFAULT] = 0.0
        return int(guess.argmin())


class NeighboursLearner(Learner):
    """Remembers the training queries.

    Args:
        name: Of the learner and of what it fits.
        margin: See `Neighbours`.
        count: See `Neighbours`.
    """

    def __init__(self, name: str, margin: float = 0.0, count: int = 7) -> None:
        self.name, self.margin, self.count = name, margin, count

    def config(self) -> Mapping[str, Any]:
        """The learner's settings."""
        return {"margin": self.margin, "count": self.count}

    def fit(self, study: Study) -> Policy:
        """Measure, and keep what was measured."""
        study.propose(Fixed(self.name))
        rows = list(labelled(study, study.train))
        if not rows:
            return Fixed(self.name)
        x = np.array([features(row.plans[DEFAULT]) for row in rows])
        scale = np.maximum(x.std(axis=0), 1e-6)
        change = np.log(np.array([row.cpu_ms / row.cpu_ms[DEFAULT] for row in rows]))
        return Neighbours(self.name, self.count, self.margin, scale, x / scale, change)


@dataclass(frozen=True)
class Guarded(Policy):
    """One hint set for every query but those that trees take to suffer from it, which keep the default.

    Attributes:
        arm: The hint set.
        margin: The trees' guess of the change, as a logarithm, has to be below ``-margin``.
        feature, threshold, children, leaves, roots: The trees (`Forest`).
    """

    name: str
    arm: int
    margin: float
    feature: NDArray[np.int32]
    threshold: Float64
    children: NDArray[np.int32]
    leaves: Float64
    roots: NDArray[np.int32]

    def start(self, view: View, seed: int) -> Session:
        return _Asking(view, [DEFAULT], self.choose)

    def choose(self, plans: Mapping[int, Plan]) -> int:
        """The hint set, or the default."""
        forest = self.feature, self.threshold, self.children, self.leaves, self.roots
        return self.arm if score(features(plans[DEFAULT]), *forest) < -self.margin else DEFAULT


class GuardedLearner(Learner):
    """Fits `Guarded` for the best fixed hint set.

    Args:
        name: Of the learner and of what it fits.
        margin: See `Guarded`.
    """

    def __init__(self, name: str, margin: float = 0.1) -> None:
        self.name, self.margin = name, margin

    def config(self) -> Mapping[str, Any]:
        """The learner's settings."""
        return {"margin": self.margin}

    def fit(self, study: Study) -> Policy:
        """Measure, take the best fixed hint set, and learn where it hurts."""
        study.propose(Fixed(self.name))
        rows = list(labelled(study, study.train))
        arm = best_fixed(rows)
        if arm == DEFAULT or len(rows) < FEWEST:
            return Fixed(self.name, arm)
        x = np.array([features(row.plans[DEFAULT]) for row in rows])
        y = np.log(np.array([row.cpu_ms[arm] / row.cpu_ms[DEFAULT] for row in rows]))
        weight = np.sqrt([row.cpu_ms[DEFAULT] for row in rows])
        forest = boost(x, y, weight, study.seed, trees=150, leaves=8, smallest=8)
        return Guarded(self.name, arm, self.margin, *forest)
