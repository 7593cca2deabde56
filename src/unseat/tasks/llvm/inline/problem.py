"""What the inliner's policies are told of a program; how it is built and measured is every task's (`data.builds`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from unseat.core.policy import View
from unseat.tasks.llvm.data import builds
from unseat.tasks.llvm.data.builds import Compile, Module, Sizes
from unseat.tasks.llvm.data.programs import Program
from unseat.tasks.llvm.inline.question import FEATURES

__all__ = ["QUESTION", "Compile", "Module", "Problem", "Sizes", "load"]

QUESTION = "inline"


@dataclass(frozen=True)
class Problem(builds.Problem):
    """What the engine runs."""

    def view(self, number: int = 0, deadline: float | None = None) -> View:
        """What a policy is told beforehand: the module that is compiled, and what the numbers are that it will see."""
        facts: dict[str, Any] = {"features": list(FEATURES)}
        if self.modules:
            facts["module"] = self.modules[number].bitcode
        return View(QUESTION, facts, deadline=deadline)


def load(program: Program, *, whole: bool) -> Problem:
    """See `builds.load`."""
    return builds.load(program, Problem, whole=whole)
