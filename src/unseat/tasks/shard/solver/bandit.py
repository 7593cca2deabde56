"""A bandit over kinds of blocks: begins with what paid on training instances, goes on with what pays here.

Exponential weights on estimated rewards (P. Auer et al., "The nonstochastic multiarmed bandit problem", SIAM Journal on
Computing 32(1), 2002), for a choice of neighbourhoods as in S. Ropke and D. Pisinger, "An adaptive large neighborhood
search heuristic", Transportation Science 40(4), 2006.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unseat.tasks.shard.solver.moves import ARMS, PHASES, Arm, Uniform

EXPLORE = 0.15
"""Share of spells whose arm is drawn uniformly."""
_FADE = 0.95


class Weighted(Uniform):
    """Draws arms as they have paid elsewhere; a tenth of all draws is uniform."""

    def __init__(self, weights: Sequence[Sequence[float]]) -> None:
        table = np.array(weights, np.float64)
        table = table / table.sum(axis=1, keepdims=True)
        self.table = 0.9 * table + 0.1 / len(ARMS)

    def pick(self, rng: np.random.Generator, done: float) -> Arm:
        """An arm by the weights of this part of the round."""
        return ARMS[int(rng.choice(len(ARMS), p=self.table[phase(done)]))]


class Bandit(Uniform):
    """Draws arms as they pay on this instance, in this part of a round.

    Args:
        weights: What it begins with, [parts][arms]; uniform, if empty.
    """

    def __init__(self, weights: Sequence[Sequence[float]] = ()) -> None:
        start = np.array(weights, np.float64) if len(weights) else np.ones((PHASES, len(ARMS)))
        self.start = start / start.sum(axis=1, keepdims=True)
        self.gain, self.time = np.zeros_like(self.start), np.full_like(self.start, 1e-3)
        self.now = 0

    def pick(self, rng: np.random.Generator, done: float) -> Arm:
        """An arm by its gain a second so far, above the least, times what it began with."""
        self.now = phase(done)
        rate = self.gain[self.now] / self.time[self.now]
        spread = rate.max() - rate.min()
        paid = np.exp(3 * (rate - rate.max()) / spread) if spread > 0 else np.ones(len(ARMS))
        share = self.start[self.now] * paid
        share = (1 - EXPLORE) * share / share.sum() + EXPLORE / len(ARMS)
        return ARMS[int(rng.choice(len(ARMS), p=share))]

    def learn(self, arm: Arm, gain: float, seconds: float) -> None:
        """Remember what it paid; what is long ago counts less."""
        place = ARMS.index(arm)
        self.gain[self.now, place] = _FADE * self.gain[self.now, place] + gain
        self.time[self.now, place] = _FADE * self.time[self.now, place] + seconds


def phase(done: float) -> int:
    """The part of a round, by the share of it that is gone."""
    return min(int(done * PHASES), PHASES - 1)


def selector(weights: Sequence[Sequence[float]], online: bool) -> Uniform:
    """What chooses arms, by a policy's fields."""
    if online:
        return Bandit(weights)
    return Weighted(weights) if len(weights) else Uniform()
