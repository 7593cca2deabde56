"""Which structure holds an ordered map that changes? The task `index-updates`."""

from __future__ import annotations

from unseat.tasks.index.updates.task import UpdatesTask as UpdatesTask


def task() -> UpdatesTask:
    """The task `index-updates`."""
    return UpdatesTask()
