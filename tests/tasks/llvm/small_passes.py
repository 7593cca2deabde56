"""The task `passes` on programs of a few functions, for checks that run it often and in other processes."""

from __future__ import annotations

import psutil
from tests.tasks.llvm.small_task import QUICK, SPLITS, program

from unseat.tasks.llvm.engine import worker
from unseat.tasks.llvm.passes.suites import Source
from unseat.tasks.llvm.passes.task import PassesTask

STEPS = 60
"""Passes of an episode."""


class SmallPasses(PassesTask):
    """Three programs; one of them is of two modules."""

    def __init__(self) -> None:
        super().__init__([Source(program(name), QUICK, STEPS) for name in SPLITS])


def workers() -> list[psutil.Process]:
    """The workers of this process that live; other tests' children may have ended without being waited for."""
    children = [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in children if str(worker.__file__) in child.cmdline()]
