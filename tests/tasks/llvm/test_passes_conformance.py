"""The task `passes` keeps the whole contract."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.tasks.llvm.small_passes import SmallPasses

from unseat.core.task import Instance, Task
from unseat.tasks.llvm.engine.toolchain import Toolchain
from unseat.tasks.llvm.passes.task import PassesTask
from unseat.testing import TaskSuite, check_instances


@pytest.mark.usefixtures("llvm", "nothing_left")
class TestPasses(TaskSuite):
    """The task on small programs."""

    @pytest.fixture
    def task(self, llvm: Toolchain) -> Task:
        return SmallPasses()

    fit_runs = 8

    def instances(self, task: Task) -> Sequence[Instance]:
        return [task.instance("adder")]


def test_built_in_instances() -> None:
    """Red: a built-in program is in two splits, or an id is there twice."""
    check_instances(PassesTask())
