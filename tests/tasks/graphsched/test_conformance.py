"""The task keeps the whole contract."""

from __future__ import annotations

import pytest
from tests.tasks.graphsched.small import SmallGraphSched

from unseat.core.task import Task
from unseat.tasks.graphsched.task import GraphSchedTask
from unseat.testing import TaskSuite, check_instances


class TestGraphSched(TaskSuite):
    """The task on tiny graphs."""

    fit_runs = 3

    @pytest.fixture
    def task(self) -> Task:
        return SmallGraphSched()

    def test_built_in_instances(self) -> None:
        """Red: a built-in graph is in two splits, or an id is there twice."""
        check_instances(GraphSchedTask())
