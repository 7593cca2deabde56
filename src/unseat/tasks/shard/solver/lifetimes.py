"""The time steps at which memory can run out: few of the many at which something happens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseat.tasks.shard.engine.problem import NO_LIMIT, Int64, Problem

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Steps:
    """Time steps that matter.

    Attributes:
        first, last: The steps in which each node's memory counts, half-open (int64 [nodes]).
        capacity: Bytes left at each step when every node uses its least (float64 [steps]).
    """

    first: Int64
    last: Int64
    capacity: Float64


def steps_of(problem: Problem, offsets: Int64, usages: Float64, varies: NDArray[np.bool_]) -> Steps:
    """Keep the maximal cliques of the intervals, and of these the ones where the limit could be passed.

    What lives at a time at which nothing has begun since the last kept one, or after which nothing ends, lives at a
    kept one too (Fulkerson and Gross, 1965).

    Args:
        problem: The problem.
        offsets: Where a node's strategies begin in `usages`.
        usages: Bytes of each strategy that is left.
        varies: Nodes whose strategies use unlike amounts.
    """
    nodes = problem.nodes
    if problem.limit == NO_LIMIT or not varies.any():
        return Steps(np.zeros(nodes, np.int64), np.zeros(nodes, np.int64), np.zeros(0))
    least = np.minimum.reduceat(usages, offsets[:-1])
    span = np.maximum.reduceat(usages, offsets[:-1]) - least
    live = (problem.intervals[:, 0] < problem.intervals[:, 1]) & (least + span > 0)
    times, place = np.unique(problem.intervals[live], return_inverse=True)
    place = place.reshape(-1, 2)
    starts, ends = (np.bincount(place[:, side], minlength=len(times)) > 0 for side in (0, 1))
    # From time i on until i + 1; kept where something ends at i + 1 and something began since the last that was kept.
    kept = np.zeros(len(times), np.bool_)
    begun = False
    for at in range(len(times) - 1):
        begun = begun or bool(starts[at])
        if begun and ends[at + 1]:
            kept[at], begun = True, False
    base, most = (np.zeros(len(times)) for _ in range(2))
    for sums, amount in ((base, least[live]), (most, (least + span)[live])):
        sums += np.bincount(place[:, 0], amount, len(times)) - np.bincount(place[:, 1], amount, len(times))
    base, most = np.cumsum(base), np.cumsum(most)
    kept &= most > problem.limit
    number = np.concatenate([np.zeros(1, np.int64), np.cumsum(kept)])
    first, last = np.zeros(nodes, np.int64), np.zeros(nodes, np.int64)
    first[live], last[live] = number[place[:, 0]], number[place[:, 1]]
    first[~varies] = last[~varies] = 0
    return Steps(first, last, problem.limit - base[kept])
