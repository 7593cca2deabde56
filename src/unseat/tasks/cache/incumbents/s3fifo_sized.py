"""S3-FIFO for objects with sizes (Yang et al., SOSP 2023, Algorithm 1), with a capacity in bytes.

As `s3fifo`, with shares and queue lengths in bytes: eviction goes on until the new object fits, and G forgets until
the evicted object fits its share. The authors refuse every object larger than S; here an object that is larger than S
enters M, and only one that is larger than the cache is not admitted.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unseat.core.jit import inlined, jit
from unseat.tasks.cache.engine.evictions import note
from unseat.tasks.cache.engine.lists import append, empty_lists, unlink
from unseat.tasks.cache.engine.trace import Int32, Int64

Int8 = npt.NDArray[np.int8]
State = tuple[Int64, Int32, Int8, Int8]
SMALL, MAIN, GHOST, ABSENT = 0, 1, 2, 3
# scalars: bytes in the three queues, by the queue's number, then
SMALL_SHARE, MAIN_SHARE, GHOST_SHARE, THRESHOLD, FILLING = 3, 4, 5, 6, 7
MOST = 127
"""As in `s3fifo`."""


def init(n_objects: int, capacity: int, small: float = 0.1, ghost: float = 0.9, threshold: int = 2) -> State:
    """``(scalars, links with three anchors, where: the queue an object is in, references)``."""
    share = int(capacity * small)
    scalars = np.array([0, 0, 0, share, capacity - share, int(capacity * ghost), threshold, 1], np.int64)
    where = np.full(n_objects, ABSENT, np.int8)
    return scalars, empty_lists(n_objects, 3), where, np.zeros(n_objects, np.int8)


@inlined
def remember(sizes: Int64, links: Int32, where: Int8, scalars: Int64, x: int) -> None:
    """Put an object that S evicted into G, which forgets its oldest."""
    anchor = where.shape[0] + GHOST
    if sizes[x] > scalars[GHOST_SHARE]:
        return
    while scalars[GHOST] + sizes[x] > scalars[GHOST_SHARE]:
        forgotten = links[anchor, 1]
        unlink(links, forgotten)
        where[forgotten] = ABSENT
        scalars[GHOST] -= sizes[forgotten]
    append(links, anchor, x)
    where[x] = GHOST
    scalars[GHOST] += sizes[x]


@inlined
def evict_from_main(sizes: Int64, links: Int32, where: Int8, references: Int8, scalars: Int64, counts: Int64) -> None:
    """EVICTM: the oldest of M leaves, or stays with one reference less and the next is asked."""
    anchor = where.shape[0] + MAIN
    while scalars[MAIN] > 0:
        victim = links[anchor, 1]
        unlink(links, victim)
        if references[victim] == 0:
            where[victim] = ABSENT
            scalars[MAIN] -= sizes[victim]
            counts[3] += 1
            note(counts, victim)
            return
        references[victim] = min(references[victim], 3) - 1
        append(links, anchor, victim)


@inlined
def evict_from_small(sizes: Int64, links: Int32, where: Int8, references: Int8, scalars: Int64, counts: Int64) -> None:
    """EVICTS: the oldest of S leaves for G, or moves to M and the next is asked; nothing leaves if all of them move."""
    anchor = where.shape[0]
    while scalars[SMALL] > 0:
        victim = links[anchor + SMALL, 1]
        unlink(links, victim)
        scalars[SMALL] -= sizes[victim]
        if references[victim] < scalars[THRESHOLD]:
            where[victim] = ABSENT
            counts[3] += 1
            note(counts, victim)
            remember(sizes, links, where, scalars, victim)
            return
        references[victim] = 0
        append(links, anchor + MAIN, victim)
        where[victim] = MAIN
        scalars[MAIN] += sizes[victim]


@jit
def run(ids: Int32, sizes: Int64, start: int, stop: int, capacity: int, state: State, counts: Int64) -> None:
    """Serve requests ``[start, stop)``; see `unseat.tasks.cache.incumbents` for the signature."""
    scalars, links, where, references = state
    anchor = where.shape[0]
    misses = 0
    missed_bytes = 0
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
            scalars[GHOST] -= size
        while scalars[SMALL] + scalars[MAIN] + size > capacity:
            scalars[FILLING] = 0
            if scalars[MAIN] > scalars[MAIN_SHARE] or scalars[SMALL] == 0:
                evict_from_main(sizes, links, where, references, scalars, counts)
            else:
                evict_from_small(sizes, links, where, references, scalars, counts)
        queue = SMALL
        flows_over = scalars[FILLING] != 0 and scalars[SMALL] + size > scalars[SMALL_SHARE]
        if found == GHOST or size > scalars[SMALL_SHARE] or flows_over:
            queue = MAIN
        append(links, anchor + queue, x)
        where[x] = queue
        scalars[queue] += size
        references[x] = 0
    counts[0] += stop - start
    counts[1] += misses
    counts[2] += missed_bytes
