"""Which slot of a hash table does a key go to? The task `index-hash`."""

from __future__ import annotations

from unseat.tasks.index.hashes.task import HashTask


def task() -> HashTask:
    """The task `index-hash`."""
    return HashTask()
