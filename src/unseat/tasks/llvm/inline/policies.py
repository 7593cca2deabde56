"""The heuristics as policies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseat.core.policy import Policy, Session, View
from unseat.tasks.llvm.inline.question import ADVICE, COST


@dataclass(frozen=True)
class Default(Policy):
    """Does what LLVM's own heuristic advises, so that the program is the one that ``clang -Oz`` makes."""

    name: str = "LLVM default"

    def start(self, view: View, seed: int) -> Session:
        return _Default()


class _Default(Session):
    def decide(self, observation: NDArray[np.int64]) -> int:
        return int(observation[ADVICE])


@dataclass(frozen=True)
class CostThreshold(Policy):
    """Inlines a call whose cost, as LLVM estimates it, is under a threshold that is the same for all calls.

    The cost counts what the call site would grow by, in units of 5 an instruction, less what inlining saves.
    """

    name: str
    threshold: float

    def start(self, view: View, seed: int) -> Session:
        return _CostThreshold(self.threshold)


class _CostThreshold(Session):
    def __init__(self, threshold: float) -> None:
        self.threshold = threshold

    def decide(self, observation: NDArray[np.int64]) -> int:
        return int(observation[COST] < self.threshold)
