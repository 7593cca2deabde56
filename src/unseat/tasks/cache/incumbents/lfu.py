"""LFU: evict the object requested least often since it entered; among equals the first to reach that count.

The constant-time form of Shah, Mitra and Matani ("An O(1) algorithm for implementing the LFU cache eviction scheme",
2010): a list of buckets in order of frequency, each with a list of its objects. A bucket's number, its anchor row and
its frequency live in arrays; at most as many buckets are in use as objects are resident.
"""

from __future__ import annotations

import numpy as np

from unseat.core.jit import jit
from unseat.tasks.cache.engine.evictions import note
from unseat.tasks.cache.engine.lists import append, empty_lists, unlink
from unseat.tasks.cache.engine.trace import Int32, Int64

State = tuple[Int64, Int32, Int32, Int64, Int32]


def init(n_objects: int, capacity: int) -> State:
    """``(scalars: [resident, buckets ever used, first free one or -1], links: objects' rows, then the buckets' anchors,
    order: the buckets by frequency with its own anchor last, frequency of a bucket, bucket_of: -1 when absent)``."""
    n_buckets = min(capacity, n_objects) + 1
    return (
        np.array([0, 0, -1], np.int64),
        empty_lists(n_objects, n_buckets),
        empty_lists(n_buckets, 1),
        np.zeros(n_buckets, np.int64),
        np.full(n_objects, -1, np.int32),
    )


@jit
def run(ids: Int32, sizes: Int64, start: int, stop: int, capacity: int, state: State, counts: Int64) -> None:
    """Serve requests ``[start, stop)``; see `unseat.tasks.cache.incumbents` for the signature."""
    scalars, links, order, frequency, bucket_of = state
    resident = scalars[0]
    used = scalars[1]
    free = scalars[2]
    anchor = order.shape[0] - 1
    first_row = bucket_of.shape[0]
    misses = 0
    evictions = 0
    for t in range(start, stop):
        x = ids[t]
        source = bucket_of[x]
        if source >= 0:
            place = source  # the bucket behind which the one with the next frequency belongs
            count = frequency[source] + 1
            unlink(links, x)
        else:
            misses += 1
            place = anchor
            count = 1
            if resident == capacity:
                source = order[anchor, 1]
                victim = links[first_row + source, 1]
                unlink(links, victim)
                bucket_of[victim] = -1
                note(counts, victim)
                evictions += 1
            else:
                resident += 1
        target = order[place, 1]
        if target == anchor or frequency[target] != count:
            target = free
            if free >= 0:
                free = order[free, 1]  # free buckets are chained through the same links
            else:
                target = used
                used += 1
            frequency[target] = count
            order[target, 0] = place
            order[target, 1] = order[place, 1]
            order[order[place, 1], 0] = target
            order[place, 1] = target
        append(links, first_row + target, x)
        bucket_of[x] = target
        if source >= 0 and links[first_row + source, 1] == first_row + source:
            unlink(order, source)
            order[source, 1] = free
            free = source
    scalars[0] = resident
    scalars[1] = used
    scalars[2] = free
    counts[0] += stop - start
    counts[1] += misses
    counts[2] += misses
    counts[3] += evictions
