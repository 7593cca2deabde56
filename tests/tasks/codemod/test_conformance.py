"""The task keeps the whole contract."""

from __future__ import annotations

import pytest
from tests.tasks.codemod.small import SmallCodemod

from unseat.core.task import Task
from unseat.sandbox import bubblewrap
from unseat.tasks.codemod.task import CodemodTask
from unseat.testing import TaskSuite, check_instances

pytestmark = pytest.mark.skipif(bubblewrap.found() is None, reason="no bubblewrap is installed here")


class TestCodemod(TaskSuite):
    """The task on three transforms."""

    fit_runs = 3

    @pytest.fixture
    def task(self) -> Task:
        return SmallCodemod()

    def test_built_in_instances(self) -> None:
        """Red: a transform is in two splits, or an id is there twice."""
        check_instances(CodemodTask())
