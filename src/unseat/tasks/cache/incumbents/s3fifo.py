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

from unseat.core.jit import inlined, jit
from unseat.tasks.cache.engine.evictions import note
from unseat.tasks.cache.engine.lists import append, empty_lists, unlink
from unseat.tasks.cache.engine.trace import Int32, Int64

Int8 = npt.NDArray[np.int8]
State = tuple[Int64, Int32, Int8, Int8]
SMALL, MAIN, GHOST, ABSENT = 0, 1, 2, 3
# scalars: objects in the three queues, by the queue's number, then
SMALL_SHARE, MAIN_SHARE, GHOST_SHARE, THRESHOLD, FILLING = 3, 4, 5, 6, 7
MOST = 127
"""References are counted up to here; only ``min(references, 3)`` and ``references >= threshold`` are read."""


def init(n_objects: int, capacity: int, small: float = 0.1, ghost: float = 0.9, threshold: int = 2) -> State:
    """``(scalars, links with three anchors, where: the queue an object is in, references)``."""
    share = int(capacity * small)
    scalars = np.array([0, 0, 0, share, capacity - share, int(capacity * ghost), threshold, 1], np.int64)
    where = np.full(n_objects, ABSENT, np.int8)
    return scalars, empty_lists(n_objects, 3), where, np.zeros(n_objects, np.int8)


@inlined
def remember(links: Int32, where: Int8, scalars: Int64, x: int) -> None:
    """Put an object that S evicted into G, which forgets its oldest."""
    anchor = where.shape[0] + GHOST
    if scalars[GHOST_SHARE] == 0:
        return
    if scalars[GHOST] == scalars[GHOST_SHARE]:
        forgotten = links[anchor, 1]
        unlink(links, forgotten)
        where[forgotten] = ABSENT
        scalars[GHOST] -= 1
    append(links, anchor, x)
    where[x] = GHOST
    scalars[GHOST] += 1


@inlined
def evict_from_main(links: Int32, where: Int8, references: Int8, scalars: Int64, counts: Int64) -> None:
    """EVICTM: the oldest of M leaves, or stays with one reference less and the next is asked."""
    anchor = where.shape[0] + MAIN
    while scalars[MAIN] > 0:
        victim = links[anchor, 1]
        unlink(links, victim)
        if references[victim] == 0:
            where[victim] = ABSENT
            scalars[MAIN] -= 1
            counts[3] += 1
            note(counts, victim)
            return
        references[victim] = min(references[victim], 3) - 1
        append(links, anchor, victim)


@inlined
def evict_from_small(links: Int32, where: Int8, references: Int8, scalars: Int64, counts: Int64) -> None:
    """EVICTS: the oldest of S leaves for G, or moves to M and the next is asked; nothing leaves if all of them move."""
    anchor = where.shape[0]
    while scalars[SMALL] > 0:
        victim = links[anchor + SMALL, 1]
        unlink(links, victim)
        scalars[SMALL] -= 1
        if references[victim] < scalars[THRESHOLD]:
            where[victim] = ABSENT
            counts[3] += 1
            note(counts, victim)
            remember(links, where, scalars, victim)
            return
        references[victim] = 0
        append(links, anchor + MAIN, victim)
        where[victim] = MAIN
        scalars[MAIN] += 1


@jit
def run(ids: Int32, sizes: Int64, start: int, stop: int, capacity: int, state: State, counts: Int64) -> None:
    """Serve requests ``[start, stop)``; see `unseat.tasks.cache.incumbents` for the signature."""
    scalars, links, where, references = state
    anchor = where.shape[0]
    misses = 0
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
            scalars[GHOST] -= 1
        while scalars[SMALL] + scalars[MAIN] == capacity:
            scalars[FILLING] = 0
            if scalars[MAIN] > scalars[MAIN_SHARE] or scalars[SMALL] == 0:
                evict_from_main(links, where, references, scalars, counts)
            else:
                evict_from_small(links, where, references, scalars, counts)
        queue = SMALL
        if found == GHOST or (scalars[FILLING] != 0 and scalars[SMALL] >= scalars[SMALL_SHARE]):
            queue = MAIN
        append(links, anchor + queue, x)
        where[x] = queue
        scalars[queue] += 1
        references[x] = 0
    counts[0] += stop - start
    counts[1] += misses
    counts[2] += misses
