"""A cache that evicts the sampled candidate with the lowest hazard, as a small forest of regression trees sees it.

Engine and scorer in one loop, of the incumbents' signature, so that it can be warmed, stopped and continued anywhere.
While it serves, it writes down rows to learn from: what was known of a resident object at some moment, and how long it
then took until its next request. The forest is part of the state and may be exchanged at any stop (`with_forest`).
Without trees it is LRU.

The candidates of an eviction are the end of the recency list, the newest arrivals, uniform draws (Redis; LRB, Song et
al., NSDI 2020), and those that came next last time (K. Psounis and B. Prabhakar, "Efficient randomized web-cache
replacement schemes using samples from past eviction times", IEEE/ACM ToN 10(4), 2002). Newest arrivals must be among
them: an object that will never return is otherwise found only after capacity / draws evictions.

State, a tuple of arrays made by `init`; times are request numbers, "in capacities" means requests over capacity:

    scalars    int64[9]: see the constants below
    slots      int32[C]: resident objects in no order
    history    int32[n, 6]: slot or -1; last request; request of entry; eviction number of exit (RESIDES: not yet);
               eviction in which it was last a candidate; first of its rows without a label
    learned    float32[n, 8]: last three gaps in capacities, three decayed counters, requests, hits since entry
    before     int32[n, 3]: the objects requested 1, C/10 and C requests before its last request, or -1
    links      int32[n + 1, 2]: the recency list
    kept       int32[NEWEST + POOL]: the newest arrivals, then those that came next at the last eviction
    rows       float32[R, F]: features, a uniform sample of all moments so far (reservoir)
    moments    int32[R, 3]: object, request number, the object's next row without a label
    waits      float32[R]: capacities until the object's next request, or -1 while there was none
    splits, thresholds, masks, leaves: the forest, see `hazards`
    asked, table, reached, scores: scratch of one eviction; table float32[F, WIDE] holds the candidates' features
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unseat.core.jit import inlined, jit
from unseat.tasks.cache.engine.evictions import note
from unseat.tasks.cache.engine.lists import append, empty_lists, unlink
from unseat.tasks.cache.engine.trace import Int32, Int64
from unseat.tasks.cache.incumbents.random_eviction import draw

Float32 = npt.NDArray[np.float32]
Int16 = npt.NDArray[np.int16]
Forest = tuple[Int16, Float32, Int32, Float32]
State = tuple[
    Int64, Int32, Int32, Float32, Int32, Int32, Int32, Float32, Int32, Float32, Int16, Float32, Int32, Float32, Int32,
    Float32, Int32, Float32,
]  # fmt: skip

FEATURES = (
    "age: capacities since its last request",
    "gap 1: capacities between its last two requests",
    "gap 2: the same, one earlier",
    "gap 3: the same, one earlier still",
    "fast: its requests, decayed with a half-life of half a capacity",
    "middle: the same, of eight capacities",
    "slow: the same, of 128 capacities",
    "requests: its requests on record",
    "hits: its hits since it entered",
    "stay: capacities since it entered",
    "rest: gap 1 minus age, the wait if it is periodic",
    "before 1: capacities since the object requested just before it was requested",
    "before 2: the same for the object requested C/10 requests before it",
    "before 3: the same for the object requested C requests before it",
    "elder: capacities since the object first seen just before it was requested",
    "younger: the same for the object first seen just after it",
)
F = len(FEATURES)
NEVER = np.float32(1e6)
"""Stands for a time that is not on record, in capacities."""

LEAVES = 16
INNER = LEAVES - 1
BRUIJN = 0x09AF
PLACES = tuple(((1 << leaf) * BRUIJN & 0xFFFF) >> 12 for leaf in range(LEAVES))
"""Where each leaf's value stands: multiplying by a de Bruijn sequence turns its bit into a place."""
NEWEST, POOL, TAIL, DRAWN = 2, 16, 4, 16
MOST = NEWEST + POOL + TAIL + DRAWN
WIDE = (MOST + 7) // 8 * 8
"""Columns of the candidates' table: whole vectors."""
EVERY = 4
"""A row is taken at each eviction and at every fourth request."""

RESIDENT, EVICTIONS, DRAWS, SEED, MOMENTS, POOLED, CAPACITY, REACH, TIME = 0, 1, 2, 3, 4, 5, 6, 7, 8
SLOT, LAST, ENTRY, EXIT, STAMP, PENDING = 0, 1, 2, 3, 4, 5
COUNT, HITS = 6, 7
SLOW = -1.0 / 128.0
RESIDES = 2**31 - 1
"""Stands for the exit of an object that is resident or requested just now."""


def init(n_objects: int, capacity: int, seed: int = 0, rows: int = 32_768, reach: int = 32) -> State:
    """An empty cache of `capacity` objects that forgets an object `reach` capacities of evictions after it left."""
    scalars = np.zeros(9, np.int64)
    scalars[SEED], scalars[CAPACITY], scalars[REACH] = seed, capacity, reach
    history = np.full((n_objects, 6), -1, np.int32)
    history[:, EXIT] = -(2**31)
    return (
        scalars, np.empty(min(capacity, n_objects), np.int32), history, np.zeros((n_objects, 8), np.float32),
        np.full((n_objects, 3), -1, np.int32), empty_lists(n_objects, 1), np.full(NEWEST + POOL, -1, np.int32),
        np.zeros((rows, F), np.float32), np.full((rows, 3), -1, np.int32), np.zeros(rows, np.float32),
        np.zeros((0, INNER), np.int16), np.zeros((0, INNER), np.float32), np.zeros((0, INNER), np.int32),
        np.zeros((0, LEAVES), np.float32), np.zeros(MOST, np.int32), np.zeros((F, WIDE), np.float32),
        np.zeros(WIDE, np.int32), np.zeros(WIDE, np.float32),
    )  # fmt: skip


def with_forest(state: State, forest: Forest) -> State:
    """The same cache with other trees."""
    return (*state[:10], *forest, *state[14:])


def metadata_bytes(state: State) -> int:
    """Bytes that a cache of this kind holds besides the objects: residents, those remembered, rows and forest."""
    scalars, slots, history, learned, before, links = state[:6]
    per_object = sum(array.itemsize * array.shape[1] for array in (history, learned, before))
    capacity, remembered = slots.size, min(int(scalars[REACH]) * slots.size, history.shape[0] - slots.size)
    held = (capacity + remembered) * per_object + capacity * (slots.itemsize + links.itemsize * 2)
    return int(held + sum(array.nbytes for array in state[6:]) + scalars.nbytes)


@inlined
def recall(x: int, t: int, scale: np.float32, scalars: Int64, history: Int32) -> np.float32:
    """Capacities since ``x`` was last requested; NEVER if that is forgotten."""
    known = 0 <= x < history.shape[0]
    y = x if known else 0
    known &= scalars[EVICTIONS] - history[y, EXIT] <= scalars[REACH] * scalars[CAPACITY]
    return np.float32(t - history[y, LAST]) * scale if known else NEVER


@inlined
def decay(wait: np.float32) -> tuple[np.float32, np.float32, np.float32]:
    """What is left after a wait in capacities, by half-lives of 1/2, 8 and 128 capacities, from one exponential."""
    slow = np.exp2(np.float64(wait) * SLOW)
    middle = slow
    for _ in range(4):
        middle *= middle
    fast = middle
    for _ in range(4):
        fast *= fast
    return np.float32(fast), np.float32(middle), np.float32(slow)


@inlined
def describe(
    x: int, t: int, scalars: Int64, history: Int32, learned: Float32, before: Int32, table: Float32, k: int
) -> None:
    """Write what is known of ``x`` at request number ``t`` into column ``k`` of ``table``."""
    scale = np.float32(1.0) / np.float32(scalars[CAPACITY])
    age = np.float32(t - history[x, LAST]) * scale
    table[0, k] = age
    table[1, k] = learned[x, 0]
    table[2, k] = learned[x, 1]
    table[3, k] = learned[x, 2]
    fast, middle, slow = decay(age)
    table[4, k] = learned[x, 3] * fast
    table[5, k] = learned[x, 4] * middle
    table[6, k] = learned[x, 5] * slow
    table[7, k] = learned[x, COUNT]
    table[8, k] = learned[x, HITS]
    table[9, k] = np.float32(t - history[x, ENTRY]) * scale
    table[10, k] = learned[x, 0] - age
    for j in range(3):
        table[11 + j, k] = recall(before[x, j], t, scale, scalars, history)
    table[14, k] = recall(x - 1, t, scale, scalars, history)
    table[15, k] = recall(x + 1, t, scale, scalars, history)


@inlined
def remember(x: int, t: int, ids: Int32, state: State) -> None:
    """Label the rows that waited for ``x``, and note its request; forget first what lies beyond the reach."""
    scalars, slots, history, learned, before, links, kept, rows, moments, waits = state[:10]
    capacity = scalars[CAPACITY]
    scale = np.float32(1.0) / np.float32(capacity)
    row = history[x, PENDING]
    while row >= 0:
        waits[row] = np.float32(t - moments[row, 1]) * scale
        row = moments[row, 2]
    history[x, PENDING] = -1
    gap = recall(x, t, scale, scalars, history)
    if gap == NEVER:
        for k in range(8):
            learned[x, k] = NEVER if k < 3 else np.float32(0.0)
        gap = np.float32(0.0)
    else:
        learned[x, 2] = learned[x, 1]
        learned[x, 1] = learned[x, 0]
        learned[x, 0] = gap
    fast, middle, slow = decay(gap)
    learned[x, 3] = np.float32(1.0) + learned[x, 3] * fast
    learned[x, 4] = np.float32(1.0) + learned[x, 4] * middle
    learned[x, 5] = np.float32(1.0) + learned[x, 5] * slow
    learned[x, COUNT] += np.float32(1.0)
    history[x, LAST] = t
    history[x, EXIT] = RESIDES
    before[x, 0] = ids[t - 1] if t >= 1 else -1
    lag = max(1, capacity // 10)
    before[x, 1] = ids[t - lag] if t >= lag else -1
    before[x, 2] = ids[t - capacity] if t >= capacity else -1


@inlined
def note_row(x: int, t: int, state: State) -> None:
    """Let this moment of ``x`` into the reservoir (Vitter, ACM TOMS 11(1), 1985, algorithm R)."""
    scalars, slots, history, learned, before, links, kept, rows, moments, waits = state[:10]
    place = scalars[MOMENTS]
    scalars[MOMENTS] += 1
    if place >= waits.shape[0]:
        place = draw(scalars[SEED] + 1, place) % (place + 1)
        if place >= waits.shape[0]:
            return
        old = moments[place, 0]
        if waits[place] < 0:
            link = history[old, PENDING]
            if link == place:
                history[old, PENDING] = moments[place, 2]
            else:
                while moments[link, 2] != place:
                    link = moments[link, 2]
                moments[link, 2] = moments[place, 2]
    describe(x, t, scalars, history, learned, before, rows.T, place)
    moments[place, 0] = x
    moments[place, 1] = t
    moments[place, 2] = history[x, PENDING]
    waits[place] = -1
    history[x, PENDING] = place


@inlined
def drawn(state: State) -> int:
    """A resident object, uniformly."""
    scalars = state[0]
    scalars[DRAWS] += 1
    return int(state[1][draw(scalars[SEED], scalars[DRAWS]) % scalars[RESIDENT]])


@inlined
def gather(state: State) -> int:
    """Choose an eviction's candidates, none twice; how many they are."""
    scalars, slots, history, learned, before, links, kept = state[:7]
    asked = state[14]
    anchor = links.shape[0] - 1
    oldest = links[anchor, 1]
    found = 0
    for k in range(MOST):
        if k < NEWEST + POOL:
            x = kept[k]
        elif k < NEWEST + POOL + TAIL:
            x = oldest
            oldest = links[oldest, 1] if oldest != anchor else anchor
            if x == anchor:
                continue
        else:
            x = drawn(state)
        if x >= 0 and history[x, SLOT] >= 0 and history[x, STAMP] != scalars[EVICTIONS]:
            history[x, STAMP] = scalars[EVICTIONS]
            asked[found] = x
            found += 1
    return found


@inlined
def hazards(
    table: Float32, splits: Int16, thresholds: Float32, masks: Int32, leaves: Float32, reached: Int32, scores: Float32
) -> None:
    """Sum the trees for all columns of ``table``.

    No tree is walked. Each split whose threshold a column exceeds takes away the leaves on its left, and the lowest
    leaf that remains is the one reached (QuickScorer: Lucchese et al., SIGIR 2015), so that one split is one pass of
    vector instructions over all columns; twice the speed of walking.

    Args:
        table: float32[F, WIDE], features of each column.
        splits: int16[T, INNER], the feature of each split, in any order.
        thresholds: float32[T, INNER]; infinite where there is no split.
        masks: int32[T, INNER], bits of the leaves that remain; leaf 0, the lowest bit, is the leftmost.
        leaves: float32[T, LEAVES], the value of leaf i at ``PLACES[i]``.
        reached: int32[WIDE], scratch.
        scores: float32[WIDE], the sums.
    """
    for k in range(WIDE):
        scores[k] = np.float32(0.0)
    for tree in range(splits.shape[0]):
        for k in range(WIDE):
            reached[k] = -1
        for node in range(INNER):
            feature, threshold, mask = splits[tree, node], thresholds[tree, node], masks[tree, node]
            for k in range(WIDE):
                reached[k] &= mask if table[feature, k] > threshold else np.int32(-1)
        for k in range(WIDE):
            lowest = reached[k] & -reached[k]
            scores[k] += leaves[tree, ((lowest * BRUIJN) & 0xFFFF) >> 12]


@inlined
def choose(t: int, state: State) -> int:
    """The candidate that goes; those that come next stay in the pool."""
    scalars, slots, history, learned, before, links, kept = state[:7]
    splits, thresholds, masks, leaves, asked, table, reached, scores = state[10:]
    if splits.shape[0] == 0:
        note_row(drawn(state) if scalars[EVICTIONS] & 1 or kept[0] < 0 else kept[0], t, state)
        return int(links[links.shape[0] - 1, 1])
    found = gather(state)
    for k in range(found):
        describe(asked[k], t, scalars, history, learned, before, table, k)
    hazards(table, splits, thresholds, masks, leaves, reached, scores)
    row = draw(scalars[SEED] + 2, scalars[EVICTIONS]) % found
    note_row(asked[row] if scalars[EVICTIONS] & 1 else drawn(state), t, state)
    best = min(found, POOL + 1)
    for k in range(best):
        low = k
        for j in range(k + 1, found):
            if scores[j] < scores[low]:
                low = j
        asked[k], asked[low] = asked[low], asked[k]
        scores[k], scores[low] = scores[low], scores[k]
    for k in range(POOL):
        kept[NEWEST + k] = asked[k + 1] if k + 1 < best else -1
    return int(asked[0])


@jit
def run(ids: Int32, sizes: Int64, start: int, stop: int, capacity: int, state: State, counts: Int64) -> None:
    """Serve requests ``[start, stop)``; see `unseat.tasks.cache.incumbents` for the signature."""
    scalars, slots, history, learned, before, links, kept = state[:7]
    anchor = links.shape[0] - 1
    for t in range(start, stop):
        x = ids[t]
        resident = history[x, SLOT] >= 0
        remember(x, t, ids, state)
        if resident:
            learned[x, HITS] += np.float32(1.0)
            unlink(links, x)
            append(links, anchor, x)
            if t % EVERY == 0 and scalars[RESIDENT] == capacity:
                y = drawn(state)
                if y != x:
                    note_row(y, t, state)
            continue
        counts[1] += 1
        counts[2] += 1
        if scalars[RESIDENT] == capacity:
            v = choose(t, state)
            place = history[v, SLOT]
            slots[place] = slots[capacity - 1]
            history[slots[place], SLOT] = place
            history[v, SLOT] = -1
            history[v, EXIT] = scalars[EVICTIONS]
            unlink(links, v)
            scalars[RESIDENT] -= 1
            scalars[EVICTIONS] += 1
            note(counts, v)
            counts[3] += 1
        slots[scalars[RESIDENT]] = x
        history[x, SLOT] = scalars[RESIDENT]
        history[x, ENTRY] = t
        learned[x, HITS] = np.float32(0.0)
        append(links, anchor, x)
        kept[1] = kept[0]
        kept[0] = x
        scalars[RESIDENT] += 1
    counts[0] += stop - start
