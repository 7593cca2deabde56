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

_WEIGHT = FEATURES.index("use_def_density")


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
        ranges = observation["ranges"]
        return rule(ranges, observation["action_mask"], ranges[:, _WEIGHT], self.factor, self.hints)


def rule(
    ranges: NDArray[np.float32], mask: NDArray[np.int8], weights: NDArray[Any], factor: float = 1.0, hints: float = 1e6
) -> int:
    """The row that LLVM's rule answers by these weights, a number a row, and the judgements of `GreedyWeight`."""
    ranges, weights = ranges.astype(np.float64), weights.astype(np.float64)
    best, least = NOTHING, np.inf
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


COLUMNS = (*FEATURES, "row")
"""What `Linear` sees of a row: LLVM's features, and where it stands in the order, from 0 to 1; 0 for the last row."""

FLOOR = 0.03
"""What is added to each of these before its logarithm is taken, as most may be zero."""

_ORDER = np.log(FLOOR + np.append(np.linspace(0, 1, NOTHING), 0))


@dataclass(frozen=True)
class Linear(Policy):
    """LLVM's rule by other weights, whose logarithm is linear: that of LLVM's spill weight and a sum over the columns.

    Attributes:
        name: Its name.
        powers: float32 [21], what the logarithm of each of `COLUMNS` (plus `FLOOR`) is multiplied by; LLVM's are 0.
        factor: As of `GreedyWeight`.
    """

    name: str
    powers: NDArray[np.float32]
    factor: float = 1.0

    def start(self, view: View, seed: int) -> Session:
        return _Linear(self.powers, self.factor)


class _Linear(Session):
    def __init__(self, powers: NDArray[np.float32], factor: float) -> None:
        self.powers, self.factor = powers.astype(np.float64), factor

    def decide(self, observation: Observation) -> int:
        ranges = observation["ranges"]
        return rule(ranges, observation["action_mask"], self._weights(ranges.astype(np.float64)), self.factor)

    def _weights(self, ranges: NDArray[np.float64]) -> NDArray[np.float64]:
        logarithm = np.log(FLOOR + np.maximum(ranges, 0)) @ self.powers[:-1]
        logarithm += self.powers[-1] * _ORDER
        # Powers are searched without bounds; beyond these a weight would be infinite, or what breaking a hint costs.
        return ranges[:, _WEIGHT] * np.exp(np.clip(logarithm, -12, 12))


def greedy(parameters: Mapping[str, float]) -> Policy:
    """LLVM's rule with other judgements."""
    return GreedyWeight("greedy-weight", parameters["factor"], parameters["hints"])


def linear(parameters: Mapping[str, float]) -> Policy:
    """LLVM's rule with another factor, and with these powers, by names of `COLUMNS`."""
    powers = [parameters.get(name, 0.0) for name in COLUMNS]
    return Linear("linear", np.array(powers, np.float32), parameters.get("factor", 1.0))
