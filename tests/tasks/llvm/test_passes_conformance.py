"""The task `passes` keeps the whole contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from tests.tasks.llvm.small_passes import SmallPasses

from unseat.core.policy import Policy
from unseat.core.task import Instance, Task
from unseat.tasks.llvm.engine.toolchain import Toolchain
from unseat.tasks.llvm.passes.actions import LEVELS
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

    def policies(self, task: Task) -> Mapping[str, Policy]:
        """One of each kind: the levels differ in a name only."""
        alike = {*LEVELS, "climb"} - {"-Oz"}
        return {name: policy for name, policy in super().policies(task).items() if name not in alike}


def test_built_in_instances() -> None:
    """Red: a built-in program is in two splits, or an id is there twice."""
    check_instances(PassesTask())
