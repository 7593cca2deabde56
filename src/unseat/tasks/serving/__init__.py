"""Which requests run in the next batch of a language model's server, and which replica does a request go to?"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unseat.tasks.serving.task import ServingTask


def task() -> ServingTask:
    """The task `serving`: objective goodput under objectives of time to first token and of time per token."""
    from unseat.tasks.serving.task import ServingTask

    return ServingTask()
