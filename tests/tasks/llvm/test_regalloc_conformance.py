"""The task `regalloc` keeps the whole contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from tests.tasks.llvm.small_regalloc import SmallRegalloc

from unseat.core.learner import Learner
from unseat.core.policy import Policy
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

    def policies(self, task: Task) -> Mapping[str, Policy]:
        """One of each kind: those of one kind differ in their numbers only."""
        kinds = ("LLVM greedy", "greedy-weight", "linear-evolved", "never", "random")
        return {name: policy for name, policy in super().policies(task).items() if name in kinds}

    def learners(self, task: Task) -> Mapping[str, Learner]:
        """One of each kind."""
        return {name: one for name, one in super().learners(task).items() if name in ("linear-tuned", "linear-evolved")}

    def twin_problems(self, task: Task) -> tuple[Any, Any, int]:
        """Two programs with a module in common, which is compiled first; it asks more than twenty times, whatever one
        answers."""
        one, other = (task.load(task.instance(name)) for name in ("rounds", "shapes"))
        common = replace(one, expected=None)
        return common, replace(common, modules=(*one.modules, *other.modules)), 20


def test_built_in_instances() -> None:
    """Red: a built-in program is in two splits, or an id is there twice."""
    check_instances(RegallocTask())
