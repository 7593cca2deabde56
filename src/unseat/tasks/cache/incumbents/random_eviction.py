"""Random: evict a resident object drawn uniformly.

The draw is a hash of the seed and the number of the eviction (the mixing of Steele, Lea and Flood's SplitMix64, OOPSLA
2014), so a run depends on nothing but its seed and can be stopped and continued anywhere.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unseat.core.jit import inlined, jit
from unseat.tasks.cache.engine.evictions import note
from unseat.tasks.cache.engine.trace import Int32, Int64

Int8 = npt.NDArray[np.int8]
State = tuple[Int64, Int32, Int8]

# All arithmetic of the draw is on unsigned numbers: those wrap, while signed overflow is undefined in compiled code.
MIX_SEED = np.uint64(0x5851F42D4C957F2D)
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)
S1 = np.uint64(1)
S27 = np.uint64(27)
S30 = np.uint64(30)
S31 = np.uint64(31)


def init(n_objects: int, capacity: int, seed: int = 0) -> State:
    """``(scalars: [resident, evictions so far, seed], slots: who is resident, present)``."""
    slots = np.empty(min(capacity, n_objects), np.int32)
    return np.array([0, 0, seed], np.int64), slots, np.zeros(n_objects, np.int8)


@inlined
def draw(seed: int, number: int) -> int:
    """A pseudo-random integer in ``[0, 2^63)`` that depends on the two numbers only."""
    z = np.uint64(seed) * MIX_SEED + np.uint64(number) * GOLDEN + GOLDEN
    z = (z ^ (z >> S30)) * MIX_1
    z = (z ^ (z >> S27)) * MIX_2
    return int(np.int64((z ^ (z >> S31)) >> S1))


@jit
def run(ids: Int32, sizes: Int64, start: int, stop: int, capacity: int, state: State, counts: Int64) -> None:
    """Serve requests ``[start, stop)``; see `unseat.tasks.cache.incumbents` for the signature."""
    scalars, slots, present = state
    resident = scalars[0]
    drawn = scalars[1]
    seed = scalars[2]
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
            note(counts, slots[slot])
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
