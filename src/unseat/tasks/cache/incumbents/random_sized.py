"""Random for objects with sizes: evict resident objects drawn uniformly until the new one fits.

The draws are those of `random_eviction`. An object larger than the cache is not admitted.
"""

from __future__ import annotations

import numpy as np

from unseat.core.jit import jit
from unseat.tasks.cache.engine.evictions import note
from unseat.tasks.cache.engine.trace import Int32, Int64
from unseat.tasks.cache.incumbents.random_eviction import State, draw


def init(n_objects: int, capacity: int, seed: int = 0) -> State:
    """``(scalars: [resident, evictions so far, seed, resident bytes], slots: who is resident, present)``."""
    return np.array([0, 0, seed, 0], np.int64), np.empty(n_objects, np.int32), np.zeros(n_objects, np.int8)


@jit
def run(ids: Int32, sizes: Int64, start: int, stop: int, capacity: int, state: State, counts: Int64) -> None:
    """Serve requests ``[start, stop)``; see `unseat.tasks.cache.incumbents` for the signature."""
    scalars, slots, present = state
    resident = scalars[0]
    drawn = scalars[1]
    seed = scalars[2]
    used = scalars[3]
    misses = 0
    missed_bytes = 0
    evictions = 0
    for t in range(start, stop):
        x = ids[t]
        if present[x]:
            continue
        misses += 1
        missed_bytes += sizes[x]
        if sizes[x] > capacity:
            continue
        while used + sizes[x] > capacity:
            slot = draw(seed, drawn) % resident
            drawn += 1
            victim = slots[slot]
            present[victim] = 0
            note(counts, victim)
            used -= sizes[victim]
            resident -= 1
            slots[slot] = slots[resident]
            evictions += 1
        slots[resident] = x
        resident += 1
        present[x] = 1
        used += sizes[x]
    scalars[0] = resident
    scalars[1] = drawn
    scalars[3] = used
    counts[0] += stop - start
    counts[1] += misses
    counts[2] += missed_bytes
    counts[3] += evictions
