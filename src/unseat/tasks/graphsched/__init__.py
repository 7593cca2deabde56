"""Which operators run together, cut how, in which order, and what stays in the fast memory?"""

from __future__ import annotations

from unseat.tasks.graphsched.task import GraphSchedTask


def task() -> GraphSchedTask:
    """The task `graphsched`: objective total latency under the contest's roofline rules."""
    return GraphSchedTask()
