"""What systems do today, and what theory says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from unseat import Policy, Session, View

from .engine import BLOCK, SPIN


@dataclass(frozen=True)
class SpinFor(Policy):
    """Spins for `patience` times the cost of blocking, then blocks.

    With patience 1 the cost is at most twice the best possible: A. Karlin et al., "Competitive snoopy caching",
    Algorithmica 3, 1988. With patience 0 it is a plain mutex.
    """

    name: str
    patience: float

    def start(self, view: View, seed: int) -> Session:
        return _SpinFor(self.patience)


class _SpinFor(Session):
    def __init__(self, patience: float) -> None:
        self.patience = patience

    def decide(self, observation: Any) -> int:
        return SPIN if observation[0] < self.patience else BLOCK


@dataclass(frozen=True)
class Randomised(Policy):
    """Draws how long to spin; e/(e-1)-competitive, and no online policy is better against an adversary.

    A. Karlin et al., "Competitive randomized algorithms for nonuniform problems", Algorithmica 11, 1994: with B slots
    the cost of blocking, it gives up after i slots with probability proportional to (1 - 1/B)^(B - i), i = 1..B.
    """

    name: str

    def start(self, view: View, seed: int) -> Session:
        return _Randomised(view.facts["block_cost"], seed)


class _Randomised(Session):
    def __init__(self, slots: int, seed: int) -> None:
        self.slots, self.rng = slots, np.random.default_rng(seed)
        weights = (1 - 1 / slots) ** (slots - np.arange(1, slots + 1))
        self.cumulative = np.cumsum(weights / weights.sum())

    def decide(self, observation: Any) -> int:
        spun = round(float(observation[0]) * self.slots)
        if spun == 0:
            self.limit = 1 + int(np.searchsorted(self.cumulative, self.rng.random()))
        return SPIN if spun < self.limit else BLOCK


@dataclass(frozen=True)
class Glibc(Policy):
    """The adaptive mutex of the GNU C library: spins up to twice its running mean of past spins, plus ten."""

    name: str

    def start(self, view: View, seed: int) -> Session:
        return _Glibc(view.facts["block_cost"])


class _Glibc(Session):
    def __init__(self, slots: int) -> None:
        self.slots, self.mean, self.count = slots, 0, 0

    def decide(self, observation: Any) -> int:
        spun = round(float(observation[0]) * self.slots)
        if spun == 0:
            # C divides towards zero, Python downwards.
            self.mean += int((self.count - self.mean) / 8)
        self.count = spun + 1
        return SPIN if spun < min(100, 2 * self.mean + 10) else BLOCK
