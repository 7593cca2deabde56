"""The task keeps the whole contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from tests.tasks.schedule.small_task import SmallSchedule

from unseat.core.policy import Policy
from unseat.core.task import Task
from unseat.tasks.schedule import generators
from unseat.tasks.schedule.engine.graphs import Arrivals
from unseat.tasks.schedule.engine.memory import Machines, logged
from unseat.tasks.schedule.policies import Fused
from unseat.tasks.schedule.problem import Problem
from unseat.tasks.schedule.task import ScheduleTask
from unseat.testing import TaskSuite, check_instances


class TestSchedule(TaskSuite):
    """The task on small workloads."""

    @pytest.fixture
    def task(self) -> Task:
        return SmallSchedule()

    def test_built_in_instances(self) -> None:
        """Red: a built-in workload is in two splits, or an id is there twice."""
        check_instances(ScheduleTask())

    def twin_problems(self, task: Task) -> tuple[Any, Any, int]:
        graphs = tuple(generators.generate(seed, 5.0) for seed in range(4))
        common = Arrivals(graphs, (0, 1, 2), (0, 2_000, 60_000))
        other = replace(common, jobs=(0, 1, 3), at_ms=(0, 2_000, 61_000))
        return Problem(common, Machines((8,))), Problem(other, Machines((8,))), 8

    def decisions(self, task: Task, problem: Any, policy: Policy, moment: int) -> Sequence[Any] | None:
        """What ran before the problems differ, which no compiled loop can keep to itself."""
        session = policy.start(problem.view(), 0)
        if not isinstance(session, Fused):
            return super().decisions(task, problem, policy, moment)
        m = problem.cluster.begin(0, log=True)
        session.play(m, problem.cluster)
        return [row for row in logged(m).tolist() if row[3] < 60_000]
