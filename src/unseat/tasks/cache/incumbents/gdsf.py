"""GDSF: Greedy-Dual-Size with frequency (Cherkasova, HP Labs HPL-98-69R1, 1998).

An object's priority is ``age + frequency * cost / size``; the lowest leaves, and ``age`` becomes its priority, so what
is not requested sinks. The cost of a miss is ``size ** cost``: 0 is the published GDSF(1), which counts objects; at 1
the size cancels out and what is left is LFU with dynamic aging (LFU-DA), which is closer to counting bytes. Among equal
priorities the least recently requested leaves. An object larger than the cache is not admitted. (libcachesim 0.3.5
also turns away objects whose priority is too low to be worth the evictions, which is not in the report; its counts
differ.)
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unseat.core.jit import inlined, jit
from unseat.tasks.cache.engine.evictions import note
from unseat.tasks.cache.engine.trace import Int32, Int64

Float64 = npt.NDArray[np.float64]
State = tuple[Int64, Float64, Int32, Int32, Int32, Float64, Int64]


def init(n_objects: int, capacity: int, cost: float = 0.0) -> State:
    """``(scalars: [resident bytes, heap length, requests], numbers: [age, cost], heap: binary, the lowest priority
    first, place: in the heap, -1 when absent, frequency, priority, last_request)``; capacity in bytes."""
    return (
        np.zeros(3, np.int64),
        np.array([0.0, cost]),
        np.empty(n_objects, np.int32),
        np.full(n_objects, -1, np.int32),
        np.zeros(n_objects, np.int32),
        np.zeros(n_objects, np.float64),
        np.zeros(n_objects, np.int64),
    )


@inlined
def leaves_before(priority: Float64, last_request: Int64, x: int, y: int) -> bool:
    """Whether ``x`` is evicted before ``y``."""
    if priority[x] == priority[y]:
        return bool(last_request[x] < last_request[y])
    return bool(priority[x] < priority[y])


@inlined
def rise(heap: Int32, place: Int32, priority: Float64, last_request: Int64, at: int) -> None:
    """Move the object at a heap place towards the root until its parent leaves before it."""
    x = heap[at]
    while at > 0 and leaves_before(priority, last_request, x, heap[(at - 1) >> 1]):
        heap[at] = heap[(at - 1) >> 1]
        place[heap[at]] = at
        at = (at - 1) >> 1
    heap[at] = x
    place[x] = at


@inlined
def sink(heap: Int32, place: Int32, priority: Float64, last_request: Int64, at: int, length: int) -> None:
    """Move the object at a heap place away from the root until it leaves before its children."""
    x = heap[at]
    while 2 * at + 1 < length:
        child = 2 * at + 1
        if child + 1 < length and leaves_before(priority, last_request, heap[child + 1], heap[child]):
            child += 1
        if leaves_before(priority, last_request, x, heap[child]):
            break
        heap[at] = heap[child]
        place[heap[at]] = at
        at = child
    heap[at] = x
    place[x] = at


@jit
def run(ids: Int32, sizes: Int64, start: int, stop: int, capacity: int, state: State, counts: Int64) -> None:
    """Serve requests ``[start, stop)``; see `unseat.tasks.cache.incumbents` for the signature."""
    scalars, numbers, heap, place, frequency, priority, last_request = state
    used = scalars[0]
    length = scalars[1]
    clock = scalars[2]
    age = numbers[0]
    exponent = numbers[1] - 1.0
    misses = 0
    missed_bytes = 0
    evictions = 0
    for t in range(start, stop):
        x = ids[t]
        clock += 1
        if place[x] >= 0:
            frequency[x] += 1
            priority[x] = age + frequency[x] * float(sizes[x]) ** exponent
            last_request[x] = clock
            sink(heap, place, priority, last_request, place[x], length)
            continue
        misses += 1
        missed_bytes += sizes[x]
        if sizes[x] > capacity:
            continue
        while used + sizes[x] > capacity:
            victim = heap[0]
            age = priority[victim]
            place[victim] = -1
            note(counts, victim)
            used -= sizes[victim]
            length -= 1
            evictions += 1
            if length > 0:
                heap[0] = heap[length]
                sink(heap, place, priority, last_request, 0, length)
        frequency[x] = 1
        priority[x] = age + float(sizes[x]) ** exponent
        last_request[x] = clock
        heap[length] = x
        length += 1
        rise(heap, place, priority, last_request, length - 1)
        used += sizes[x]
    scalars[0] = used
    scalars[1] = length
    scalars[2] = clock
    numbers[0] = age
    counts[0] += stop - start
    counts[1] += misses
    counts[2] += missed_bytes
    counts[3] += evictions
