"""A cache that asks, at each eviction, which of a few sampled candidates goes.

Production caches sample too (Redis; LRB evicts among 64 samples), because looking at every resident object is too slow.
The candidates are the ends of the recency list, the newest arrivals and uniform draws, so that plain LRU is among the
answers. One feature is learned by the cache itself: how often what left in a like state was soon missed, as the ghost
lists of ARC (Megiddo and Modha, FAST 2003) tell, in classes as in LHD (Beckmann, Chen and Cidon, NSDI 2018).

The engine can pause at each question (`advance`, then `evict`), which is what environments and Python policies
need; compiled policies run in one loop with it (`serve_linear`).

State of one cache, a tuple of arrays made by `init`:

    scalars   int64[9]: resident objects, used (objects or bytes), draws so far, seed, evictions, next request,
              1 while a question is open, 1 where sizes count, and the features that are wanted, a bit for each
    slots     int32[m]: resident objects in no order
    history   int32[n_objects, 5]: slot or -1; last request; request of entry; requests so far; eviction number of exit
    learned   float32[n_objects, 6]: log2 of the last three gaps, log2 of the two decayed counters, hits since entry
    links     int32[n_objects + 1, 2]: the recency list
    newest    int32[2]: the last two arrivals
    asked     int32[K]: the open question's candidates
    features  float32[K, F]: what is known of them
    classes   float32[3, CLASSES]: objects that left lately, those of them that were soon asked for again, and the log2
              of the share

What a cache remembers of an object that has left is dropped after `REACH` capacities of evictions: `metadata_bytes`
counts what that bounds.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from unseat.core.jit import inlined, jit
from unseat.tasks.cache.engine.evictions import note
from unseat.tasks.cache.engine.lists import append, empty_lists, unlink
from unseat.tasks.cache.engine.trace import Int32, Int64
from unseat.tasks.cache.incumbents.random_eviction import draw

Float32 = npt.NDArray[np.float32]
State = tuple[Int64, Int32, Int32, Float32, Int32, Int32, Int32, Float32, Float32]

TAIL, NEWEST, DRAWN = 4, 2, 26
K = TAIL + NEWEST + DRAWN
"""Candidates of a question: least recently used first, then the newest arrivals, then uniform draws."""

FEATURES = (
    "age: log2 of the requests since its last one, over the capacity",
    "stay: log2 of the requests since it entered, over the capacity",
    "gap 1: log2 of the requests between its last two, over the capacity",
    "gap 2: the same, one earlier",
    "gap 3: the same, one earlier still",
    "requests: log2 of its requests on record",
    "fast: log2 of its requests, decayed with a half-life of one capacity",
    "slow: log2 of its requests, decayed with a half-life of eight capacities",
    "hits: log2 of one more than its hits since it entered",
    "size: log2 of its bytes, over the capacity; 0 where all count one",
    "regret: log2 of the share, of those that left lately with about as many requests on record and hit or not as it "
    "is, that were asked for again within one capacity of evictions",
)
F = len(FEATURES)
ALL = (1 << F) - 1
"""Every feature is wanted."""
NEVER = 8.0
"""Stands for a gap that is not on record, in log2 of capacities."""
REACH = 4
"""An object that left is forgotten after so many capacities (in objects) of evictions; this is the half-life, too,
of what is counted of a class."""
CLASSES = 8
"""Of residents: requests on record 1, 2 to 3, 4 to 7, and more; without a hit since they entered, and with one."""

LEARNED = 4 | 8 | 16 | 64 | 128
"""Features that are brought up to date at each request: gaps, and decayed counters."""
REGRET = 1024

RESIDENT, USED, DRAWS, SEED, EVICTIONS, NEXT, OPEN, FITS, WANTED = 0, 1, 2, 3, 4, 5, 6, 7, 8
SLOT, LAST, ENTRY, REQUESTS, EXIT = 0, 1, 2, 3, 4


def init(n_objects: int, capacity: int, seed: int, sized: bool, wanted: int = ALL) -> State:
    """An empty cache.

    Args:
        n_objects: Objects of the trace.
        capacity: In objects, or in bytes if `sized`.
        seed: Of the draws.
        sized: Whether sizes count.
        wanted: The features that are worked out, a bit for each; the others hold nothing. With none of them the same
            candidates are asked for, at a small part of the time: for answers that are known already.
    """
    history = np.full((n_objects, 5), -1, np.int32)
    history[:, REQUESTS] = 0
    scalars = np.zeros(9, np.int64)
    scalars[SEED] = seed
    scalars[FITS] = sized
    scalars[WANTED] = wanted
    slots = np.empty(n_objects if sized else min(capacity, n_objects), np.int32)
    learned = np.zeros((n_objects, 6), np.float32)
    return (scalars, slots, history, learned, empty_lists(n_objects, 1), np.full(2, -1, np.int32),
            np.zeros(K, np.int32), np.zeros((K, F), np.float32), np.zeros((3, CLASSES), np.float32))  # fmt: skip


def metadata_bytes(state: State) -> int:
    """Bytes that a real cache would hold: slot, history, features and links of residents and of those remembered."""
    per_object = 5 * 4 + 6 * 4 + 2 * 4
    return int((1 + REACH) * state[0][RESIDENT] * per_object + state[0][RESIDENT] * 4)


@jit
def advance(ids: Int32, sizes: Int64, stop: int, capacity: int, state: State, counts: Int64) -> bool:
    """Serve requests up to `stop`; True when a question is open (its features are in the state), else False.

    The requests are counted in `counts` like any kernel's: requests, misses, missed bytes, evictions.
    """
    scalars, slots, history, learned, links, newest, asked, features, classes = state
    anchor = links.shape[0] - 1
    t = scalars[NEXT]
    while t < stop:
        x = ids[t]
        size = sizes[x] if scalars[FITS] else 1
        if history[x, SLOT] >= 0:
            remember(t, x, scalars, history, learned, classes)
            learned[x, 5] += 1
            unlink(links, x)
            append(links, anchor, x)
        elif size > capacity:
            counts[1] += 1
            counts[2] += size
        elif scalars[USED] + size > capacity:
            scalars[OPEN] = 1
            scalars[NEXT] = t
            ask(t, capacity, sizes, state)
            return True
        else:
            counts[1] += 1
            counts[2] += size
            remember(t, x, scalars, history, learned, classes)
            enter(t, x, size, state)
        counts[0] += 1
        t += 1
    scalars[NEXT] = t
    return False


@inlined
def remember(t: int, x: int, scalars: Int64, history: Int32, learned: Float32, classes: Float32) -> None:
    """Note a request for `x` in its history; forget first what lies beyond the reach."""
    places = scalars[RESIDENT]
    if history[x, SLOT] < 0 and history[x, EXIT] >= 0:
        since = scalars[EVICTIONS] - history[x, EXIT]
        if scalars[WANTED] & REGRET and since <= places:
            classes[1, class_of(history[x, REQUESTS], learned[x, 5])] += 1
        if since > REACH * places:
            history[x, REQUESTS] = 0
    if scalars[WANTED] & LEARNED:
        learn(t, x, places, history, learned)
    history[x, LAST] = t
    history[x, REQUESTS] += 1


@inlined
def class_of(requests: int, hits: float) -> int:
    """The class of an object; see `CLASSES`."""
    often = 0 if requests < 2 else 1 if requests < 4 else 2 if requests < 8 else 3
    return often + 4 if hits > 0 else often


@inlined
def learn(t: int, x: int, places: int, history: Int32, learned: Float32) -> None:
    """Bring the gaps and counters of `x` up to date, before its request at `t` is noted."""
    scale = np.float32(1.0) / np.float32(max(places, 1))
    if history[x, REQUESTS] == 0:
        learned[x, 0] = NEVER
        learned[x, 1] = NEVER
        learned[x, 2] = NEVER
        learned[x, 3] = 0.0
        learned[x, 4] = 0.0
    else:
        gap = np.float32(t - history[x, LAST])
        learned[x, 2] = learned[x, 1]
        learned[x, 1] = learned[x, 0]
        learned[x, 0] = np.log2(gap * scale)
        learned[x, 3] = np.log2(np.float32(1.0) + np.exp2(learned[x, 3] - gap * scale))
        learned[x, 4] = np.log2(np.float32(1.0) + np.exp2(learned[x, 4] - gap * scale * np.float32(0.125)))


@inlined
def enter(t: int, x: int, size: int, state: State) -> None:
    """Make `x` resident."""
    scalars, slots, history, learned, links, newest, asked, features, classes = state
    slot = scalars[RESIDENT]
    slots[slot] = x
    history[x, SLOT] = slot
    history[x, ENTRY] = t
    learned[x, 5] = 0
    append(links, links.shape[0] - 1, x)
    newest[1] = newest[0]
    newest[0] = x
    scalars[RESIDENT] = slot + 1
    scalars[USED] += size


@inlined
def ask(t: int, capacity: int, sizes: Int64, state: State) -> None:
    """Choose the candidates of a question and write down what is known of them."""
    scalars, slots, history, learned, links, newest, asked, features, classes = state
    resident = scalars[RESIDENT]
    anchor = links.shape[0] - 1
    x = links[anchor, 1]
    for k in range(TAIL):
        asked[k] = x
        x = links[x, 1]
        if x == anchor:
            x = links[anchor, 1]
    for k in range(TAIL, K):
        x = newest[k - TAIL] if k < TAIL + NEWEST else -1
        if x < 0 or history[x, SLOT] < 0:
            x = slots[draw(scalars[SEED], scalars[DRAWS]) % resident]
            scalars[DRAWS] += 1
        asked[k] = x
    if scalars[WANTED]:
        describe(t, capacity, sizes, state)


@inlined
def describe(t: int, capacity: int, sizes: Int64, state: State) -> None:
    """Write down what is known of the candidates; logarithms that nobody wants are spared."""
    scalars, slots, history, learned, links, newest, asked, features, classes = state
    scale = np.float32(1.0) / np.float32(scalars[RESIDENT])
    wanted = scalars[WANTED]
    if wanted & REGRET:
        # Half an object that came back where nothing left yet: a class is spared until it has shown what it is worth.
        for c in range(CLASSES):
            classes[2, c] = np.log2((classes[1, c] + np.float32(0.5)) / (classes[0, c] + np.float32(1.0)))
    for k in range(K):
        x = asked[k]
        age = np.float32(t - history[x, LAST]) * scale
        if wanted & 1:
            features[k, 0] = np.log2(age)
        if wanted & 2:
            features[k, 1] = np.log2(np.float32(t - history[x, ENTRY]) * scale)
        features[k, 2] = learned[x, 0]
        features[k, 3] = learned[x, 1]
        features[k, 4] = learned[x, 2]
        if wanted & 32:
            features[k, 5] = np.log2(np.float32(history[x, REQUESTS]))
        features[k, 6] = learned[x, 3] - age
        features[k, 7] = learned[x, 4] - age * np.float32(0.125)
        if wanted & 256:
            features[k, 8] = np.log2(np.float32(1.0) + learned[x, 5])
        if wanted & 512:
            features[k, 9] = np.log2(np.float32(sizes[x]) / np.float32(capacity)) if scalars[FITS] else 0.0
        if wanted & REGRET:
            features[k, 10] = classes[2, class_of(history[x, REQUESTS], learned[x, 5])]


@inlined
def evict(choice: int, sizes: Int64, state: State, counts: Int64) -> None:
    """Answer the open question: candidate `choice` leaves."""
    scalars, slots, history, learned, links, newest, asked, features, classes = state
    x = asked[choice]
    if scalars[WANTED] & REGRET:
        fade = np.exp2(np.float32(-1.0) / np.float32(REACH * scalars[RESIDENT]))
        for c in range(CLASSES):
            classes[0, c] *= fade
            classes[1, c] *= fade
        classes[0, class_of(history[x, REQUESTS], learned[x, 5])] += 1
    slot = history[x, SLOT]
    moved = slots[scalars[RESIDENT] - 1]
    slots[slot] = moved
    history[moved, SLOT] = slot
    history[x, SLOT] = -1
    history[x, EXIT] = scalars[EVICTIONS]
    unlink(links, x)
    scalars[RESIDENT] -= 1
    scalars[USED] -= sizes[x] if scalars[FITS] else 1
    scalars[EVICTIONS] += 1
    scalars[OPEN] = 0
    counts[3] += 1
    note(counts, x)


@inlined
def best_linear(features: Float32, weights: Float32) -> int:
    """The candidate with the highest score ``weights . features``; the first of equals."""
    best = 0
    highest = np.float32(-np.inf)
    for k in range(features.shape[0]):
        score = np.float32(0.0)
        for f in range(features.shape[1]):
            score += weights[f] * features[k, f]
        if score > highest:
            highest = score
            best = k
    return best


@jit
def serve_linear(
    ids: Int32, sizes: Int64, start: int, stop: int, capacity: int, state: tuple[State, Float32], counts: Int64
) -> None:
    """Engine and linear scorer in one loop, of the kernels' common signature; `state` is ``(cache, weights)``."""
    cache, weights = state
    while advance(ids, sizes, stop, capacity, cache, counts):
        evict(best_linear(cache[7], weights), sizes, cache, counts)


@numba.njit(nogil=True, error_model="numpy")
def serve_kernel(ids, sizes, start, stop, capacity, state, counts, choose):  # type: ignore[no-untyped-def]
    """Engine and any compiled policy in one loop; `state` is ``(cache, arrays)``.

    It is compiled anew for each `choose` and process: Numba's disk cache cannot tell functions that are arguments
    apart from one process to the next.
    """
    cache, arrays = state
    while advance(ids, sizes, stop, capacity, cache, counts):
        choice = choose(cache[7], *arrays)
        if choice < 0 or choice >= K:
            return choice
        evict(choice, sizes, cache, counts)
    return 0


@jit
def step(ids: Int32, sizes: Int64, stop: int, capacity: int, state: State, counts: Int64, choice: int) -> bool:
    """Answer the open question if there is one, and go on to the next; False at the end of the requests."""
    if state[0][OPEN]:
        evict(choice, sizes, state, counts)
    return bool(advance(ids, sizes, stop, capacity, state, counts))
