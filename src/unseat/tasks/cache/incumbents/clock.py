"""CLOCK: FIFO with a second chance (Corbató, A Paging Experiment with the Multics System, 1968).

The hand walks over a ring of slots. An object that was requested since the hand passed is spared and loses one
reference; the first with none left is evicted and the new object takes its slot. ``bits`` wide counters make it
generalised CLOCK (Smith, ACM TODS 3(3), 1978); one bit is the original.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unseat.core.jit import jit
from unseat.tasks.cache.engine.evictions import note
from unseat.tasks.cache.engine.trace import Int32, Int64

Int8 = npt.NDArray[np.int8]
State = tuple[Int64, Int32, Int8]


def init(n_objects: int, capacity: int, bits: int = 1) -> State:
    """``(scalars: [resident, hand, most references], slots: the ring, references: -1 when absent)``."""
    slots = np.empty(min(capacity, n_objects), np.int32)
    return np.array([0, 0, (1 << bits) - 1], np.int64), slots, np.full(n_objects, -1, np.int8)


@jit
def run(ids: Int32, sizes: Int64, start: int, stop: int, capacity: int, state: State, counts: Int64) -> None:
    """Serve requests ``[start, stop)``; see `unseat.tasks.cache.incumbents` for the signature."""
    scalars, slots, references = state
    resident = scalars[0]
    hand = scalars[1]
    most = scalars[2]
    misses = 0
    evictions = 0
    for t in range(start, stop):
        x = ids[t]
        if references[x] >= 0:
            if references[x] < most:
                references[x] += 1
            continue
        misses += 1
        if resident < capacity:
            slots[resident] = x
            resident += 1
        else:
            while references[slots[hand]] > 0:
                references[slots[hand]] -= 1
                hand += 1
                if hand == capacity:
                    hand = 0
            references[slots[hand]] = -1
            note(counts, slots[hand])
            evictions += 1
            slots[hand] = x
            hand += 1
            if hand == capacity:
                hand = 0
        references[x] = 0
    scalars[0] = resident
    scalars[1] = hand
    counts[0] += stop - start
    counts[1] += misses
    counts[2] += misses
    counts[3] += evictions
