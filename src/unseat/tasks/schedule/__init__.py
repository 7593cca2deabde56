"""Which stage of which job gets the free executors, and how many may the job hold?"""

from __future__ import annotations

from unseat.tasks.schedule.task import ScheduleTask


def task() -> ScheduleTask:
    """The task `schedule`: objective mean completion time of jobs."""
    return ScheduleTask()
