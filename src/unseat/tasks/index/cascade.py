"""The kernel of the adversarial key set, apart from the other generators, which need no compiler."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import jit

HEAVY = 0.75
"""Share of a range's keys that fall in one of its halves."""


@jit
def _mix(state: Any) -> Any:
    """The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014)."""
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


@jit
def cascade(seed: Any, keys: NDArray[np.uint64]) -> None:
    """Write the keys in order: depth first over the halves, with the keys still to be placed on a stack."""
    first = np.empty(65, np.uint64)
    bits = np.empty(65, np.int64)
    count = np.empty(65, np.int64)
    first[0], bits[0], count[0] = 0, 64, len(keys)
    top, out, state = 1, 0, seed
    while top > 0:
        top -= 1
        low, width, m = first[top], bits[top], count[top]
        state += np.uint64(0x9E3779B97F4A7C15)
        drawn = _mix(state)
        if m == 1:
            keys[out] = low if width == 0 else low + (drawn >> np.uint64(64 - width))
            out += 1
            continue
        # Rounded by chance, for the share to hold in the mean among the last few keys too; never more than fit.
        coin, chance = drawn & np.uint64(1), np.float64(drawn >> np.uint64(11)) * 2.0**-53
        heavy = min(np.int64(HEAVY * m + chance), m)
        half = width - 1
        if half < 40:
            heavy = min(heavy, np.int64(1) << half)
            heavy = max(heavy, m - (np.int64(1) << half))
        left = heavy if coin == 0 else m - heavy
        if m - left > 0:
            first[top], bits[top], count[top] = low + (np.uint64(1) << np.uint64(half)), half, m - left
            top += 1
        if left > 0:
            first[top], bits[top], count[top] = low, half, left
            top += 1
