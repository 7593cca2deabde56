"""Inline this call? LLVM's inliner asks, for programs that are to be small."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unseat.tasks.llvm.inline.task import InlineTask


def inline_task() -> InlineTask:
    """The task `inline`: objective bytes of machine code."""
    # Here, since `unseat-clang` imports this package for every source of a build; and not called `task`, as it would be
    # hidden by the module of that name from the second time on.
    from unseat.tasks.llvm.inline.task import InlineTask

    return InlineTask()
