"""Which rule makes these changes everywhere else, and no others?"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unseat.tasks.codemod.task import CodemodTask


def task() -> CodemodTask:
    """The task `codemod`: objective F1 on files that a learned transform has not seen."""
    from unseat.tasks.codemod.task import CodemodTask

    return CodemodTask()
