"""How few bits tell a set's strings from others? The task `index-filter`."""

from __future__ import annotations

from unseat.tasks.index.filters.task import FilterTask


def task() -> FilterTask:
    """The task `index-filter`."""
    return FilterTask()
