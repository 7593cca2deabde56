"""FIFO: evict the object that was inserted first (Belady, IBM Systems Journal 5(2), 1966).

Objects leave in the order they came, so an object is resident exactly while fewer than ``capacity`` insertions
followed its own: one insertion number per object is the whole state.
"""

from __future__ import annotations

import numpy as np

from unseat.core.jit import jit
from unseat.tasks.cache.engine.trace import Int32, Int64

State = tuple[Int64, Int64]


def init(n_objects: int, capacity: int) -> State:
    """``(scalars: [insertions], inserted: insertion number of each object)``; capacity in objects."""
    return np.zeros(1, np.int64), np.full(n_objects, -capacity, np.int64)


@jit
def run(ids: Int32, sizes: Int64, start: int, stop: int, capacity: int, state: State, counts: Int64) -> None:
    """Serve requests ``[start, stop)``; see `unseat.tasks.cache.incumbents` for the signature."""
    scalars, inserted = state
    insertions = scalars[0]
    misses = 0
    evictions = 0
    for t in range(start, stop):
        x = ids[t]
        if inserted[x] <= insertions - capacity:
            misses += 1
            if insertions >= capacity:
                evictions += 1
            insertions += 1
            inserted[x] = insertions
    scalars[0] = insertions
    counts[0] += stop - start
    counts[1] += misses
    counts[2] += misses
    counts[3] += evictions
