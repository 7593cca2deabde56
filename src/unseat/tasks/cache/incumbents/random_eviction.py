"""Random: evict a resident object drawn uniformly.

The draw is a hash of the seed and the number of the eviction (the mixing of Steele, Lea and Flood's SplitMix64, OOPSLA
2014, on 63 bits), so a run depends on nothing but its seed and can be stopped and continued anywhere.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unseat.core.jit import jit
from unseat.tasks.cache.engine.trace import Int32, Int64

Int8 = npt.NDArray[np.int8]
State = tuple[Int64, Int32, Int8]
MASK = 0x7FFFFFFFFFFFFFFF


def init(n_objects: int, capacity: int, seed: int = 0) -> State:
    """``(scalars: [resident, evictions so far, seed], slots: who is resident, present)``."""
    slots = np.empty(min(capacity, n_objects), np.int32)
    return np.array([0, 0, seed], np.int64), slots, np.zeros(n_objects, np.int8)


@jit
def draw(seed: int, number: int) -> int:
    """A pseudo-random integer in ``[0, 2^63)`` that depends on the two numbers only."""
    z = (seed * 0x5851F42D4C957F2D + number * 0x1E3779B97F4A7C15 + 0x14057B7EF767814F) & MASK
    z = ((z ^ (z >> 30)) * 0x3F58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x14D049BB133111EB) & MASK
    return z ^ (z >> 31)


@jit
def run(ids: Int32, sizes: Int64, start: int, stop: int, capacity: int, state: State, counts: Int64) -> None:
    """Serve requests ``[start, stop)``; see `unseat.tasks.cache.incumbents` for the signature."""
    scalars, slots, present = state
    resident = scalars[0]
    drawn = scalars[1]
    seed = int(scalars[2])
    misses = 0
    evictions = 0
    for t in range(start, stop):
        x = ids[t]
        if present[x]:
            continue
        misses += 1
        slot = resident
        if resident == capacity:
            slot = draw(seed, drawn) % capacity
            drawn += 1
            present[slots[slot]] = 0
            evictions += 1
        else:
            resident += 1
        slots[slot] = x
        present[x] = 1
    scalars[0] = resident
    scalars[1] = drawn
    counts[0] += stop - start
    counts[1] += misses
    counts[2] += misses
    counts[3] += evictions
