"""A sorted array with what was inserted and deleted since it was built.

A `State` never changes: an insertion makes another one, which shares the large array. So whoever reads one sees either
all of a change or nothing of it, without a lock.

What is pending is two sorted arrays: the keys inserted, and the places in the large array that were deleted. Of equal
keys the first ones are deleted first, so the deleted ones among equal keys always lead. Copying them for each change
costs O(d) for d pending, rebuilding once they are more than D costs O(n / D) for each: with D in proportion to
sqrt(n), a change costs O(sqrt(n)) in the mean.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import isqrt
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unseat.structures.admission import check_nan
from unseat.structures.contents import Contents
from unseat.structures.selection import Choice, plain

LEAST_PENDING = 1024
_PLAIN = plain()


def most_pending(keys: int) -> int:
    """How many changes may be pending on so many keys: where copying them costs as much as rebuilding does.

    A change copies about 8 bytes for each one pending, some 0.8 ns, and its share of a rebuild is 60 ns * keys / D.
    """
    return max(LEAST_PENDING, 8 * isqrt(keys))


@dataclass(frozen=True)
class State:
    """Keys as of one moment.

    Attributes:
        base: The large sorted array.
        choice: How it is searched.
        added: The keys inserted since, sorted.
        removed: Which of the base's places were deleted since, ascending int64.
    """

    base: Contents
    choice: Choice
    added: Contents
    removed: NDArray[np.int64]

    @classmethod
    def of(cls, base: Contents, choice: Choice) -> State:
        """Nothing pending."""
        return cls(base, choice, base.slice(0, 0), np.empty(0, np.int64))

    def __len__(self) -> int:
        return len(self.base) - len(self.removed) + len(self.added)

    @property
    def pending(self) -> int:
        """Changes since the base was built."""
        return len(self.added) + len(self.removed)

    @cached_property
    def _direct(self) -> NDArray[Any] | None:
        """The keys, where they are stored as a user sees them and nothing is pending."""
        kind = self.base.kind
        return None if kind.text or kind.stored != kind.dtype or self.pending else self.base.modelled

    def few(self, queries: Any, strict: bool) -> Any:
        """What `LearnedIndex.search` answers, where queries are few and of the keys' own type; else None.

        All that a call costs besides the search counts here, so there are no conversions and no steps in between.
        """
        keys, choice = self._direct, self.choice
        if keys is None:
            return None
        side: Literal["left", "right"] = "right" if strict else "left"
        if type(queries) is np.ndarray:
            if queries.dtype != keys.dtype or queries.ndim == 0:
                return None
            if queries.size > (choice.few_right if strict else choice.few):
                return None
            check_nan(queries)
            return keys.searchsorted(queries, side)
        native = keys.dtype.type
        if type(queries) is int and issubclass(native, np.integer):
            try:
                queries = native(queries)
            except OverflowError:
                return None
        elif not (type(queries) is native or (type(queries) is float and native is np.float64)):
            return None
        return int(keys.searchsorted(queries, side)) if queries == queries else None

    def rank(self, queries: Any, strict: bool) -> NDArray[np.int64]:
        """For each admitted query how many keys are less than it; `strict`: than it or equal to it."""
        ranks = self.base.rank(self.choice, queries, strict)
        if len(self.removed):
            before = np.empty(len(ranks), np.int64)
            _PLAIN.lower_bound(self.removed, ranks, before)
            ranks -= before
        if len(self.added):
            ranks += self.added.rank(_PLAIN, queries, strict)
        return ranks

    def inserted(self, batch: Contents) -> State:
        """With a sorted batch of keys more."""
        places = self.added.rank(_PLAIN, batch.queries(), True)
        return replace(self, added=self.added.merged(batch, places))

    def deleted(self, batch: Contents) -> tuple[State, NDArray[np.bool_]]:
        """With one key less for each of a sorted batch, and which of the batch were there."""
        queries = batch.queries()
        # The how-manieth request for the same key each one is.
        turn = np.arange(len(batch)) - batch.rank(_PLAIN, queries, False)
        first_added = self.added.rank(_PLAIN, queries, False)
        in_added = self.added.rank(_PLAIN, queries, True) - first_added
        low = self.base.rank(self.choice, queries, False)
        high = self.base.rank(self.choice, queries, True)
        gone_before = np.searchsorted(self.removed, low)
        gone = np.searchsorted(self.removed, high) - gone_before
        from_added = turn < in_added
        place = low + gone + turn - in_added
        from_base = ~from_added & (place < high)
        added = self.added.without((first_added + turn)[from_added])
        removed = np.union1d(self.removed, place[from_base])
        return replace(self, added=added, removed=removed), from_added | from_base

    def folded(self) -> Contents:
        """All keys in one array."""
        if not self.pending:
            return self.base
        kept = self.base.without(self.removed) if len(self.removed) else self.base
        return kept.merged(self.added, self._added_ranks - np.arange(len(self.added)))

    def slice(self, start: int, stop: int) -> Contents:
        """The keys of ranks `start` to before `stop`, at a cost in proportion to their number."""
        if not self.pending:
            return self.base.slice(start, stop)
        first, last = (int(i) for i in np.searchsorted(self._added_ranks, (start, stop)))
        low, high = self._place(start - first), self._place(stop - last)
        removed = self.removed[slice(*np.searchsorted(self.removed, (low, high)))]
        kept = self.base.slice(low, high)
        if len(removed):
            kept = kept.without(removed - low)
        if first == last:
            return kept
        places = self._added_ranks[first:last] - start - np.arange(last - first)
        return kept.merged(self.added.slice(first, last), places)

    @cached_property
    def _added_ranks(self) -> NDArray[np.int64]:
        """The rank among all keys of each inserted one; those equal to keys of the base come before them."""
        ranks = self.base.rank(self.choice, self.added.queries(), False)
        return ranks - np.searchsorted(self.removed, ranks) + np.arange(len(self.added))

    def _place(self, rank: int) -> int:
        """The base's place of its key of this rank among those not deleted."""
        shifted = self.removed - np.arange(len(self.removed))
        return rank + int(np.searchsorted(shifted, rank, "right"))
