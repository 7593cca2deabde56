"""Shortest remaining processing time first on one machine, a relaxation that bounds of several tasks stand on.

No other schedule of one machine, preemptive ones among them, has completed more jobs at any moment (L. Schrage,
Operations Research 16, 1968; D. R. Smith, Operations Research 26, 1978), so its completion times, put in order, and
their mean are the least.
"""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]


def srpt(arrivals: Float64, lengths: Float64) -> Float64:
    """Completion times, ascending, of shortest remaining processing time first on one machine.

    Args:
        arrivals: float64 [n], ascending.
        lengths: float64 [n], above zero.
    """
    waiting: list[float] = []
    ends, now, following = [], 0.0, 0
    while waiting or following < len(arrivals):
        if not waiting:
            now = max(now, arrivals[following])
        while following < len(arrivals) and arrivals[following] <= now:
            heapq.heappush(waiting, float(lengths[following]))
            following += 1
        left = heapq.heappop(waiting)
        until = arrivals[following] if following < len(arrivals) else np.inf
        if now + left <= until:
            now += left
            ends.append(now)
        else:
            heapq.heappush(waiting, left - (until - now))
            now = until
    return np.array(ends)
