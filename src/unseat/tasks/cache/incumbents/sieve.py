"""SIEVE: lazy promotion and quick demotion with one hand (Zhang et al., NSDI 2024, Algorithm 1).

The hand moves from the old end of the queue to the new end. A visited object is spared *where it is* and loses its
mark; the first unvisited one is evicted, and the hand stays there. New objects enter at the new end.

The hand only ever looks towards the new end, so each object needs one link, and the hand remembers which neighbour is
behind it: removing the object under the hand mends that neighbour's link.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unseat.core.jit import jit
from unseat.tasks.cache.engine.evictions import note
from unseat.tasks.cache.engine.trace import Int32, Int64

Int8 = npt.NDArray[np.int8]
State = tuple[Int64, Int32, Int8]
ABSENT, UNVISITED, VISITED = 0, 1, 2


def init(n_objects: int, capacity: int) -> State:
    """``(scalars: [resident, oldest, newest, hand, behind the hand], newer: links, mark)``; -1 is "none"."""
    scalars = np.array([0, -1, -1, -1, -1], np.int64)
    return scalars, np.full(n_objects, -1, np.int32), np.zeros(n_objects, np.int8)


@jit
def run(ids: Int32, sizes: Int64, start: int, stop: int, capacity: int, state: State, counts: Int64) -> None:
    """Serve requests ``[start, stop)``; see `unseat.tasks.cache.incumbents` for the signature."""
    scalars, newer, mark = state
    resident = scalars[0]
    oldest = scalars[1]
    newest = scalars[2]
    hand = scalars[3]
    behind = scalars[4]
    misses = 0
    evictions = 0
    for t in range(start, stop):
        x = ids[t]
        if mark[x] != ABSENT:
            mark[x] = VISITED
            continue
        misses += 1
        if resident < capacity:
            resident += 1
        else:
            if hand < 0:
                hand = oldest
                behind = -1
            while mark[hand] == VISITED:
                mark[hand] = UNVISITED
                behind = hand
                hand = newer[hand]
                if hand < 0:
                    hand = oldest
                    behind = -1
            mark[hand] = ABSENT
            note(counts, hand)
            evictions += 1
            following = newer[hand]
            if behind < 0:
                oldest = following
            else:
                newer[behind] = following
            if following < 0:
                newest = behind
            hand = following
        mark[x] = UNVISITED
        newer[x] = -1
        if newest < 0:
            oldest = x
        else:
            newer[newest] = x
        newest = x
    scalars[0] = resident
    scalars[1] = oldest
    scalars[2] = newest
    scalars[3] = hand
    scalars[4] = behind
    counts[0] += stop - start
    counts[1] += misses
    counts[2] += misses
    counts[3] += evictions
