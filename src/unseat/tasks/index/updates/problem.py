"""One key set under one mix, and what a session is told."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.policy import View
from unseat.tasks.index.updates.mixes import MIXES
from unseat.tasks.index.updates.workload import Workload, draw

QUESTION = "apply"


@dataclass(frozen=True, eq=False)
class Problem:
    """What the engine runs.

    Attributes:
        keys: uint64, int64 or float64, ascending and distinct: those loaded and those inserted.
        mix: A name in `unseat.tasks.index.updates.mixes.MIXES`.
        operations: How many are timed.
    """

    keys: NDArray[Any]
    mix: str
    operations: int

    def workload(self, seed: int) -> Workload:
        """Entries, operations and exact results; the last ones are kept."""
        return _drawn(self, seed)

    def view(self, workload: Workload, deadline: float | None = None) -> View:
        """What a policy is told: the entries to begin with, not to be written to.

        They are views of copies, as ``.base`` gives away what can be written to.
        """
        facts = {}
        for name, array in (("keys", workload.keys), ("values", workload.values)):
            facts[name] = array.copy().view()
            facts[name].flags.writeable = False
        return View(QUESTION, facts, deadline=deadline)


@lru_cache(maxsize=2)
def _drawn(problem: Problem, seed: int) -> Workload:
    return draw(problem.keys, MIXES[problem.mix], problem.operations, seed)


def key_set(keys: NDArray[Any]) -> NDArray[Any]:
    """Keys as the updatable structures take them: distinct, of 64 bits, in an array of their own."""
    distinct = np.unique(keys)
    return distinct.astype({"u": np.uint64, "i": np.int64, "f": np.float64}[distinct.dtype.kind])
