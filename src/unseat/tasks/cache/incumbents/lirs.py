"""LIRS: keep the objects with low inter-reference recency (Jiang and Zhang, SIGMETRICS 2002, section 3).

Stack S orders objects by recency down to the oldest LIR object; queue Q holds the resident HIR objects, a small share
of the cache. A HIR object requested while it is still in S has the lower inter-reference recency and trades places with
the oldest LIR object. S also remembers HIR objects that are no longer resident.

The version is the authors' program (lirs.c, 15 November 2002): Q gets ``int(capacity * queue)`` places, two at least; a
filling cache makes objects LIR until only Q's places are free; a request that repeats the one just before it is a hit
that changes nothing (correlated reference); S is not limited, so it can remember every object of the trace. Their
program refuses capacities under 10; here Q takes at most ``capacity - 1`` places, so small capacities work too.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unseat.core.jit import inlined, jit
from unseat.tasks.cache.engine.evictions import note
from unseat.tasks.cache.engine.lists import append, empty_lists, unlink
from unseat.tasks.cache.engine.trace import Int32, Int64

Int8 = npt.NDArray[np.int8]
State = tuple[Int64, Int32, Int32, Int8]


def init(n_objects: int, capacity: int, queue: float = 0.01) -> State:
    """``(scalars: [resident, previous object, LIR places], stack and queue: links, an object is in them unless its
    first link is -1, lir: 1 for LIR objects)``."""
    places = min(max(2, int(capacity * queue)), max(1, capacity - 1))
    scalars = np.array([0, -1, capacity - places], np.int64)
    return scalars, empty_lists(n_objects, 1), empty_lists(n_objects, 1), np.zeros(n_objects, np.int8)


@inlined
def take(links: Int32, x: int) -> None:
    """Take ``x`` out of its list and mark it as outside."""
    unlink(links, x)
    links[x, 0] = -1


@inlined
def prune(stack: Int32, lir: Int8) -> None:
    """Take HIR objects off the bottom of S until a LIR object lies there."""
    anchor = lir.shape[0]
    bottom = stack[anchor, 1]
    while bottom != anchor and lir[bottom] == 0:
        take(stack, bottom)
        bottom = stack[anchor, 1]


@jit
def run(ids: Int32, sizes: Int64, start: int, stop: int, capacity: int, state: State, counts: Int64) -> None:
    """Serve requests ``[start, stop)``; see `unseat.tasks.cache.incumbents` for the signature."""
    scalars, stack, queue, lir = state
    resident = scalars[0]
    previous = scalars[1]
    lir_places = scalars[2]
    anchor = lir.shape[0]
    misses = 0
    evictions = 0
    for t in range(start, stop):
        x = ids[t]
        if x == previous:
            continue
        previous = x
        if lir[x]:
            was_bottom = stack[anchor, 1] == x
            unlink(stack, x)
            append(stack, anchor, x)
            if was_bottom:
                prune(stack, lir)
            continue
        if queue[x, 0] >= 0:
            take(queue, x)
        else:
            misses += 1
            if resident == capacity:
                note(counts, queue[anchor, 1])
                take(queue, queue[anchor, 1])
                evictions += 1
            else:
                resident += 1
                if resident <= lir_places:
                    lir[x] = 1
                    append(stack, anchor, x)
                    continue
        if stack[x, 0] >= 0:
            unlink(stack, x)
            append(stack, anchor, x)
            lir[x] = 1
            demoted = stack[anchor, 1]
            lir[demoted] = 0
            append(queue, anchor, demoted)
        else:
            append(stack, anchor, x)
            append(queue, anchor, x)
        prune(stack, lir)
    scalars[0] = resident
    scalars[1] = previous
    counts[0] += stop - start
    counts[1] += misses
    counts[2] += misses
    counts[3] += evictions
