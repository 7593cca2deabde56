"""Policies that search before they answer, in random order or in a learned one; and the learner of that order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import LimitReached
from unseat.core.learner import Learner, Study
from unseat.core.policy import Policy, Session, View
from unseat.learn.trees import boost, score
from unseat.tasks.llvm.engine.process import ToolError
from unseat.tasks.llvm.inline.building import seed_of
from unseat.tasks.llvm.inline.question import ADVICE
from unseat.tasks.llvm.inline.rules import OF_MODULE
from unseat.tasks.llvm.inline.search import Rank, Search

Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]

SEARCHED = 16
"""How often a module is compiled when the order is learned."""

_FIRST = 50
"""Decisions that must have been tried before trees are fitted to them."""


@dataclass(frozen=True, eq=False)
class SearchRule(Policy):
    """Compiles each module a few times before it answers, and answers what made the smallest object.

    Attributes:
        compilations: How often a module is compiled beforehand.
        feature, threshold, children, leaves, roots: Trees, see `Forest`, whose score is the odds that turning a
            decision over does not pay; decisions are tried in that order. Without trees the order is random.
    """

    name: str
    compilations: int
    feature: Int32 = field(default_factory=lambda: np.zeros(0, np.int32))
    threshold: Float64 = field(default_factory=lambda: np.zeros(0, np.float64))
    children: Int32 = field(default_factory=lambda: np.zeros((0, 2), np.int32))
    leaves: Float64 = field(default_factory=lambda: np.zeros(0, np.float64))
    roots: Int32 = field(default_factory=lambda: np.zeros(0, np.int32))

    def start(self, view: View, seed: int) -> Session:
        search = Search(view.facts["module"], self.rank(seed), self.compilations, view.deadline,
                        report=lambda attempt: view.report(attempt.departures))  # fmt: skip
        return Replay(search.best().actions)

    def rank(self, seed: int) -> Rank:
        """The order in which decisions are tried."""
        rng = np.random.default_rng(seed)
        if not self.roots.size:
            return lambda observations, actions: rng.random(len(actions))
        trees = (self.feature, self.threshold, self.children, self.leaves, self.roots)
        return lambda observations, actions: np.array([score(row, *trees) for row in ranked(observations, actions)])


def ranked(observations: NDArray[Any], actions: NDArray[np.int64]) -> NDArray[np.int64]:
    """What the trees of `SearchRule` see: int64 [n, 40], the features without those of the module, and the action."""
    rows = np.column_stack([observations, actions])
    rows[:, list(OF_MODULE)] = 0
    return rows


class Replay(Session):
    """Answers what was found: int64 [n] actions, in the order in which a module's compiler asks."""

    def __init__(self, actions: NDArray[np.int64]) -> None:
        self.actions, self.asked = actions, 0

    def decide(self, observation: NDArray[np.int64]) -> int:
        self.asked += 1
        # A compiler that asks more than it did before is another one; then its own advice is safe.
        return int(self.actions[self.asked - 1]) if self.asked <= len(self.actions) else int(observation[ADVICE])


class GuidedSearch(Learner):
    """Learns which decisions pay when they are turned over, from searches in the training programs.

    Every search tells of each decision that it tried whether its functions became smaller. Trees are fitted to that
    whenever half as much again is known, and the next searches follow them, so that they see what the policy will see.

    Attributes:
        compilations: Of the policy, a module.
        rounds: Passes over the training programs, in random order.
        searched: Compilations a module and pass.
    """

    def __init__(self, name: str, compilations: int = SEARCHED, rounds: int = 3, searched: int = SEARCHED) -> None:
        self.name, self.compilations, self.rounds, self.searched = name, compilations, rounds, searched

    def config(self) -> Mapping[str, Any]:
        """The learner's settings."""
        return {"compilations": self.compilations, "rounds": self.rounds, "searched": self.searched}

    def fit(self, study: Study) -> Policy:
        """Search and fit in turn; what was fitted last is the result, since it has seen most."""
        found = SearchRule(self.name, self.compilations)
        study.propose(found)
        tries: list[tuple[NDArray[np.int64], int, int]] = []
        rng, due = np.random.default_rng(study.seed), _FIRST
        try:
            for _ in range(self.rounds):
                for place in rng.permutation(len(study.train)):
                    self._search(study, study.load(study.train[place]), found, tries)
                    if len(tries) >= due:
                        found, due = self._fitted(tries, study.seed), len(tries) + len(tries) // 2
                        study.propose(found)
            found = self._fitted(tries, study.seed)
        except LimitReached:
            pass
        return found

    def _search(self, study: Study, problem: Any, policy: SearchRule, tries: list[Any]) -> None:
        for number, module in enumerate(problem.modules):
            search = Search(module.bitcode, policy.rank(seed_of(study.seed, number)), self.searched,
                            spend=lambda: study.charge(1), learned=tries)  # fmt: skip
            try:
                search.best()
            except ToolError:
                continue

    def _fitted(self, tries: list[tuple[NDArray[np.int64], int, int]], seed: int) -> SearchRule:
        paid = np.array([change < 0 for _, _, change in tries], bool)
        if not paid.any():
            return SearchRule(self.name, self.compilations)
        rows = ranked(np.array([row for row, _, _ in tries]), np.array([action for _, action, _ in tries]))
        # A byte that is won counts as often as ten do in logarithms: large savings are rare, and worth finding first.
        saved = np.array([max(-change, 0) for _, _, change in tries])
        forest = boost(rows, (~paid).astype(np.float64), 1.0 + np.log1p(saved), seed, objective="binary")
        return SearchRule(self.name, self.compilations, *forest)
