"""The task keeps the whole contract."""

from __future__ import annotations

import pytest
from tests.tasks.shard.small import SmallShard

from unseat.core.task import Task
from unseat.tasks.shard.task import ShardTask
from unseat.testing import TaskSuite, check_instances


class TestShard(TaskSuite):
    """The task on tiny models."""

    fit_runs = 3

    @pytest.fixture
    def task(self) -> Task:
        return SmallShard()

    def test_built_in_instances(self) -> None:
        """Red: a built-in model is in two splits, or an id is there twice."""
        check_instances(ShardTask())
