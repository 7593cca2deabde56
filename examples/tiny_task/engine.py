"""The system itself: a thread that takes a contended lock again and again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

LONGEST = 200
"""The longest wait there is, in slots."""
SPIN, BLOCK = 0, 1


@dataclass(frozen=True)
class Problem:
    """How long the lock stays taken each time (int64 [acquisitions], in slots), and what blocking costs."""

    waits: NDArray[np.int64]
    block_cost: int


def serve(problem: Problem, ask: Callable[[NDArray[np.float32]], Any], pay: Callable[[float], None]) -> float:
    """Run all acquisitions; the mean cost of one, in slots.

    Each time that the lock is found taken, `ask` gets float32 [4], in units of the cost of blocking: the time spun so
    far, then the last three waits, newest first. `pay` is told of each part of the result as it is realised.
    """
    recent, total = [0, 0, 0], 0
    for wait in problem.waits.tolist():
        spun = 0
        while spun < wait:
            if ask(np.array([spun, *recent], dtype=np.float32) / np.float32(problem.block_cost)) == BLOCK:
                total += problem.block_cost
                pay(-problem.block_cost / len(problem.waits))
                break
            spun += 1
            total += 1
            pay(-1 / len(problem.waits))
        # Whoever has blocked knows how long it was asleep, so a wait is known once it is over.
        recent = [wait, *recent[:2]]
    return total / len(problem.waits)
