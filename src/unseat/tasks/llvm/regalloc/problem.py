"""What the register allocator's policies are told of a program, and what is measured of it besides its size."""

from __future__ import annotations

from dataclasses import dataclass

from unseat.core.policy import View
from unseat.tasks.llvm.data import builds
from unseat.tasks.llvm.regalloc.question import FEATURES, NOTHING

QUESTION = "evict"


@dataclass(frozen=True)
class Problem(builds.Problem):
    """What the engine runs."""

    def view(self, deadline: float | None = None) -> View:
        """What a policy is told beforehand: what the columns are that it will see, and the row that evicts nothing."""
        return View(QUESTION, {"features": list(FEATURES), "nothing": NOTHING}, deadline=deadline)
