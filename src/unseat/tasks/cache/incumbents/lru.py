"""LRU: evict the object whose last request is longest ago (Mattson et al., IBM Systems Journal 9(2), 1970)."""

from __future__ import annotations

import numpy as np

from unseat.core.jit import jit
from unseat.tasks.cache.engine.evictions import note
from unseat.tasks.cache.engine.lists import append, empty_lists, unlink
from unseat.tasks.cache.engine.trace import Int32, Int64

State = tuple[Int64, Int32]


def init(n_objects: int, capacity: int) -> State:
    """``(scalars: [resident objects], links: the recency list)``; capacity in objects."""
    return np.zeros(1, np.int64), empty_lists(n_objects, 1)


@jit
def run(ids: Int32, sizes: Int64, start: int, stop: int, capacity: int, state: State, counts: Int64) -> None:
    """Serve requests ``[start, stop)``; see `unseat.tasks.cache.incumbents` for the signature."""
    scalars, links = state
    anchor = links.shape[0] - 1
    resident = scalars[0]
    misses = 0
    evictions = 0
    for t in range(start, stop):
        x = ids[t]
        if links[x, 0] >= 0:
            if links[anchor, 0] != x:
                unlink(links, x)
                append(links, anchor, x)
        else:
            misses += 1
            if resident == capacity:
                victim = links[anchor, 1]
                unlink(links, victim)
                links[victim, 0] = -1
                note(counts, victim)
                evictions += 1
            else:
                resident += 1
            append(links, anchor, x)
    scalars[0] = resident
    counts[0] += stop - start
    counts[1] += misses
    counts[2] += misses
    counts[3] += evictions
