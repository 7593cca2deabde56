"""Which indexes does a workload get, within a storage budget?"""

from __future__ import annotations

from unseat.tasks.database.dbindex.task import DbIndexTask


def task() -> DbIndexTask:
    """The task `dbindex`: objective CPU time of a workload under the chosen indexes."""
    return DbIndexTask()
