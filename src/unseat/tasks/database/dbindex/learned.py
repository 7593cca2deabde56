"""Search with a learned benefit model: what plans change for real, fitted to indexes that were built and measured."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import LimitReached
from unseat.core.learner import Learner, Study
from unseat.core.policy import Policy, Session, View
from unseat.learn.trees import boost, score
from unseat.tasks.database.dbindex.algorithms import Advisor, Config, Facts, Told, grow
from unseat.tasks.database.dbindex.candidates import Index, candidates
from unseat.tasks.database.dbindex.contenders import Advised, Advising
from unseat.tasks.database.dbindex.engine import Bench, Problem

Float64 = NDArray[np.float64]

MIXED = 12
"""Configurations of several indexes that are measured of every training workload, beside every single index."""


@dataclass(frozen=True)
class Benefit(Policy):
    """Extend's steps by what trees take a plan to change, in measured milliseconds, instead of the planner's estimate.

    Attributes:
        feature, threshold, children, leaves, roots: The trees (`unseat.learn.trees.Forest`).
    """

    name: str
    feature: NDArray[np.int32]
    threshold: Float64
    children: NDArray[np.int32]
    leaves: Float64
    roots: NDArray[np.int32]

    def start(self, view: View, seed: int) -> Session:
        return Advising(self._steps(view.facts))

    def _steps(self, facts: Facts) -> Advisor:
        _, _, plain = yield ("what_if", ())
        rows = np.array(plain)

        def ask(
            config: Sequence[Index],
        ) -> Generator[tuple[str, Config], Told, tuple[float, dict[Index, int]]]:
            asked = tuple(sorted(set(config)))
            _, sizes, plans = yield ("what_if", asked)
            total = sum(ms * np.exp(self.change(one, np.array(other)))
                        for ms, one, other in zip(facts["default_ms"], rows, plans, strict=True))  # fmt: skip
            return float(total), dict(zip(asked, sizes, strict=True))

        return (yield from grow(facts, ask))

    def change(self, plain: Float64, other: Float64) -> float:
        """Logarithm of what the CPU time is multiplied by; 0 where the plan is the same."""
        if np.array_equal(plain, other):
            return 0.0
        row = np.concatenate([plain, other - plain])
        return float(score(row, self.feature, self.threshold, self.children, self.leaves, self.roots))


class BenefitLearner(Learner):
    """Fits `Benefit`.

    Args:
        name: Of the learner and of what it fits.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def config(self) -> Mapping[str, Any]:
        """The learner's settings."""
        return {"mixed": MIXED}

    def fit(self, study: Study) -> Policy:
        """Build and measure indexes of the training workloads, and grow trees on what they changed."""
        policy: Policy = Advised(self.name, "Extend")
        study.propose(policy)
        x, y, weight = [], [], []
        for plain, other, before, after in _examples(study):
            x.append(np.concatenate([plain, other - plain]))
            y.append(float(np.log(max(after, 1e-3) / max(before, 1e-3))))
            weight.append(float(np.sqrt(before)))
        if len(x) < 20:
            return policy
        forest = boost(np.array(x), np.array(y), np.array(weight), study.seed, trees=150, leaves=8, smallest=5)
        return Benefit(self.name, *forest)


def _examples(study: Study) -> Iterator[tuple[Float64, Float64, float, float]]:
    """Plan before and after, milliseconds before and after, for as long as the study's limits last."""
    rng, seen = np.random.default_rng(study.seed), set[tuple[object, ...]]()
    for instance in study.train:
        problem: Problem = study.load(instance)
        key = (problem.database, problem.queries)
        if key in seen:
            # Another budget of the same workload.
            continue
        seen.add(key)
        with Bench(problem) as bench:
            plain = [np.array(numbers) for _, numbers in bench.plans(())]
            try:
                for config in _configurations(problem, rng):
                    study.charge(1)
                    after = bench.measured(config)
                    plans = [np.array(numbers) for _, numbers in bench.plans(config)]
                    for number, query in enumerate(problem.queries):
                        if not np.array_equal(plain[number], plans[number]):
                            yield plain[number], plans[number], query.cpu_ms, after[number]
            except LimitReached:
                return


def _configurations(problem: Problem, rng: np.random.Generator) -> list[Config]:
    """Some of several indexes, in turn with every index by itself, in an order that says nothing."""
    known = sorted({index for query in problem.queries for index in candidates(query.text)})
    singles: list[Config] = [(index,) for index in known if len(index) == 2]
    wide: list[Config] = [(index,) for index in known if len(index) == 3]
    pairs = list(combinations([one[0] for one in singles], 3))
    mixed: list[Config] = [tuple(sorted(pairs[int(at)])) for at in rng.permutation(len(pairs))[:MIXED]]
    rng.shuffle(wide)
    every = [*singles, *mixed, *wide[: len(singles)]]
    return [every[int(at)] for at in rng.permutation(len(every))]
