"""Which kind of block comes next: drawn uniformly, or as it has paid.

A spell of blocks is of one kind, an arm: how large a block grows, what share of its price memory costs, and how many
neighbours of one node may come next.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Arm:
    """A kind of block.

    Attributes:
        size: Most nodes, leaves not counted.
        factor: Share of its price that memory costs.
        reach: Most neighbours of one node that may join.
    """

    size: int
    factor: float
    reach: int = 50


ARMS: tuple[Arm, ...] = tuple(Arm(size, factor) for size in (10, 100, 600) for factor in (0.0, 0.3, 0.7, 1.0))
PHASES = 4
"""Parts of a round, in each of which other kinds may pay."""


class Uniform:
    """All arms alike: the solver without a learned choice of moves."""

    def pick(self, rng: np.random.Generator, done: float) -> Arm:
        """The next spell's arm; `done` is the share of the round that is gone."""
        return ARMS[int(rng.integers(len(ARMS)))]

    def learn(self, arm: Arm, gain: float, seconds: float) -> None:
        """What a spell has gained, in mean costs of a node, and what it took."""
