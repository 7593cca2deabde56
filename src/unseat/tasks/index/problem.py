"""One key set under one budget, the lookups that are timed, and what a session is told."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.policy import View

QUESTION = "locate"
PASSES = 5
"""Timed passes of a run, each with lookups of its own; the median counts."""

STEP_NS = 100.0
"""What a failed run counts with for each step of a binary search: that of one whose every step waits for memory."""

Keys = NDArray[Any]
Places = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class KeySet:
    """Sorted keys of one of `unseat.structures.codes.KEY_TYPES`, or the codes of sorted texts."""

    keys: Keys

    def __post_init__(self) -> None:
        # An array of its own: a file that is mapped may change.
        if self.keys.base is not None:
            object.__setattr__(self, "keys", np.array(self.keys))

    def digest(self) -> str:
        """A hash of type and keys."""
        told = hashlib.sha256(self.keys.dtype.str.encode())
        told.update(self.keys.data)
        return told.hexdigest()


@dataclass(frozen=True, eq=False)
class Problem:
    """What the engine runs.

    Attributes:
        set: The keys.
        budget: Bytes that an index may hold besides them.
        lookups: Lookups in each pass.
    """

    set: KeySet
    budget: int
    lookups: int

    @property
    def keys(self) -> Keys:
        """The sorted keys; for the engine alone."""
        return self.set.keys

    @property
    def worst(self) -> float:
        """What a failed run counts with, in nanoseconds a lookup."""
        return STEP_NS * math.log2(len(self.keys) + 1)

    def view(self, deadline: float | None = None) -> View:
        """What a policy is told: the keys, not to be written to, and how many bytes it may hold.

        They are a view of a copy, as ``.base`` gives away what can be written to: lookups and answers come of the
        original, which no policy gets hold of.
        """
        keys = self.copied().view()
        keys.flags.writeable = False
        return View(QUESTION, {"keys": keys, "budget": self.budget}, deadline=deadline)

    def copied(self) -> Keys:
        """The keys in an array of its own."""
        return np.array(self.keys)

    def passes(self, seed: int) -> list[tuple[Keys, Places]]:
        """Queries and exact answers of each pass."""
        return drawn(self.set, self.lookups, seed)


@lru_cache(maxsize=2)
def drawn(keys: KeySet, lookups: int, seed: int) -> list[tuple[Keys, Places]]:
    """Lookups in random order, half of them of present keys, and their answers by `numpy.searchsorted`.

    The other half lies between two neighbours: anywhere from one key to the next, both drawn as the keys are. Where two
    neighbours leave no room the query is a present key too. One in a hundred lies below or above all keys, where the
    type has room for that. Each pass has others, so that no answer can be remembered.
    """
    rng = np.random.default_rng([seed, lookups])
    found = []
    for _ in range(PASSES):
        queries = keys.keys[rng.integers(0, len(keys.keys), lookups)]
        absent = rng.random(lookups) < 0.5
        queries[absent] = _between(keys.keys, rng, int(absent.sum()))
        outside = np.flatnonzero(rng.random(lookups) < 0.01)
        queries[outside] = _outside(keys.keys, rng, len(outside))
        found.append((queries, np.searchsorted(keys.keys, queries).astype(np.int64)))
    return found


def _between(keys: Keys, rng: np.random.Generator, count: int) -> Keys:
    left = rng.integers(0, max(len(keys) - 1, 1), count)
    low, high = keys[left], keys[np.minimum(left + 1, len(keys) - 1)]
    share = rng.random(count)
    if keys.dtype.kind == "f":
        # Weighted, as the difference of two large numbers may be infinite.
        mixed: Keys = np.clip((low * (1 - share) + high * share).astype(keys.dtype), low, high)
        return mixed
    unsigned = np.dtype(f"u{keys.itemsize}")
    gap = high.view(unsigned) - low.view(unsigned)
    step = np.minimum((share * gap).astype(unsigned), gap)
    between: Keys = (low.view(unsigned) + step).view(keys.dtype)
    return between


def _outside(keys: Keys, rng: np.random.Generator, count: int) -> Keys:
    info: Any = np.finfo(keys.dtype) if keys.dtype.kind == "f" else np.iinfo(keys.dtype)
    ends: Keys = np.array([info.min, info.max], keys.dtype)[rng.integers(0, 2, count)]
    return ends
