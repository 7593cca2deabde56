"""What all indexes on a sorted array have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Run = Callable[..., None]
"""``run(keys, queries, out, *arrays)``: out[i] becomes the number of keys that are less than queries[i].

`keys` is the sorted array, `queries` one of the same type, `out` int64 of the queries' length. A kernel reads its
structure from the arrays, and touches nothing else.
"""


class OverBudget(Exception):
    """The structure cannot be built in so few bytes."""


@dataclass(frozen=True)
class Locator:
    """An index on one sorted array, as a kernel and the arrays it reads.

    Attributes:
        name: The structure's name.
        run: The kernel; see `Run`.
        arrays: What it reads besides the keys.
        config: How it was built, as plain JSON: model types, error bounds.
    """

    name: str
    run: Run
    arrays: tuple[NDArray[Any], ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """Bytes it holds besides the keys."""
        return sum(array.nbytes for array in self.arrays)

    def lower_bound(self, keys: NDArray[Any], queries: NDArray[Any]) -> NDArray[np.int64]:
        """For each query the number of keys less than it: `numpy.searchsorted` with ``side="left"``."""
        out = np.empty(len(queries), np.int64)
        self.run(keys, queries, out, *self.arrays)
        return out


Build = Callable[..., Locator]
"""``build(keys, budget, **parameters)``: an index on sorted keys in at most `budget` bytes, or `OverBudget`.

`keys` has at least one element. `budget` may be None for no limit.
"""
