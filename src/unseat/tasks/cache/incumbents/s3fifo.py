"""S3-FIFO: three static FIFO queues (Yang et al., SOSP 2023, Algorithm 1).

A small queue S takes new objects, a main queue M those that proved themselves there, a ghost queue G the keys that S
evicted. An object requested often enough in S moves to M; a miss that G remembers goes to M at once. M gives as many
second chances as the object was requested, three at most.

The version is the authors' own (libCacheSim's S3FIFO.c, the code behind the paper's figures) for objects of one size,
which settles what the pseudo-code leaves open: S is given ``int(capacity * small)`` places, M the rest, G
``int(capacity * ghost)``; the victim comes from M when M is over its share or S is empty, otherwise from S; moving from
S to M is not an eviction and the search goes on; an object that moves to M starts there with no references.
A capacity with no place in S (under 1 / small) has S evicted first whenever M is within its share.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unseat.core.jit import jit
from unseat.tasks.cache.engine.lists import append, empty_lists, unlink
from unseat.tasks.cache.engine.trace import Int32, Int64

Int8 = npt.NDArray[np.int8]
State = tuple[Int64, Int32, Int8, Int8]
SMALL, MAIN, GHOST, ABSENT = 0, 1, 2, 3
MOST = 127
"""References are counted up to here; only ``min(references, 3)`` and ``references >= threshold`` are read."""


def init(n_objects: int, capacity: int, small: float = 0.1, ghost: float = 0.9, threshold: int = 2) -> State:
    """``(scalars: lengths of S, M, G, shares of M and G, threshold, links with three anchors, where, references)``."""
    share = capacity - int(capacity * small)
    scalars = np.array([0, 0, 0, share, int(capacity * ghost), threshold], np.int64)
    where = np.full(n_objects, ABSENT, np.int8)
    return scalars, empty_lists(n_objects, 3), where, np.zeros(n_objects, np.int8)


@jit
def run(ids: Int32, sizes: Int64, start: int, stop: int, capacity: int, state: State, counts: Int64) -> None:
    """Serve requests ``[start, stop)``; see `unseat.tasks.cache.incumbents` for the signature."""
    scalars, links, where, references = state
    small = scalars[0]
    main = scalars[1]
    ghost = scalars[2]
    main_share = scalars[3]
    ghost_share = scalars[4]
    threshold = scalars[5]
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
        while not evicted:
            evictions += 1
            if main > main_share or small == 0:
                while not evicted and main > 0:
                    victim = links[anchor + MAIN, 1]
                    unlink(links, victim)
                    if references[victim] > 0:
                        references[victim] = min(references[victim], 3) - 1
                        append(links, anchor + MAIN, victim)
                    else:
                        where[victim] = ABSENT
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
                if not evicted:
                    evictions -= 1  # everything in S moved to M: nothing has left the cache yet
        if found == GHOST:
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
    counts[0] += stop - start
    counts[1] += misses
    counts[2] += misses
    counts[3] += evictions
