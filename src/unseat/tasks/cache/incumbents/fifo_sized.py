"""FIFO for objects with sizes: evict in the order of insertion until the new object fits.

Belady, IBM Systems Journal 5(2), 1966, with a capacity in bytes. A larger object is not admitted.
"""

from __future__ import annotations

import numpy as np

from unseat.core.jit import jit
from unseat.tasks.cache.engine.evictions import note
from unseat.tasks.cache.engine.lists import append, empty_lists, unlink
from unseat.tasks.cache.engine.trace import Int32, Int64

State = tuple[Int64, Int32]


def init(n_objects: int, capacity: int) -> State:
    """``(scalars: [resident bytes], links: the queue)``; capacity in bytes."""
    return np.zeros(1, np.int64), empty_lists(n_objects, 1)


@jit
def run(ids: Int32, sizes: Int64, start: int, stop: int, capacity: int, state: State, counts: Int64) -> None:
    """Serve requests ``[start, stop)``; see `unseat.tasks.cache.incumbents` for the signature."""
    scalars, links = state
    anchor = links.shape[0] - 1
    used = scalars[0]
    misses = 0
    missed_bytes = 0
    evictions = 0
    for t in range(start, stop):
        x = ids[t]
        if links[x, 0] >= 0:
            continue
        misses += 1
        missed_bytes += sizes[x]
        if sizes[x] > capacity:
            continue
        while used + sizes[x] > capacity:
            victim = links[anchor, 1]
            unlink(links, victim)
            links[victim, 0] = -1
            note(counts, victim)
            used -= sizes[victim]
            evictions += 1
        append(links, anchor, x)
        used += sizes[x]
    scalars[0] = used
    counts[0] += stop - start
    counts[1] += misses
    counts[2] += missed_bytes
    counts[3] += evictions
