"""S3-FIFO for objects with sizes (Yang et al., SOSP 2023, Algorithm 1), with a capacity in bytes.

As `s3fifo`, with shares and queue lengths in bytes: eviction goes on until the new object fits, and G forgets until
the evicted object fits its share. The authors refuse every object larger than S; here an object that is larger than S
enters M, and only one that is larger than the cache is not admitted.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unseat.core.jit import jit
from unseat.tasks.cache.engine.evictions import note
from unseat.tasks.cache.engine.lists import append, empty_lists, unlink
from unseat.tasks.cache.engine.trace import Int32, Int64

Int8 = npt.NDArray[np.int8]
State = tuple[Int64, Int32, Int8, Int8]
SMALL, MAIN, GHOST, ABSENT = 0, 1, 2, 3
MOST = 127
"""As in `s3fifo`."""


def init(n_objects: int, capacity: int, small: float = 0.1, ghost: float = 0.9, threshold: int = 2) -> State:
    """``(scalars: bytes in S, M, G, their shares, threshold, filling; links; where: its queue; references)``."""
    share = int(capacity * small)
    scalars = np.array([0, 0, 0, share, capacity - share, int(capacity * ghost), threshold, 1], np.int64)
    where = np.full(n_objects, ABSENT, np.int8)
    return scalars, empty_lists(n_objects, 3), where, np.zeros(n_objects, np.int8)


@jit
def run(ids: Int32, sizes: Int64, start: int, stop: int, capacity: int, state: State, counts: Int64) -> None:
    """Serve requests ``[start, stop)``; see `unseat.tasks.cache.incumbents` for the signature."""
    scalars, links, where, references = state
    small = scalars[0]
    main = scalars[1]
    ghost = scalars[2]
    small_share = scalars[3]
    main_share = scalars[4]
    ghost_share = scalars[5]
    threshold = scalars[6]
    filling = scalars[7]
    anchor = where.shape[0]
    misses = 0
    missed_bytes = 0
    evictions = 0
    for t in range(start, stop):
        x = ids[t]
        found = where[x]
        if found < GHOST:
            if references[x] < MOST:
                references[x] += 1
            continue
        misses += 1
        size = sizes[x]
        missed_bytes += size
        if size > capacity:
            continue
        if found == GHOST:
            unlink(links, x)
            where[x] = ABSENT
            ghost -= size
        while small + main + size > capacity:
            filling = 0
            evicted = False
            if main > main_share or small == 0:
                while not evicted and main > 0:
                    victim = links[anchor + MAIN, 1]
                    unlink(links, victim)
                    if references[victim] > 0:
                        references[victim] = min(references[victim], 3) - 1
                        append(links, anchor + MAIN, victim)
                    else:
                        where[victim] = ABSENT
                        note(counts, victim)
                        main -= sizes[victim]
                        evictions += 1
                        evicted = True
            else:
                while not evicted and small > 0:
                    victim = links[anchor + SMALL, 1]
                    unlink(links, victim)
                    small -= sizes[victim]
                    if references[victim] >= threshold:
                        references[victim] = 0
                        append(links, anchor + MAIN, victim)
                        where[victim] = MAIN
                        main += sizes[victim]
                    else:
                        where[victim] = ABSENT
                        note(counts, victim)
                        evictions += 1
                        evicted = True
                        if sizes[victim] <= ghost_share:
                            while ghost + sizes[victim] > ghost_share:
                                forgotten = links[anchor + GHOST, 1]
                                unlink(links, forgotten)
                                where[forgotten] = ABSENT
                                ghost -= sizes[forgotten]
                            append(links, anchor + GHOST, victim)
                            where[victim] = GHOST
                            ghost += sizes[victim]
        if found == GHOST or size > small_share or (filling and small + size > small_share):
            append(links, anchor + MAIN, x)
            where[x] = MAIN
            main += size
        else:
            append(links, anchor + SMALL, x)
            where[x] = SMALL
            small += size
        references[x] = 0
    scalars[0] = small
    scalars[1] = main
    scalars[2] = ghost
    scalars[7] = filling
    counts[0] += stop - start
    counts[1] += misses
    counts[2] += missed_bytes
    counts[3] += evictions
