"""The task `regalloc` keeps the whole contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from tests.tasks.llvm.small_regalloc import SmallRegalloc

from unseat.core.task import Instance, Task
from unseat.tasks.llvm.engine.toolchain import Toolchain
from unseat.tasks.llvm.regalloc.task import RegallocTask
from unseat.testing import TaskSuite, check_instances


@pytest.mark.usefixtures("llvm", "nothing_left")
class TestRegalloc(TaskSuite):
    """The task on small programs."""

    @pytest.fixture
    def task(self, llvm: Toolchain) -> Task:
        return SmallRegalloc()

    fit_runs = 8

    def instances(self, task: Task) -> Sequence[Instance]:
        return [task.instance(name) for name in ("rounds", "shapes")]

    def twin_problems(self, task: Task) -> tuple[Any, Any, int]:
        """Two programs with a module in common, which is compiled first; it asks more than twenty times, whatever one
        answers."""
        one, other = (task.load(task.instance(name)) for name in ("rounds", "shapes"))
        common = replace(one, expected=None)
        return common, replace(common, modules=(*one.modules, *other.modules)), 20


def test_built_in_instances() -> None:
    """Red: a built-in program is in two splits, or an id is there twice."""
    check_instances(RegallocTask())
