"""The heuristics as policies, and the family of linear scorers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from unseat.core.policy import Form, Policy, Session, View
from unseat.tasks.llvm.regalloc.question import FEATURES, NOTHING

Observation = Mapping[str, NDArray[Any]]

_URGENT, _HINTS, _HINT, _LOCAL = (FEATURES.index(name) for name in (
    "nr_urgent", "nr_broken_hints", "is_hint", "is_local"))  # fmt: skip

_ORDER = np.linspace(0, 1, NOTHING)


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
        return _Rule(OWN_WEIGHTS, self.factor, self.hints)


COLUMNS = (*FEATURES, "row")
"""What a weight is made of: LLVM's features, and where in the order the row stands, from 0 to 1; 0 for the last row."""

OWN_WEIGHTS = np.array([float(name == "use_def_density") for name in COLUMNS], np.float32)
"""LLVM's: its spill weight and nothing else."""


@dataclass(frozen=True)
class Linear(Policy):
    """`GreedyWeight` by weights of its own making: a sum of the columns of a row.

    Attributes:
        name: Its name.
        weights: float32 [21], what each of `COLUMNS` adds to a row's weight; `OWN_WEIGHTS` are LLVM's.
        factor: As of `GreedyWeight`.
    """

    name: str
    weights: NDArray[np.float32]
    factor: float = 1.0

    def start(self, view: View, seed: int) -> Session:
        return _Rule(self.weights, self.factor)


class _Rule(Session):
    def __init__(self, weights: NDArray[np.float32], factor: float, hints: float = 1e6) -> None:
        self.weights, self.factor, self.hints = weights.astype(np.float64), factor, hints

    def decide(self, observation: Observation) -> int:
        return rule(observation["ranges"], observation["action_mask"], self.weights, self.factor, self.hints)


def rule(
    ranges: NDArray[np.float32], mask: NDArray[np.int8], weights: NDArray[Any] = OWN_WEIGHTS, factor: float = 1.0,
    hints: float = 1e6,
) -> int:  # fmt: skip
    """The row that LLVM's rule answers, by the weights of `Linear` and the judgements of `GreedyWeight`."""
    seen = ranges.astype(np.float64)
    weighed = seen @ weights[:-1]
    weighed[:NOTHING] += weights[-1] * _ORDER
    best, least = NOTHING, np.inf
    # A range that can be neither split nor spilled may have any register.
    limit = factor * weighed[NOTHING] if mask[NOTHING] else np.inf
    for row in np.flatnonzero(mask[:NOTHING]):
        # Breaking the order of evictions is the last resort.
        cost = 1e9 * seen[row, _URGENT] + hints * seen[row, _HINTS] + weighed[row]
        # Once there is a register, evicting a range of the same block for another one would only swap them.
        if cost >= least or weighed[row] >= limit or (best != NOTHING and mask[NOTHING] and seen[row, _LOCAL]):
            continue
        best, least = int(row), cost
        if seen[row, _HINT]:
            break
    return best


def greedy(parameters: Mapping[str, float]) -> Policy:
    """LLVM's rule with other judgements."""
    return GreedyWeight("greedy-weight", parameters["factor"], parameters["hints"])


def linear(parameters: Mapping[str, float]) -> Policy:
    """LLVM's rule with another factor, and with these weights, by names of `COLUMNS`, beside LLVM's spill weight."""
    weights = OWN_WEIGHTS.copy()
    for name, weight in parameters.items():
        if name != "factor":
            weights[COLUMNS.index(name)] = weight
    return Linear("linear", weights, parameters.get("factor", 1.0))
