"""A cache that follows whichever of several policies misses least, each simulated beside it without its objects.

The policies run as they are, on ids alone. The real cache holds objects and one set of its own: the *surplus*, those
that it holds and the policy it follows does not. At a miss on a full cache a surplus object leaves, so that the real
cache is equal to the followed one once the surplus is used up, and never fetches an object that was not asked for.

Who is followed is decided every `BLOCK` requests from exponentially decayed misses: another policy takes over when it
leads by more than `MARGIN` of them. How fast they decay suits a trace or not (drift wants it fast, long loops slowly):
each of `SPANS` names a leader of its own, and the one is obeyed whose leaders have missed least so far.

Following the one that does best in simulation is miniature simulation's use in C. Waldspurger et al., "Cache Modeling
and Optimization using Miniature Simulations", USENIX ATC 2017; choosing among whole policies as the cache runs is the
idea of LeCaR (Vietri et al., HotStorage 2018) and Cacheus (Rodriguez et al., FAST 2021). Ours simulates at full size,
because the followed policy's contents are needed.

State, made by `init`:

    scalars   int64[7]: see the constants below
    held      int8[n_objects]: whether the real cache holds the object
    place     int32[n_objects]: its place among the surplus, or -1
    surplus   int32[C]: the surplus, oldest first as far as removals allow
    missed    int64[ARMS]: misses of each policy in the current block
    losses    float64[SPANS, ARMS]: misses of each policy in closed blocks, decayed
    step      int64[5 + 2 * BLOCK]: counts of one policy in a block or request, with room for the evicted objects
    ring      int32[GHOSTS * C]: what LIRS evicted, in turn
    pushed    int32[n_objects]: the object's last place in the ring, or -1
    arms      the published policies' own states
    spans     float64[SPANS]: requests after which a difference counts one e-th
    leaders   int64[SPANS]: the policy that each would follow
    costs     float64[SPANS]: misses of its leaders so far
    trees     the states of two caches of `sampled_trees`

Numba compiles a function that takes hundreds of arrays slowly, and one that calls the policies links all their code
once more. So only `run` and `advance` call policies, and what `run` calls is given the arrays that it needs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from unseat.core.jit import inlined, jit
from unseat.tasks.cache.engine import sampled_trees
from unseat.tasks.cache.engine.evictions import note
from unseat.tasks.cache.engine.lists import unlink
from unseat.tasks.cache.engine.trace import Int32, Int64
from unseat.tasks.cache.incumbents import arc, lirs, lru, s3fifo, sieve, wtinylfu

Int8 = npt.NDArray[np.int8]
Float64 = npt.NDArray[np.float64]

NAMES = ("S3-FIFO", "LRU", "SIEVE", "ARC", "LIRS", "W-TinyLFU", "near trees", "far trees")
ARMS = len(NAMES)
CLASSICAL = 6
LIRS = 4
GHOSTS = 128
"""Capacities of objects that LIRS remembers after they left: more than any trace has whose hundredth is the cache,
since LIRS lives from loops far longer than the cache, and 25 bytes an object are little beside what trees remember."""
BLOCK = 64
"""Requests between two looks at who leads."""
MARGIN = 4.0
"""Misses by which another policy, or another span, has to lead."""
SPANS = (6, 24, 96)
"""Memories in capacities ..."""
FLOOR = 480
"""... of at least so many objects."""
LEADER, RESIDENT, SURPLUS, SWITCHES, PLAYERS, OBEYED, PUSHED = 0, 1, 2, 3, 4, 5, 6

run_arc, run_lirs, run_lru, run_s3fifo = arc.run, lirs.run, lru.run, s3fifo.run
run_sieve, run_wtinylfu, run_trees = sieve.run, wtinylfu.run, sampled_trees.run


def policies(n_objects: int, capacity: int) -> tuple[Any, ...]:
    """Empty states of the published policies, in the order of `NAMES`."""
    return (
        s3fifo.init(n_objects, capacity), lru.init(n_objects, capacity), sieve.init(n_objects, capacity),
        arc.init(n_objects, capacity), lirs.init(n_objects, capacity), wtinylfu.init(n_objects, capacity),
    )  # fmt: skip


def forest_caches(n_objects: int, capacity: int, seed: int, forests: int) -> tuple[sampled_trees.State, ...]:
    """Empty states of the caches of `sampled_trees`; those beyond ``forests`` have room for nothing."""
    return tuple(
        sampled_trees.init(n_objects, capacity, seed + k) if k < forests else sampled_trees.init(1, 1, seed, 1)
        for k in range(ARMS - CLASSICAL)
    )


def init(n_objects: int, capacity: int, seed: int = 0, forests: int = 2, memory: int = 0) -> tuple[Any, ...]:
    """An empty cache that begins by following S3-FIFO.

    Args:
        n_objects: Size of the id space.
        capacity: In objects.
        seed: Of the sampled policy.
        forests: How many caches of `sampled_trees` are among the policies, two at most.
        memory: Requests after which a difference counts one e-th, for all spans; 0 leaves them as they are.
    """
    scalars = np.array([0, 0, 0, 0, CLASSICAL + forests, 1, 0], np.int64)
    spans = np.array([memory or span * max(capacity, FLOOR) for span in SPANS], np.float64)
    return (
        scalars, np.zeros(n_objects, np.int8), np.full(n_objects, -1, np.int32), np.empty(capacity + 1, np.int32),
        np.zeros(ARMS, np.int64), np.zeros((len(SPANS), ARMS)), np.zeros(5 + 2 * BLOCK, np.int64),
        np.empty(GHOSTS * capacity, np.int32), np.full(n_objects, -1, np.int32),
        policies(n_objects, capacity), spans, np.zeros(len(SPANS), np.int64), np.zeros(len(SPANS)),
        forest_caches(n_objects, capacity, seed, forests),
    )  # fmt: skip


def rows(arms: Any, capacity: int, n_objects: int) -> tuple[int, ...]:
    """Bytes of each published policy's rows for what it may remember.

    S3-FIFO remembers 1.9 capacities, ARC two, W-TinyLFU one and its sketch, LIRS `GHOSTS` besides its residents.
    """
    remembered = min((1 + GHOSTS) * capacity, n_objects)
    sketch = capacity * 9 + int(arms[5][2].nbytes)
    return int(1.9 * capacity) * 10, capacity * 8, capacity * 5, 2 * capacity * 9, remembered * 25, sketch


def metadata_bytes(state: Any, capacity: int, n_objects: int) -> int:
    """Bytes besides the objects: each policy's rows for what it may remember, and the real cache's own."""
    arms, caches = state[9], state[13]
    trees = sum(sampled_trees.metadata_bytes(cache) for cache in caches[: state[0][PLAYERS] - CLASSICAL])
    return sum(rows(arms, capacity, n_objects)) + trees + capacity * (1 + 4 + 4)


@jit
def advance(arm: int, ids: Int32, sizes: Int64, start: int, stop: int, capacity: int, arms: Any, counts: Int64) -> None:
    """Let one published policy serve ``[start, stop)``."""
    if arm == 0:
        run_s3fifo(ids, sizes, start, stop, capacity, arms[0], counts)
    elif arm == 1:
        run_lru(ids, sizes, start, stop, capacity, arms[1], counts)
    elif arm == 2:
        run_sieve(ids, sizes, start, stop, capacity, arms[2], counts)
    elif arm == 3:
        run_arc(ids, sizes, start, stop, capacity, arms[3], counts)
    elif arm == 4:
        run_lirs(ids, sizes, start, stop, capacity, arms[4], counts)
    else:
        run_wtinylfu(ids, sizes, start, stop, capacity, arms[5], counts)


@inlined
def marks(arms: Any) -> tuple[Int8, Int32, Int8, Int8, Int8, Int32, Int8]:
    """Of the published policies' states what `holds` reads, to be handed on instead of them."""
    return arms[0][2], arms[1][1], arms[2][2], arms[3][3], arms[4][3], arms[4][2], arms[5][4]


@inlined
def holds(arm: int, x: int, marked: Any) -> bool:
    """Whether a published policy's cache holds ``x``; ``marked`` is what `marks` says."""
    queue, recency, visited, part, lir, resident, segment = marked
    if arm == 0:
        return bool(queue[x] < 2)
    if arm == 1:
        return bool(recency[x, 0] >= 0)
    if arm == 2:
        return bool(visited[x] > 0)
    if arm == 3:
        return bool(part[x] < 2)
    if arm == 4:
        return bool(lir[x] != 0 or resident[x, 0] >= 0)
    return bool(segment[x] < 3)


@inlined
def keeps(arm: int, x: int, marked: Any, histories: Any) -> bool:
    """Whether any policy's cache holds ``x``; ``histories`` are those of the caches of `sampled_trees`."""
    if arm < CLASSICAL:
        return holds(arm, x, marked)
    return bool(histories[arm - CLASSICAL][x, 0] >= 0)


@jit
def drop(x: int, scalars: Int64, place: Int32, surplus: Int32) -> None:
    """Take ``x`` out of the surplus."""
    scalars[SURPLUS] -= 1
    last = surplus[scalars[SURPLUS]]
    surplus[place[x]] = last
    place[last] = place[x]
    place[x] = -1


@jit
def follow(arm: int, scalars: Int64, held: Int8, place: Int32, surplus: Int32, marked: Any, histories: Any) -> None:
    """Begin to follow a policy: the surplus is what it does not hold."""
    scalars[LEADER] = arm
    scalars[SWITCHES] += 1
    scalars[SURPLUS] = 0
    for x in range(held.shape[0]):
        place[x] = -1
        if held[x] and not keeps(arm, x, marked, histories):
            place[x] = scalars[SURPLUS]
            surplus[scalars[SURPLUS]] = x
            scalars[SURPLUS] += 1


@jit
def judge(scalars: Int64, missed: Int64, losses: Float64, spans: Float64, leaders: Int64, costs: Float64) -> int:
    """Close a block: each span names its leader; whom the span names whose leaders missed least so far is obeyed."""
    for span in range(spans.shape[0]):
        costs[span] += missed[leaders[span]]
        best = 0
        for arm in range(scalars[PLAYERS]):
            losses[span, arm] = np.exp(-BLOCK / spans[span]) * losses[span, arm] + missed[arm]
            if losses[span, arm] < losses[span, best]:
                best = arm
        if losses[span, leaders[span]] - losses[span, best] > MARGIN:
            leaders[span] = best
    missed[:] = 0
    wisest = scalars[OBEYED]
    for span in range(spans.shape[0]):
        if costs[span] < costs[wisest] - MARGIN:
            wisest = span
    scalars[OBEYED] = wisest
    return int(leaders[wisest])


@jit
def serve(
    x: int, capacity: int, scalars: Int64, held: Int8, place: Int32, surplus: Int32, step: Int64, marked: Any,
    histories: Any, counts: Int64,
) -> None:  # fmt: skip
    """One request that the followed policy has served already: now the real cache does."""
    if place[x] >= 0:
        drop(x, scalars, place, surplus)
    for k in range(step[4]):
        y = step[5 + k]
        if held[y] and place[y] < 0:
            place[y] = scalars[SURPLUS]
            surplus[scalars[SURPLUS]] = y
            scalars[SURPLUS] += 1
    if held[x]:
        return
    counts[1] += 1
    counts[2] += 1
    if scalars[RESIDENT] == capacity:
        y = 0
        if scalars[SURPLUS] > 0:
            y = surplus[0]
            drop(y, scalars, place, surplus)
        else:
            # The followed policy would not keep x at all; ours has to, so any other object goes.
            while not held[y]:
                y += 1
        held[y] = 0
        counts[3] += 1
        note(counts, y)
        scalars[RESIDENT] -= 1
    held[x] = 1
    scalars[RESIDENT] += 1
    if not keeps(scalars[LEADER], x, marked, histories):
        place[x] = scalars[SURPLUS]
        surplus[scalars[SURPLUS]] = x
        scalars[SURPLUS] += 1


@jit
def serve_equal(
    start: int, stop: int, ids: Int32, scalars: Int64, held: Int8, step: Int64, marked: Any, histories: Any,
    counts: Int64,
) -> None:  # fmt: skip
    """A block while the real cache is the followed one: what that did is done."""
    for t in range(start, stop):
        held[ids[t]] = 1
    for k in range(step[4]):
        held[step[5 + k]] = keeps(scalars[LEADER], step[5 + k], marked, histories)
        note(counts, step[5 + k])
    scalars[RESIDENT] += step[1] - step[3]
    for k in range(1, 4):
        counts[k] += step[k]


@jit
def trim(total: Int64, step: Int64, ring: Int32, pushed: Int32, state: lirs.State) -> None:
    """Let LIRS forget what left longest ago, beyond its ghosts.

    Args:
        total: int64[1], how many it evicted so far.
        step: Counts with what it evicted since the last call.
        ring: int32[GHOSTS * C], what it evicted, in turn.
        pushed: int32[n_objects], an object's last place in the ring, or -1.
        state: LIRS' own.
    """
    stack, queue, lir = state[1], state[2], state[3]
    for k in range(step[4]):
        x = step[5 + k]
        place = total[0] % ring.shape[0]
        if total[0] >= ring.shape[0]:
            y = ring[place]
            if pushed[y] == place and lir[y] == 0 and queue[y, 0] < 0 and stack[y, 0] >= 0:
                unlink(stack, y)
                stack[y, 0] = -1
        ring[place] = x
        pushed[x] = place
        total[0] += 1


@jit
def run(ids: Int32, sizes: Int64, start: int, stop: int, capacity: int, state: Any, counts: Int64) -> None:
    """Serve requests ``[start, stop)``; see `unseat.tasks.cache.incumbents` for the signature."""
    scalars, held, place, surplus, missed, losses, step, ring, pushed, arms, spans, leaders, costs, trees = state
    marked, histories = marks(arms), (trees[0][2], trees[1][2])
    t = start
    while t < stop:
        end = min(stop, (t // BLOCK + 1) * BLOCK)
        leader = scalars[LEADER]
        equal = scalars[SURPLUS] == 0 and (scalars[RESIDENT] == capacity or scalars[SWITCHES] == 0)
        for arm in range(scalars[PLAYERS]):
            now = t
            while now < end:
                until = end if equal or arm != leader else now + 1
                step[:] = 0
                if arm < CLASSICAL:
                    advance(arm, ids, sizes, now, until, capacity, arms, step)
                else:
                    run_trees(ids, sizes, now, until, capacity, trees[arm - CLASSICAL], step)
                missed[arm] += step[1]
                if arm == leader and equal:
                    serve_equal(now, until, ids, scalars, held, step, marked, histories, counts)
                elif arm == leader:
                    serve(ids[now], capacity, scalars, held, place, surplus, step, marked, histories, counts)
                if arm == LIRS:
                    trim(scalars[PUSHED : PUSHED + 1], step, ring, pushed, arms[LIRS])
                now = until
        if end % BLOCK == 0:
            leader = judge(scalars, missed, losses, spans, leaders, costs)
            if leader != scalars[LEADER]:
                follow(leader, scalars, held, place, surplus, marked, histories)
        t = end
    counts[0] += stop - start
