"""The heuristics as policies, and the family of linear scorers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from unseat.core.policy import Form, Policy, Session, View
from unseat.tasks.llvm.regalloc.question import FEATURES, NOTHING, WEIGHT

Observation = Mapping[str, NDArray[Any]]

_URGENT, _HINTS, _HINT, _LOCAL = (FEATURES.index(name) for name in (
    "nr_urgent", "nr_broken_hints", "is_hint", "is_local"))  # fmt: skip


@dataclass(frozen=True)
class Greedy(Policy):
    """LLVM's own heuristic at work inside the compiler, which is not asked: the program is what ``clang -Oz`` makes."""

    form: ClassVar[Form] = Form.FUSED
    name: str = "LLVM greedy"

    def start(self, view: View, seed: int) -> Session:
        return Session()


@dataclass(frozen=True)
class GreedyWeight(Policy):
    """LLVM's heuristic, as far as it can be told from what LLVM sends, with its two judgements as parameters.

    A register can be had if its ranges weigh less than the one that wants it. Among those the one wins that breaks the
    fewest hints, and of these the one whose heaviest range is the lightest; the range's own hint ends the search
    (`DefaultEvictionAdvisor` in LLVM's ``RegAllocEvictionAdvisor.cpp``).

    Attributes:
        name: Its name.
        factor: A register can be had if it weighs less than this times the range's own weight; LLVM's is 1.
        hints: What breaking the most hints costs, in units of the largest weight; LLVM's is without limit.
    """

    name: str
    factor: float = 1.0
    hints: float = 1e6

    def start(self, view: View, seed: int) -> Session:
        return _GreedyWeight(self.factor, self.hints)


class _GreedyWeight(Session):
    def __init__(self, factor: float, hints: float) -> None:
        self.factor, self.hints = factor, hints

    def decide(self, observation: Observation) -> int:
        return lightest(observation["ranges"], observation["action_mask"], self.factor, self.hints)


def lightest(ranges: NDArray[np.float32], mask: NDArray[np.int8], factor: float = 1.0, hints: float = 1e6) -> int:
    """The row that `GreedyWeight` answers."""
    ranges = ranges.astype(np.float64)
    best, least, weights = NOTHING, np.inf, ranges[:, WEIGHT]
    # A range that can be neither split nor spilled may have any register.
    limit = factor * weights[NOTHING] if mask[NOTHING] else np.inf
    for row in np.flatnonzero(mask[:NOTHING]):
        # Breaking the order of evictions is the last resort.
        cost = 1e9 * ranges[row, _URGENT] + hints * ranges[row, _HINTS] + weights[row]
        # Once there is a register, evicting a range of the same block for another one would only swap them.
        if cost >= least or weights[row] >= limit or (best != NOTHING and mask[NOTHING] and ranges[row, _LOCAL]):
            continue
        best, least = int(row), cost
        if ranges[row, _HINT]:
            break
    return best


COLUMNS = (*FEATURES, "row", "nothing", "greedy")
"""What `Linear` sees of a row: LLVM's features, where in the order it stands (0 to 1, and 0 for the last row), whether
it is the last row, and whether it is what `lightest` answers."""


@dataclass(frozen=True)
class Linear(Policy):
    """Answers the legal row of the least score, a weighted sum of its columns; the first of those with equal scores.

    Attributes:
        name: Its name.
        weights: float32 [23], of `COLUMNS`. With no other weight than one below zero for ``greedy`` it is
            `GreedyWeight`; the others say what it takes to answer something else.
    """

    name: str
    weights: NDArray[np.float32]

    def start(self, view: View, seed: int) -> Session:
        return _Linear(self.weights)


class _Linear(Session):
    def __init__(self, weights: NDArray[np.float32]) -> None:
        self.weights = weights.astype(np.float64)

    def decide(self, observation: Observation) -> int:
        ranges, mask = observation["ranges"], observation["action_mask"]
        seen = np.zeros((mask.size, len(COLUMNS)))
        seen[:, : len(FEATURES)] = ranges
        seen[:NOTHING, -3] = np.linspace(0, 1, NOTHING)
        seen[NOTHING, -2] = 1
        seen[lightest(ranges, mask), -1] = 1
        return int(np.argmin(np.where(mask != 0, seen @ self.weights, np.inf)))


def linear(parameters: Mapping[str, float]) -> Policy:
    """The scorer that departs from `GreedyWeight` where these weights, by names of `COLUMNS`, add up to more than 1."""
    weights = np.zeros(len(COLUMNS), np.float32)
    weights[COLUMNS.index("greedy")] = -1
    for name, weight in parameters.items():
        weights[COLUMNS.index(name)] = weight
    return Linear("linear", weights)
