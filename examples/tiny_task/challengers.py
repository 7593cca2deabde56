"""A policy with three parameters, for a learner to set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from unseat import Policy, Session, View
from unseat.learn.tune import Parameter

from .engine import BLOCK, SPIN


@dataclass(frozen=True)
class Foresight(Policy):
    """Blocks at once where the waits have been long of late, and otherwise spins for a while.

    Attributes:
        memory: Weight of the last wait in the running mean of waits.
        cut: The running mean above which it blocks at once, in units of the cost of blocking.
        patience: How long it spins below that, in the same unit.
    """

    name: str
    memory: float
    cut: float
    patience: float

    def start(self, view: View, seed: int) -> Session:
        return _Foresight(self)


class _Foresight(Session):
    def __init__(self, policy: Foresight) -> None:
        self.policy, self.mean = policy, 0.0

    def decide(self, observation: Any) -> int:
        spun, last = observation[:2].tolist()
        if spun == 0:
            self.mean += self.policy.memory * (last - self.mean)
        return SPIN if self.mean <= self.policy.cut and spun < self.policy.patience else BLOCK


SPACE = {
    "memory": Parameter(0.02, 1, log=True),
    "cut": Parameter(0.1, 5, log=True),
    "patience": Parameter(0.1, 3),
}
DEFAULT = {"memory": 0.2, "cut": 5.0, "patience": 1.0}


def foresight(parameters: Mapping[str, float]) -> Policy:
    """The policy with these parameters."""
    return Foresight("foresight", **parameters)
