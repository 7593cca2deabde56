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
    arms      the published policies at full size: all empty but the one that runs
    fresh     what their scalars begin with, and then W-TinyLFU's numbers
    small     the miniatures
    rings     what LIRS evicted at full size, and then in miniature: see `unseat.tasks.cache.engine.mixture.trim`

`run` alone unpacks the state and calls policies, for the reason that `mixture` gives.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from unseat.core.jit import jit, variable
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

advance, holds, marks, trim = mixture.advance, mixture.holds, mixture.marks, mixture.trim


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
    arms = mixture.policies(n_objects, capacity)
    fresh = (*(arm[0].copy() for arm in arms), arms[5][1].copy())
    return (
        scalars, numbers, empty_lists(n_objects, 1), np.empty(capacity, np.int32), place,
        np.empty(block, np.int32), np.zeros(CLASSICAL), np.zeros(5 + block, np.int64),
        np.zeros((CLASSICAL, 5 + block), np.int64),
        arms, fresh, mixture.policies(n_sampled, small),
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
def restore(numbers: Any, first: Any) -> None:
    """Write over numbers; in the place of a slice, which takes far longer to compile."""
    for k in range(first.shape[0]):
        numbers[k] = first[k]


@jit
def clear(arm: int, arms: Any, fresh: Any) -> None:
    """Make a policy's state that of an empty cache, at a cost of what it remembers."""
    if arm == 0:
        restore(arms[0][0], fresh[0])
        clear_queues(arms[0][1], arms[0][2], s3fifo.ABSENT)
    elif arm == 1:
        restore(arms[1][0], fresh[1])
        clear_lists(arms[1][1], arms[1][1].shape[0] - 1)
    elif arm == 2:
        x = arms[2][0][1]
        while x >= 0:
            arms[2][2][x] = 0
            x = arms[2][1][x]
        restore(arms[2][0], fresh[2])
    elif arm == 3:
        restore(arms[3][0], fresh[3])
        arms[3][1][:] = 0.0
        clear_queues(arms[3][2], arms[3][3], arc.ABSENT)
    elif arm == LIRS:
        restore(arms[4][0], fresh[4])
        clear_queues(arms[4][1], arms[4][3], 0)
        clear_lists(arms[4][2], arms[4][3].shape[0])
    else:
        restore(arms[5][0], fresh[5])
        restore(arms[5][1], fresh[6])
        arms[5][2][:] = 0
        clear_queues(arms[5][3], arms[5][4], wtinylfu.ABSENT)


@jit
def switch(arm: int, scalars: Int64, recency: Int32, contents: Int32, arms: Any, fresh: Any) -> int:
    """Name another policy to run from now on; how many objects, written to ``contents``, it has yet to be given."""
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
    return held


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
def serve(
    start: int, stop: int, ids: Int32, leader: int, recency: Int32, step: Int64, before: Int64, marked: Any,
    counts: Int64,
) -> None:  # fmt: skip
    """Let the real cache do what its policy did for requests of one block; ``before`` are its counts before them."""
    anchor = recency.shape[0] - 1
    counts[0] += stop - start
    for k in range(1, 4):
        counts[k] += step[k] - before[k]
    for t in range(start, stop):
        x = ids[t]
        if recency[anchor, 0] != x:
            if recency[x, 0] >= 0:
                unlink(recency, x)
            append(recency, anchor, x)
    for k in range(before[4], step[4]):
        y = step[5 + k]
        note(counts, y)
        if recency[y, 0] >= 0 and not holds(leader, y, marked):
            unlink(recency, y)
            recency[y, 0] = -1


@jit
def sample(start: int, stop: int, ids: Int32, place: Int32, sampled: Int32) -> int:
    """Write down those requests that are for objects of the sample; how many they are."""
    count = 0
    for t in range(start, stop):
        sampled[count] = place[ids[t]]
        count += place[ids[t]] >= 0
    return count


@jit
def run(ids: Int32, sizes: Int64, start: int, stop: int, capacity: int, state: Any, counts: Int64) -> None:
    """Serve requests ``[start, stop)``; see `unseat.tasks.cache.incumbents` for the signature."""
    (scalars, numbers, recency, contents, place, sampled, losses, step, steps, arms, fresh, small, ring,
     small_ring) = state  # fmt: skip
    marked, block = marks(arms), scalars[BLOCK]
    first = variable(0)
    t = start
    while t < stop:
        end = min(stop, (t // block + 1) * block)
        before = step[:5].copy()
        advance(scalars[LEADER], ids, sizes, t, end, capacity, arms, step)
        serve(t, end, ids, scalars[LEADER], recency, step, before, marked, counts)
        count = sample(t, end, ids, place, sampled)
        for arm in range(CLASSICAL):
            advance(arm, sampled, sizes, first, count, scalars[SMALL], small, steps[arm])
        if end % block == 0:
            if scalars[LEADER] == LIRS:
                trim(scalars[PUSHED : PUSHED + 1], step, ring[0], ring[1], arms[LIRS])
            trim(scalars[PUSHED + 1 : PUSHED + 2], steps[LIRS], small_ring[0], small_ring[1], small[LIRS])
            leader = judge(numbers, losses, steps, scalars[LEADER])
            if leader != scalars[LEADER]:
                held = switch(leader, scalars, recency, contents, arms, fresh)
                advance(leader, contents, sizes, first, held, capacity, arms, np.zeros(4, np.int64))
            step[:5] = 0
            steps[:, :5] = 0
        t = end
