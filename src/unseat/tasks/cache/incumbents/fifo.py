"""FIFO: evict the object that was inserted first (Belady, IBM Systems Journal 5(2), 1966)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unseat.core.jit import jit
from unseat.tasks.cache.engine.evictions import note
from unseat.tasks.cache.engine.trace import Int32, Int64

Int8 = npt.NDArray[np.int8]
State = tuple[Int64, Int32, Int8]


def init(n_objects: int, capacity: int) -> State:
    """``(scalars: [resident, oldest slot], slots: the queue as a ring, present)``; capacity in objects."""
    return np.zeros(2, np.int64), np.empty(min(capacity, n_objects), np.int32), np.zeros(n_objects, np.int8)


@jit
def run(ids: Int32, sizes: Int64, start: int, stop: int, capacity: int, state: State, counts: Int64) -> None:
    """Serve requests ``[start, stop)``; see `unseat.tasks.cache.incumbents` for the signature."""
    scalars, slots, present = state
    resident = scalars[0]
    oldest = scalars[1]
    misses = 0
    evictions = 0
    for t in range(start, stop):
        x = ids[t]
        if present[x]:
            continue
        misses += 1
        present[x] = 1
        if resident < capacity:
            slots[resident] = x
            resident += 1
            continue
        victim = slots[oldest]
        present[victim] = 0
        note(counts, victim)
        evictions += 1
        slots[oldest] = x
        oldest += 1
        if oldest == capacity:
            oldest = 0
    scalars[0] = resident
    scalars[1] = oldest
    counts[0] += stop - start
    counts[1] += misses
    counts[2] += misses
    counts[3] += evictions
