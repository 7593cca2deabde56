"""Where is this key in the sorted array? The task `index`: nanoseconds a lookup at a memory budget."""

from __future__ import annotations

from unseat.tasks.index.task import IndexTask as IndexTask


def task() -> IndexTask:
    """The task `index`."""
    return IndexTask()
