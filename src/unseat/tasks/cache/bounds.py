"""What no replacement policy can beat on the judged part of a trace.

Both bounds hold for caches that work on demand: an object enters when it is requested and misses, and for equal sizes
it *must* enter (the cache decides what to evict, not whether to admit), which is the rule of the `cache` task and of
every incumbent in it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from unseat.core.errors import UserError
from unseat.core.jit import jit
from unseat.tasks.cache.engine.dense import next_access
from unseat.tasks.cache.engine.simulate import Counts
from unseat.tasks.cache.engine.trace import Int32, Trace

Bits = npt.NDArray[Any]
_ONE = np.uint64(1)
_ALL = np.uint64(63)


def belady(trace: Trace, capacity: int, judged_from: int = 0) -> Counts:
    """Fewest possible misses among the requests from ``judged_from`` on, for objects of one size (`optimal`).

    With no warm-up this is MIN (Belady, IBM Systems Journal 5(2), 1966): evict the object whose next request is
    furthest away. With warm-up, plain MIN is not optimal: it spends places on hits that nobody counts. Here an object
    whose next request is still in the warm-up is worth nothing and is evicted first, and the rest goes by furthest
    next request.

    Why that is optimal: keeping an object from one request to its next is an open interval on the time line, worth one
    if it ends in the judged part and nothing otherwise. At each request the requested object holds one place, so at
    most ``capacity - 1`` kept intervals may pass over it, and any such choice of intervals is a schedule of evictions.
    Worthless intervals can be dropped; what is left is the largest set of intervals of which no more than
    ``capacity - 1`` overlap, and dropping the one that ends last whenever there are too many is optimal for that
    (Faigle and Nawijn, Discrete Applied Mathematics 58, 1995). A test compares it with exhaustive search.

    The intervals kept are a set of end times. A request hits exactly if its own number is in the set, and the victim
    is the set's largest member: a bitmap with two levels of summaries finds it in three word operations.

    Args:
        trace: the requests; sizes are ignored.
        capacity: objects, at least 1.
        judged_from: number of warm-up requests.

    Returns:
        Requests and misses of the judged part; the missed bytes count one per miss and the evictions are those of live
        objects, which is all that the optimum says about them.

    Raises:
        UserError: a capacity under 1.
    """
    if capacity < 1:
        raise UserError(f"{trace.name}: capacity {capacity} holds nothing; ask for at least 1")
    following = next_access(trace.ids, trace.n_objects)
    n_words = trace.n_requests // 64 + 1
    n_summaries = n_words // 64 + 1
    levels = (
        np.zeros(n_words, np.uint64),
        np.zeros(n_summaries, np.uint64),
        np.zeros(n_summaries // 64 + 1, np.uint64),
    )
    hits, evictions = _min(following, judged_from, capacity, *levels)
    requests = trace.n_requests - judged_from
    return Counts(requests, requests - hits, requests - hits, evictions)


@jit
def _highest(word: np.uint64) -> int:
    """Number of the highest bit that is set."""
    bit = 0
    for step in (32, 16, 8, 4, 2, 1):
        if word >> np.uint64(step):
            word >>= np.uint64(step)
            bit += step
    return bit


@jit
def _min(
    following: Int32, judged_from: int, capacity: int, bits: Bits, words: Bits, summaries: Bits
) -> tuple[int, int]:
    n = following.size
    kept = 0
    hits = 0
    evictions = 0
    for t in range(n):
        word = t >> 6
        mask = _ONE << np.uint64(t & 63)
        if bits[word] & mask:
            hits += 1
            kept -= 1
            bits[word] ^= mask
            if not bits[word]:
                words[word >> 6] ^= _ONE << np.uint64(word & 63)
                if not words[word >> 6]:
                    summaries[word >> 12] ^= _ONE << np.uint64((word >> 6) & 63)
        elif kept == capacity:
            top = summaries.size - 1
            while not summaries[top]:
                top -= 1
            middle = (top << 6) + _highest(summaries[top])
            word = (middle << 6) + _highest(words[middle])
            bits[word] ^= _ONE << np.uint64(_highest(bits[word]))
            if not bits[word]:
                words[middle] ^= _ONE << np.uint64(word & 63)
                if not words[middle]:
                    summaries[top] ^= _ONE << np.uint64(middle & 63)
            kept -= 1
            evictions += 1
        end = following[t]
        if judged_from <= end < n:
            kept += 1
            word = end >> 6
            bits[word] |= _ONE << np.uint64(end & 63)
            words[word >> 6] |= _ONE << np.uint64(word & 63)
            summaries[word >> 12] |= _ONE << np.uint64((word >> 6) & 63)
    return hits, evictions
