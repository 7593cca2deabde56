"""A cache that runs the policy whose miniature misses least, each simulated on a sample of the objects.

An object is in the sample if a hash of it says so (SHARDS: Waldspurger et al., "Efficient MRC Construction with
SHARDS", USENIX FAST 2015), so all requests for it are or none. A policy that serves the sampled requests with a
capacity scaled by the same share misses about that share of what it would miss at full size (Waldspurger et al.,
"Cache Modeling and Optimization using Miniature Simulations", USENIX ATC 2017). The policies are those of `mixture`.
How popular the sampled objects happen to be moves the misses of all policies alike, so SHARDS' correction for it,
which adds as many hits to each, would change no comparison and is left out.

Every block the policies are compared by exponentially decayed misses, scaled back to full size; another one takes over
when it leads by more than `MARGIN` capacities of misses, since a switch costs misses: the cache then runs the new
policy from a fresh state, into which its contents are put in order of recency. No object is fetched or lost by that,
but what the new policy would have known of them and of those that left is not there.

State, made by `init`:

    scalars   int64[6]: see the constants below
    numbers   float64[3]: share of the objects in the sample, what a loss keeps of itself in a block, misses to lead by
    recency   int32[n_objects + 1, 2]: the objects that the real cache holds, by their last requests
    contents  int32[C]: room for them
    place     int32[n_objects]: the number of a sampled object among those, or -1; stands for a hash table
    sampled   int32[block]: requests for sampled objects in the current stretch
    losses    float64[policies]: misses of each miniature in closed blocks, decayed, scaled to full size
    step      int64[5 + block]: what the real cache did in the current block, evicted objects included
    steps     int64[policies, 5 + block]: the same of the miniatures
    arms      the policies at full size: all empty but the one that runs
    fresh     the same with a row for one object, never run: what scalars begin with
    small     the miniatures
    rings     what LIRS evicted at full size, and then in miniature: see `unseat.tasks.cache.engine.mixture.trim`
"""

from __future__ import annotations

from typing import Any

import numpy as np

from unseat.core.jit import jit
from unseat.tasks.cache.engine import mixture
from unseat.tasks.cache.engine.evictions import note
from unseat.tasks.cache.engine.lists import append, empty_lists, unlink
from unseat.tasks.cache.engine.mixture import CLASSICAL, GHOSTS, LIRS, Float64, Int8
from unseat.tasks.cache.engine.trace import Int32, Int64
from unseat.tasks.cache.incumbents import arc, s3fifo, wtinylfu
from unseat.tasks.cache.incumbents.random_eviction import draw

MINIATURE = 128
"""Objects that a miniature holds at least, unless the cache itself holds fewer ..."""
LEAST_SHARE = 1 / 16
"""... and the smallest share of the objects that is sampled: beyond, a sample saves no time worth its noise."""
SAMPLED_BLOCK = 32
"""Sampled requests between two looks at who leads, about."""
SPAN = 24.0
"""Capacities of requests after which a difference counts one e-th ..."""
FLOOR = 480
"""... of at least so many objects."""
MARGIN = 1.0
"""Capacities, in misses, by which another policy has to lead: about what learning its contents anew costs."""
LEADER, SWITCHES, BLOCK, SMALL, PUSHED = 0, 1, 2, 3, 4
SPACE = float(2**63)

advance, holds, trim = mixture.advance, mixture.holds, mixture.trim


def init(n_objects: int, capacity: int, seed: int = 0, miniature: int = MINIATURE) -> tuple[Any, ...]:
    """An empty cache that begins with S3-FIFO.

    Args:
        n_objects: Size of the id space.
        capacity: In objects.
        seed: Of the sample.
        miniature: Least capacity of a miniature.
    """
    share = min(1.0, max(miniature / capacity, LEAST_SHARE))
    place = np.full(n_objects, -1, np.int32)
    n_sampled = number(place, seed, share)
    small, block = max(1, round(share * capacity)), round(SAMPLED_BLOCK / share)
    scalars = np.array([0, 0, block, small, 0, 0], np.int64)  # two counts of what LIRS evicted: PUSHED and the next
    numbers = np.array([share, np.exp(-block / (SPAN * max(capacity, FLOOR))), MARGIN * capacity])
    return (
        scalars, numbers, empty_lists(n_objects, 1), np.empty(capacity, np.int32), place,
        np.empty(block, np.int32), np.zeros(CLASSICAL), np.zeros(5 + block, np.int64),
        np.zeros((CLASSICAL, 5 + block), np.int64),
        mixture.policies(n_objects, capacity), mixture.policies(1, capacity), mixture.policies(n_sampled, small),
        (np.empty(GHOSTS * capacity, np.int32), np.full(n_objects, -1, np.int32)),
        (np.empty(GHOSTS * small, np.int32), np.full(n_sampled, -1, np.int32)),
    )  # fmt: skip


def metadata_bytes(state: Any, capacity: int, n_objects: int) -> int:
    """Bytes besides the objects: rows of the miniatures, of the costliest policy at full size, and the real list."""
    arms, small = state[9], state[11]
    miniatures = sum(mixture.rows(small, int(state[0][SMALL]), state[13][1].size))
    return miniatures + max(mixture.rows(arms, capacity, n_objects)) + capacity * (8 + 4)


@jit
def number(place: Int32, seed: int, share: float) -> int:
    """Number the objects of the sample; how many there are."""
    count = 0
    for x in range(place.shape[0]):
        if draw(seed, x) < share * SPACE:
            place[x] = count
            count += 1
    return count


@jit
def clear_lists(links: Int32, n_objects: int) -> None:
    """Empty lists, at a cost of their lengths."""
    for anchor in range(n_objects, links.shape[0]):
        x = links[anchor, 1]
        while x != anchor:
            following = links[x, 1]
            links[x, 0] = -1
            x = following
        links[anchor, 0] = links[anchor, 1] = anchor


@jit
def clear_queues(links: Int32, where: Int8, absent: int) -> None:
    """Empty lists whose members are marked."""
    for anchor in range(where.shape[0], links.shape[0]):
        x = links[anchor, 1]
        while x != anchor:
            where[x] = absent
            x = links[x, 1]
    clear_lists(links, where.shape[0])


@jit
def clear(arm: int, arms: Any, fresh: Any) -> None:
    """Make a policy's state that of an empty cache, at a cost of what it remembers."""
    if arm == 0:
        arms[0][0][:] = fresh[0][0]
        clear_queues(arms[0][1], arms[0][2], s3fifo.ABSENT)
    elif arm == 1:
        arms[1][0][:] = fresh[1][0]
        clear_lists(arms[1][1], arms[1][1].shape[0] - 1)
    elif arm == 2:
        x = arms[2][0][1]
        while x >= 0:
            arms[2][2][x] = 0
            x = arms[2][1][x]
        arms[2][0][:] = fresh[2][0]
    elif arm == 3:
        arms[3][0][:] = fresh[3][0]
        arms[3][1][:] = fresh[3][1]
        clear_queues(arms[3][2], arms[3][3], arc.ABSENT)
    elif arm == LIRS:
        arms[4][0][:] = fresh[4][0]
        clear_queues(arms[4][1], arms[4][3], 0)
        clear_lists(arms[4][2], arms[4][3].shape[0])
    else:
        arms[5][0][:] = fresh[5][0]
        arms[5][1][:] = fresh[5][1]
        arms[5][2][:] = fresh[5][2]
        clear_queues(arms[5][3], arms[5][4], wtinylfu.ABSENT)


@jit
def switch(arm: int, sizes: Int64, capacity: int, state: Any) -> None:
    """Run another policy from now on, with the same contents."""
    scalars, recency, contents, arms, fresh = state[0], state[2], state[3], state[9], state[10]
    held, anchor = 0, recency.shape[0] - 1
    x = recency[anchor, 1]
    while x != anchor:
        contents[held] = x
        held += 1
        x = recency[x, 1]
    clear(scalars[LEADER], arms, fresh)
    scalars[LEADER] = arm
    scalars[PUSHED] = 0
    scalars[SWITCHES] += 1
    advance(arm, contents, sizes, 0, held, capacity, arms, np.zeros(4, np.int64))


@jit
def judge(numbers: Float64, losses: Float64, steps: Int64, leader: int) -> int:
    """Close a block: who is to lead from now on."""
    best = 0
    for arm in range(CLASSICAL):
        losses[arm] = numbers[1] * losses[arm] + steps[arm, 1] / numbers[0]
        if losses[arm] < losses[best]:
            best = arm
    return best if losses[leader] - losses[best] > numbers[2] else leader


@jit
def serve(start: int, stop: int, ids: Int32, sizes: Int64, capacity: int, state: Any, counts: Int64) -> None:
    """Let the real cache serve requests of one block."""
    scalars, recency, step, arms = state[0], state[2], state[7], state[9]
    anchor, leader = recency.shape[0] - 1, scalars[LEADER]
    before, noted = step[1:4].copy(), step[4]
    advance(leader, ids, sizes, start, stop, capacity, arms, step)
    counts[0] += stop - start
    for k in range(1, 4):
        counts[k] += step[k] - before[k - 1]
    for t in range(start, stop):
        x = ids[t]
        if recency[anchor, 0] != x:
            if recency[x, 0] >= 0:
                unlink(recency, x)
            append(recency, anchor, x)
    for k in range(noted, step[4]):
        x = step[5 + k]
        note(counts, x)
        if recency[x, 0] >= 0 and not holds(leader, x, arms):
            unlink(recency, x)
            recency[x, 0] = -1


@jit
def simulate(start: int, stop: int, ids: Int32, sizes: Int64, state: Any) -> None:
    """Let the miniatures serve those requests that are for objects of the sample."""
    scalars, place, sampled, steps, small = state[0], state[4], state[5], state[8], state[11]
    count = 0
    for t in range(start, stop):
        sampled[count] = place[ids[t]]
        count += place[ids[t]] >= 0
    for arm in range(CLASSICAL):
        advance(arm, sampled, sizes, 0, count, scalars[SMALL], small, steps[arm])


@jit
def close(sizes: Int64, capacity: int, state: Any) -> None:
    """End a block: LIRS forgets, and the policy that leads by enough takes over."""
    scalars, numbers, losses, step, steps, rings, small_rings = (
        state[0], state[1], state[6], state[7], state[8], state[12], state[13],
    )  # fmt: skip
    if scalars[LEADER] == LIRS:
        trim(scalars[PUSHED : PUSHED + 1], step, rings[0], rings[1], state[9])
    trim(scalars[PUSHED + 1 : PUSHED + 2], steps[LIRS], small_rings[0], small_rings[1], state[11])
    leader = judge(numbers, losses, steps, scalars[LEADER])
    if leader != scalars[LEADER]:
        switch(leader, sizes, capacity, state)
    step[:5] = 0
    steps[:, :5] = 0


@jit
def run(ids: Int32, sizes: Int64, start: int, stop: int, capacity: int, state: Any, counts: Int64) -> None:
    """Serve requests ``[start, stop)``; see `unseat.tasks.cache.incumbents` for the signature."""
    block = state[0][BLOCK]
    t = start
    while t < stop:
        end = min(stop, (t // block + 1) * block)
        serve(t, end, ids, sizes, capacity, state, counts)
        simulate(t, end, ids, sizes, state)
        if end % block == 0:
            close(sizes, capacity, state)
        t = end
