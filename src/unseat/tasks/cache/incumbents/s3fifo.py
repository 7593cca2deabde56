"""S3-FIFO: three static FIFO queues (Yang et al., SOSP 2023, Algorithm 1).

A small queue S takes new objects, a main queue M those that proved themselves there, a ghost queue G the keys that S
evicted. An object requested often enough in S moves to M; a miss that G remembers goes to M at once. M gives as many
second chances as the object was requested, three at most.

The version is the authors' own as their Python package libcachesim 0.3.5 carries it, with objects of one size. It
settles what the pseudo-code leaves open: S is given ``int(capacity * small)`` places, M the rest, G
``int(capacity * ghost)``; until the first eviction an object that finds S at its share enters M directly, which spares
a cache that is still filling the flush through S; the victim comes from M when M is over its share or S is empty,
otherwise from S; moving from S to M is not an eviction and the search goes on; an object that moves to M starts there
with no references. Miss counts equal the package's for every capacity that gives S two places or more. Below that the
package admits no object at all (its ``insert`` returns when ``obj_size >= small->cache_size``, a rule for bytes that
shuts out every object of size 1 where S has one place); ours works as the paper says.
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
"""References are counted up to here; only ``min(references, 3)`` and ``references >= threshold`` are read."""


def init(n_objects: int, capacity: int, small: float = 0.1, ghost: float = 0.9, threshold: int = 2) -> State:
    """``(scalars: lengths of S, M, G, their shares, threshold, filling; links; where: its queue; references)``."""
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
    evictions = 0
    for t in range(start, stop):
        x = ids[t]
        found = where[x]
        if found < GHOST:
            if references[x] < MOST:
                references[x] += 1
            continue
        misses += 1
        if found == GHOST:
            unlink(links, x)
            where[x] = ABSENT
            ghost -= 1
        evicted = small + main < capacity
        if not evicted:
            filling = 0
            evictions += 1
        while not evicted:
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
                        main -= 1
                        evicted = True
            else:
                while not evicted and small > 0:
                    victim = links[anchor + SMALL, 1]
                    unlink(links, victim)
                    small -= 1
                    if references[victim] >= threshold:
                        references[victim] = 0
                        append(links, anchor + MAIN, victim)
                        where[victim] = MAIN
                        main += 1
                    else:
                        where[victim] = ABSENT
                        note(counts, victim)
                        evicted = True
                        if ghost_share > 0:
                            if ghost == ghost_share:
                                forgotten = links[anchor + GHOST, 1]
                                unlink(links, forgotten)
                                where[forgotten] = ABSENT
                                ghost -= 1
                            append(links, anchor + GHOST, victim)
                            where[victim] = GHOST
                            ghost += 1
        if found == GHOST or (filling and small >= small_share):
            append(links, anchor + MAIN, x)
            where[x] = MAIN
            main += 1
        else:
            append(links, anchor + SMALL, x)
            where[x] = SMALL
            small += 1
        references[x] = 0
    scalars[0] = small
    scalars[1] = main
    scalars[2] = ghost
    scalars[7] = filling
    counts[0] += stop - start
    counts[1] += misses
    counts[2] += misses
    counts[3] += evictions
