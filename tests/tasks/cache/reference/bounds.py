"""The fewest judged misses by trying every choice; for traces of a dozen requests."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import combinations


def fewest_misses(requests: Sequence[int], capacity: int, judged_from: int) -> int:
    """Equal sizes; the requested object must enter, any resident object may leave."""

    @cache
    def least(t: int, cached: frozenset[int]) -> int:
        if t == len(requests):
            return 0
        x = requests[t]
        if x in cached:
            return least(t + 1, cached)
        cost = int(t >= judged_from)
        if len(cached) < capacity:
            return cost + least(t + 1, cached | {x})
        return cost + min(least(t + 1, cached - {y} | {x}) for y in cached)

    return least(0, frozenset())


def fewest_missed_bytes(requests: Sequence[int], sizes: Sequence[int], capacity: int, judged_from: int) -> int:
    """Objects with sizes; on a miss anything may leave and the requested object may stay out."""

    @cache
    def least(t: int, cached: frozenset[int]) -> int:
        if t == len(requests):
            return 0
        x = requests[t]
        if x in cached:
            return least(t + 1, cached)
        cost = sizes[x] * int(t >= judged_from)
        everything = cached | {x}
        choices = (set(kept) for k in range(len(everything) + 1) for kept in combinations(sorted(everything), k))
        return cost + min(least(t + 1, frozenset(kept)) for kept in choices if sum(sizes[y] for y in kept) <= capacity)

    return least(0, frozenset())
