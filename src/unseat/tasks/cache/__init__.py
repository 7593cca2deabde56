"""Which object does a full cache evict? Two task ids: `cache` for objects of one size, `cache-sized` for bytes."""

from __future__ import annotations

from unseat.tasks.cache.task import CacheTask


def task() -> CacheTask:
    """The task `cache`: equal sizes, objective miss ratio."""
    return CacheTask(sized=False)


def sized_task() -> CacheTask:
    """The task `cache-sized`: objective byte miss ratio."""
    return CacheTask(sized=True)
