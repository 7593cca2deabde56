"""Inline this call? LLVM's inliner asks, for programs that are to be small."""

from __future__ import annotations

from unseat.tasks.llvm.inline.task import InlineTask


def task() -> InlineTask:
    """The task `inline`: objective bytes of machine code."""
    return InlineTask()
