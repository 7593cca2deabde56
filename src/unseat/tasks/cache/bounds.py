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
from unseat.core.jit import inlined, jit
from unseat.tasks.cache.engine.dense import next_access
from unseat.tasks.cache.engine.simulate import Counts
from unseat.tasks.cache.engine.trace import Int32, Int64, Trace

Bits = npt.NDArray[Any]
Float64 = npt.NDArray[np.float64]
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
    hits, evictions = _hits(trace, capacity, judged_from, 1)
    requests = trace.n_requests - judged_from
    misses = requests - int(hits.sum())
    return Counts(requests, misses, misses, evictions)


def belady_over_time(trace: Trace, capacity: int, judged_from: int, windows: int) -> Int64:
    """The misses of `belady` in equal, consecutive stretches of the judged part (``int64[windows]``).

    Stretch w begins at the first request t with ``(t - judged_from) * windows // (n - judged_from) == w``.
    """
    stretch = np.arange(trace.n_requests - judged_from) * windows // max(1, trace.n_requests - judged_from)
    return np.bincount(stretch, minlength=windows) - _hits(trace, capacity, judged_from, windows)[0]


def _hits(trace: Trace, capacity: int, judged_from: int, windows: int) -> tuple[Int64, int]:
    if capacity < 1:
        raise UserError(f"{trace.name}: capacity {capacity} holds nothing; ask for at least 1")
    following = next_access(trace.ids, trace.n_objects)
    bits, words, summaries = (np.zeros(n_words, np.uint64) for n_words in _level_words(trace.n_requests))
    hits = np.zeros(windows, np.int64)
    return hits, int(_min(following, judged_from, capacity, bits, words, summaries, hits))


def _level_words(n_requests: int) -> tuple[int, int, int]:
    """Words of the bitmap and of its two summaries."""
    n_words = n_requests // 64 + 1
    n_summaries = n_words // 64 + 1
    return n_words, n_summaries, n_summaries // 64 + 1


def belady_bytes(n_requests: int, n_objects: int) -> int:
    """Bytes in the arrays that `belady` makes beside the trace's: next accesses, and the larger of what finding them
    and running take."""
    return 4 * n_requests + max(4 * n_objects, 8 * sum(_level_words(n_requests)))


@inlined
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
    following: Int32, judged_from: int, capacity: int, bits: Bits, words: Bits, summaries: Bits, hits: Int64
) -> int:
    n = following.size
    kept = 0
    evictions = 0
    for t in range(n):
        word = t >> 6
        mask = _ONE << np.uint64(t & 63)
        if bits[word] & mask:
            hits[(t - judged_from) * hits.size // (n - judged_from)] += 1
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
    return evictions


def flow_relaxation(
    trace: Trace, capacity: int, judged_from: int = 0, *, segments: int = 1024, steps: int = 200
) -> int:
    """A number of bytes that every policy misses among the requests from ``judged_from`` on (`relaxation`).

    The relaxation is that of Berger, Beckmann and Harchol-Balter, "Practical Bounds on Optimal Caching with Variable
    Object Sizes", SIGMETRICS 2018, with bytes as the objective. An object's stay from one request to its next, at
    ``e``, saves its size in bytes if ``e`` is judged and it was kept throughout; in each gap between two requests the
    kept objects fit the capacity. Two things are relaxed: an object may be kept in part, and the capacity need hold
    only under prices. With any prices ``p >= 0`` for a byte in a gap, no policy saves more than::

        sum over gaps of p * capacity  +  sum over stays of max(0, size - size * (p summed over the stay's gaps))

    since the first sum bounds what a policy's stays pay and the second what they save beyond that (weak duality). One
    price for all gaps, chosen well, is the paper's PFOO-L: the shortest stays first until space times time is used up.
    From there a subgradient search over ``segments`` stretches of gaps, each with its own price, raises prices where
    the chosen stays are more than fit and lowers them where space is left; every price vector gives a bound, the best
    is kept.

    Warm-up: only gaps from the judged part are priced, so what a policy holds when the judged part begins is charged
    from that moment on, and stays that end in the warm-up are worth nothing and leave out. An object larger than the
    capacity misses always.

    Args:
        trace: the requests, with sizes.
        capacity: bytes, at least 1.
        judged_from: number of warm-up requests.
        segments: stretches of the judged part with a price of their own.
        steps: subgradient steps; 0 is PFOO-L.

    Returns:
        Missed bytes, rounded up; float sums are given a relative slack of 1e-9 on the safe side.

    Raises:
        UserError: a capacity under 1, or a trace without sizes.
    """
    if capacity < 1:
        raise UserError(f"{trace.name}: capacity {capacity} holds nothing; ask for at least 1")
    if trace.sizes is None:
        raise UserError(f"{trace.name}: a bound on missed bytes needs object sizes and the trace has none")
    requested = int(trace.sizes[trace.ids[judged_from:]].sum())
    starts, ends, sizes = _stays(trace, capacity, judged_from)
    n_gaps = trace.n_requests - judged_from
    if not starts.size:
        return requested
    segments = min(segments, n_gaps)
    edges = np.linspace(0, n_gaps, segments + 1).astype(np.int64)
    widths = np.diff(edges).astype(np.float64)
    prices = np.full(segments, _one_price(starts, ends, sizes, capacity * n_gaps))
    of_gap = np.repeat(np.arange(segments), np.diff(edges))
    room = capacity * widths
    best = float(sizes.sum())  # all prices zero: every stay is kept, what is left are first requests
    for step in range(steps + 1):
        part = np.zeros(segments)
        whole = np.zeros(segments + 1)
        paid = np.concatenate(([0.0], np.cumsum(prices * widths)))
        kept = _surplus(starts, ends, sizes, edges, of_gap, paid, prices, part, whole)
        best = min(best, float(prices @ room) + kept)
        usage = part + np.cumsum(whole)[:-1] * widths
        # multiplicative steps: prices differ by orders of magnitude along a trace
        prices = np.clip(prices * np.exp((usage - room) / np.maximum(usage, room) * 0.5 / (1 + step) ** 0.5), 1e-300, 1)
    return max(0, int(np.ceil(requested - best - 1e-9 * requested)))


def _stays(trace: Trace, capacity: int, judged_from: int) -> tuple[Int64, Int64, Int64]:
    """Stays that can save judged bytes: first and last gap (half open, counted from ``judged_from``) and bytes."""
    assert trace.sizes is not None
    following = next_access(trace.ids, trace.n_objects)
    sizes = trace.sizes[trace.ids]
    useful = np.flatnonzero((following >= judged_from) & (following < trace.n_requests) & (sizes <= capacity))
    starts = np.maximum(useful + 1 - judged_from, 0)  # the gap before request t has number t - judged_from
    return starts, following[useful].astype(np.int64) + 1 - judged_from, sizes[useful]


def _one_price(starts: Int64, ends: Int64, sizes: Int64, space: int) -> float:
    """PFOO-L's price: that of the first stay, shortest first, with which space times time is used up."""
    length = ends - starts
    order = np.argsort(length, kind="stable")
    used = np.cumsum((length * sizes)[order].astype(np.float64))
    over = int(np.searchsorted(used, float(space), side="right"))
    if over == order.size:
        return 0.1 / float(length.max())  # all fit together: nearly free, but not zero, which no step could leave
    return 1.0 / float(length[order[over]])


@jit
def _surplus(
    starts: Int64,
    ends: Int64,
    sizes: Int64,
    edges: Int64,
    of_gap: Int64,
    paid: Float64,
    prices: Float64,
    part: Float64,
    whole: Float64,
) -> float:
    """What the stays that pay off save beyond what they pay.

    ``part`` receives their bytes times gaps in the segments where they begin and end, ``whole`` the change, from one
    segment to the next, of the bytes that pass through from end to end.
    """
    kept = 0.0
    for i in range(starts.size):
        first = of_gap[starts[i]]
        last = of_gap[ends[i] - 1]
        price = paid[last] + (ends[i] - edges[last]) * prices[last]
        price -= paid[first] + (starts[i] - edges[first]) * prices[first]
        if price >= 1.0:
            continue
        size = float(sizes[i])
        kept += size * (1.0 - price)
        if first == last:
            part[first] += size * (ends[i] - starts[i])
        else:
            part[first] += size * (edges[first + 1] - starts[i])
            part[last] += size * (ends[i] - edges[last])
            whole[first + 1] += size
            whole[last] -= size
    return kept


def independent_reference(trace: Trace, capacity: int, judged_from: int = 0) -> int:
    """Judged misses of the best fixed set of objects, chosen in hindsight (`best known`, no bound).

    If requests were drawn independently from fixed probabilities, keeping the most popular objects would be optimal
    (A0; Aho, Denning and Ullman, JACM 18(1), 1971). How far a trace's policies get below this number says how much of
    its hits come from order rather than popularity. ``capacity - 1`` objects with the most judged requests are kept;
    an object of the set that the warm-up did not bring in misses once; the last place serves all others and is
    counted without hits.
    """
    counts = np.bincount(trace.ids[judged_from:], minlength=trace.n_objects)
    most = np.argsort(-counts, kind="stable")[: max(0, capacity - 1)]
    seen = np.zeros(trace.n_objects, np.bool_)
    seen[trace.ids[:judged_from]] = True
    hits = int(counts[most].sum()) - int(np.count_nonzero(~seen[most] & (counts[most] > 0)))
    return trace.n_requests - judged_from - hits
