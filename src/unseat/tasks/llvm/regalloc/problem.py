"""What the register allocator's policies are told of a program, and what is measured of it besides its size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from unseat.core.policy import View
from unseat.tasks.llvm.data import builds
from unseat.tasks.llvm.engine.counting import executed
from unseat.tasks.llvm.regalloc.question import FEATURES, NOTHING

QUESTION = "evict"


@dataclass(frozen=True)
class Problem(builds.Problem):
    """What the engine runs.

    Attributes:
        instructions: Whether the instructions that the program executes are counted.
    """

    instructions: bool = False

    def view(self, deadline: float | None = None) -> View:
        """What a policy is told beforehand: what the columns are that it will see, and the row that evicts nothing."""
        return View(QUESTION, {"features": list(FEATURES), "nothing": NOTHING}, deadline=deadline)

    def measured(self, program: Path, folder: Path, deadline: float | None) -> Mapping[str, float]:
        """The instructions that it executes, where they are asked for and can be counted."""
        count = executed(program, self.given, folder, deadline) if self.instructions else None
        return {} if count is None else {"instructions": float(count)}
