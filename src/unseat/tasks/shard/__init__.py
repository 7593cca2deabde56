"""Which sharding strategy does each tensor operation get?"""

from __future__ import annotations

from unseat.tasks.shard.task import ShardTask


def task() -> ShardTask:
    """The task `shard`: objective total cost under a limit of memory."""
    return ShardTask()
