"""Which passes, in which order? LLVM's middle end, for programs that are to be small."""

from __future__ import annotations

from unseat.tasks.llvm.passes.task import PassesTask


def task() -> PassesTask:
    """The task `passes`: objective bytes of machine code."""
    return PassesTask()
