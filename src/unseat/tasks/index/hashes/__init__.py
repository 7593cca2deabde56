"""Which slot of a hash table does a key go to? The task `index-hash`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unseat.tasks.index.hashes.task import HashTask


def task() -> HashTask:
    """The task `index-hash`."""
    from unseat.tasks.index.hashes.task import HashTask

    return HashTask()
