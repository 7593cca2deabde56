"""What the inliner's policies are told of a program; how it is built and measured is every task's (`data.builds`)."""

from __future__ import annotations

from dataclasses import dataclass

from unseat.core.policy import View
from unseat.tasks.llvm.data import builds
from unseat.tasks.llvm.data.builds import Compile, Module, Sizes
from unseat.tasks.llvm.data.programs import Program
from unseat.tasks.llvm.inline.question import told

__all__ = ["Compile", "Module", "Problem", "Sizes", "load"]


@dataclass(frozen=True)
class Problem(builds.Problem):
    """What the engine runs."""

    def view(self, number: int = 0, deadline: float | None = None) -> View:
        """What a policy is told before it is asked about a module."""
        return told(self.modules[number].bitcode if self.modules else None, deadline)


def load(program: Program, *, whole: bool) -> Problem:
    """See `builds.load`."""
    return builds.load(program, Problem, whole=whole)
