"""The task keeps the whole contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from tests.tasks.serving.small_task import SMALL, SmallServing

from unseat.core.learner import Learner
from unseat.core.policy import Policy
from unseat.core.task import Task
from unseat.tasks.serving import generators
from unseat.tasks.serving.contenders import EVOLVED
from unseat.tasks.serving.engine import layout as at
from unseat.tasks.serving.policies import Fused
from unseat.tasks.serving.problem import Problem
from unseat.tasks.serving.task import ServingTask
from unseat.testing import TaskSuite, check_instances

CUT = 16
"""Requests that the twins share."""


class TestServing(TaskSuite):
    """The task on a few requests."""

    @pytest.fixture
    def task(self) -> Task:
        return SmallServing()

    def test_built_in_instances(self) -> None:
        """Red: a built-in instance is in two splits, or an id is there twice."""
        check_instances(ServingTask())

    def learners(self, task: Task) -> Mapping[str, Learner]:
        """One tuned incumbent and one evolved policy for all of them, which differ in what they search only."""
        found = super().learners(task)
        alike = {name for name in found if name.endswith("-tuned")} | EVOLVED.keys()
        return {name: one for name, one in found.items() if name not in alike - {"chunked-tuned", "learned"}}

    def twin_problems(self, task: Task) -> tuple[Any, Any, int]:
        """Both end alike in time, so that both are searched at the same rates; only the last requests differ."""
        one = generators.generate("mixed", 24, 3)
        longer, output = one.prompt.copy(), one.output.copy()
        longer[CUT:] += 4000
        output[CUT:] += 100
        other = one._replace(prompt=longer, output=output)
        return Problem(one, SMALL, 2.0), Problem(other, SMALL, 2.0), 12

    def decisions(self, task: Task, problem: Any, policy: Policy, moment: int) -> Sequence[Any] | None:
        """What has happened when the first request comes that differs, which no compiled loop can keep to itself."""
        session = policy.start(problem.view("batch"), 0)
        if not isinstance(session, Fused):
            return super().decisions(task, problem, policy, moment)
        s = problem.begin(0, 2.0)
        session.play(s)
        until = s.when[CUT, at.ARRIVAL]
        times = s.when[:, [at.FIRST, at.END, at.ADMITTED]]
        seen: list[list[float]] = np.where(times < until, times, -1.0)[:CUT].tolist()
        return seen


def test_twins_differ() -> None:
    """Red: the twins of the causality check no longer differ in what happens, so it checks nothing."""
    one, other, _ = TestServing().twin_problems(SmallServing()) or pytest.fail("there are none")
    assert one.requests.prompt[CUT] != other.requests.prompt[CUT]
