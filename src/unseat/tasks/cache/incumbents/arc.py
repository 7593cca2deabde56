"""ARC: balance recency and frequency by the hits of two ghost lists (Megiddo and Modha, FAST 2003, Figure 4).

T1 holds objects requested once, T2 those requested again; B1 and B2 remember what T1 and T2 evicted. A hit in B1 says
that T1 is too small, a hit in B2 that T2 is; the target ``p`` of T1's length moves by the ratio of the ghosts' lengths
(a real number, as in the paper; an integer quotient would be another policy).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unseat.core.jit import inlined, jit
from unseat.tasks.cache.engine.evictions import note
from unseat.tasks.cache.engine.lists import append, empty_lists, unlink
from unseat.tasks.cache.engine.trace import Int32, Int64

Int8 = npt.NDArray[np.int8]
Float64 = npt.NDArray[np.float64]
State = tuple[Int64, Float64, Int32, Int8]
T1, T2, B1, B2, ABSENT = 0, 1, 2, 3, 4


def init(n_objects: int, capacity: int) -> State:
    """``(lengths of T1, T2, B1, B2, [p], links with the four anchors, where: the list an object is in)``."""
    where = np.full(n_objects, ABSENT, np.int8)
    return np.zeros(4, np.int64), np.zeros(1, np.float64), empty_lists(n_objects, 4), where


@inlined
def drop(links: Int32, where: Int8, lengths: Int64, queue: int) -> None:
    """Forget the oldest of a list."""
    x = links[where.shape[0] + queue, 1]
    unlink(links, x)
    where[x] = ABSENT
    lengths[queue] -= 1


@inlined
def move(links: Int32, where: Int8, lengths: Int64, x: int, queue: int) -> None:
    """Put ``x`` at the new end of a list, out of the one it is in."""
    if where[x] != ABSENT:
        unlink(links, x)
        lengths[where[x]] -= 1
    append(links, where.shape[0] + queue, x)
    where[x] = queue
    lengths[queue] += 1


@inlined
def replace(links: Int32, where: Int8, lengths: Int64, p: float, in_b2: bool, counts: Int64) -> None:
    """Subroutine REPLACE(x, p): the oldest of T1 or of T2 becomes a ghost."""
    anchor = where.shape[0]
    over = lengths[T1] > p or (in_b2 and lengths[T1] == p)
    if (lengths[T1] > 0 and over) or lengths[T2] == 0:
        victim = links[anchor + T1, 1]
        move(links, where, lengths, victim, B1)
    else:
        victim = links[anchor + T2, 1]
        move(links, where, lengths, victim, B2)
    note(counts, victim)


@jit
def run(ids: Int32, sizes: Int64, start: int, stop: int, capacity: int, state: State, counts: Int64) -> None:
    """Serve requests ``[start, stop)``; see `unseat.tasks.cache.incumbents` for the signature."""
    lengths, target, links, where = state
    p = target[0]
    anchor = where.shape[0]
    misses = 0
    evictions = 0
    for t in range(start, stop):
        x = ids[t]
        found = where[x]
        if found == T1 or found == T2:  # Case I
            move(links, where, lengths, x, T2)
            continue
        misses += 1
        full = lengths[T1] + lengths[T2] == capacity
        if full:
            evictions += 1
        if found == B1:  # Case II
            p = min(p + max(lengths[B2] / lengths[B1], 1.0), float(capacity))
        elif found == B2:  # Case III
            p = max(p - max(lengths[B1] / lengths[B2], 1.0), 0.0)
        if found != ABSENT:
            # out of its ghost list before the eviction; REPLACE reads the lengths of T1 and T2 only
            unlink(links, x)
            lengths[found] -= 1
            where[x] = ABSENT
            if full:
                replace(links, where, lengths, p, found == B2, counts)
            move(links, where, lengths, x, T2)
            continue
        if full:  # Case IV
            if lengths[T1] + lengths[B1] == capacity:
                if lengths[B1] > 0:
                    drop(links, where, lengths, B1)
                    replace(links, where, lengths, p, False, counts)
                else:
                    note(counts, links[anchor + T1, 1])
                    drop(links, where, lengths, T1)
            else:
                if lengths[T1] + lengths[T2] + lengths[B1] + lengths[B2] == 2 * capacity:
                    drop(links, where, lengths, B2)
                replace(links, where, lengths, p, False, counts)
        move(links, where, lengths, x, T1)
    target[0] = p
    counts[0] += stop - start
    counts[1] += misses
    counts[2] += misses
    counts[3] += evictions
