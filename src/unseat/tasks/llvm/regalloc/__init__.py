"""Which live range is evicted? LLVM's greedy register allocator asks, when it has run out of registers."""

from __future__ import annotations

from unseat.tasks.llvm.regalloc.task import RegallocTask


def task() -> RegallocTask:
    """The task `regalloc`: objective bytes of machine code."""
    return RegallocTask()
