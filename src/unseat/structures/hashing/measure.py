"""What is counted of a hash function on a set of keys."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unseat.structures.hashing.functions import Slots


@dataclass(frozen=True)
class Spread:
    """How keys fall into slots.

    Attributes:
        conflicts: Share of the keys that share a slot with another.
        colliding: Share of the keys that find another in their slot as they are put in one by one: what Kraska et al.
            2018 count.
        empty: Share of the slots that stay empty.
        present: Keys compared, in the mean, until a key that is there is found in its slot's list.
        absent: Keys compared for one that is not there, if it falls as the present ones do.
        absent_evenly: The same, if it falls on every slot alike.
        longest: Length of the longest list.
    """

    conflicts: float
    colliding: float
    empty: float
    present: float
    absent: float
    absent_evenly: float
    longest: int


def spread(slots: Slots, count: int) -> Spread:
    """Measure the slots of at least one key among `count`."""
    lengths = np.bincount(slots, minlength=count).astype(np.float64)
    n = len(slots)
    return Spread(
        float(lengths[lengths > 1].sum() / n),
        float((n - np.count_nonzero(lengths)) / n),
        float(np.count_nonzero(lengths == 0) / count),
        float((lengths * (lengths + 1)).sum() / 2 / n),
        float((lengths**2).sum() / n),
        n / count,
        int(lengths.max()),
    )
