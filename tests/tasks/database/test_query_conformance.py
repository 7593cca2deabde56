"""The task `query` keeps the whole contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from tests.tasks.database.small_query import SmallQuery, SmallSuite

from unseat.core.learner import Learner
from unseat.core.policy import Policy
from unseat.core.task import Instance, Task
from unseat.tasks.database.query.task import QueryTask
from unseat.testing import check_instances

LEARNERS = frozenset({"best fixed", "guarded", "random search"})
KINDS = LEARNERS | {"default", "no loop", "TF-IDF steer", "Bao", "neighbours", "uniform"}


@pytest.mark.usefixtures("cluster")
class TestQuery(SmallSuite):
    """The task on small tables."""

    fit_runs = 30

    @pytest.fixture
    def task(self) -> Task:
        made = SmallQuery()
        # As the laboratory does: compiling is on no clock.
        made.warm()
        return made

    def instances(self, task: Task) -> Sequence[Instance]:
        return [one for one in task.instances() if one.split == "test"]

    def policies(self, task: Task) -> Mapping[str, Policy]:
        """One of each kind: others differ in a number only, or in how long they read a query's text."""
        return {name: policy for name, policy in super().policies(task).items() if name in KINDS}

    def learners(self, task: Task) -> Mapping[str, Learner]:
        """One of each kind, as each is fitted in a process of its own."""
        return {name: learner for name, learner in super().learners(task).items() if name in LEARNERS}


def test_built_in_instances() -> None:
    """Red: a join graph is in two splits, or an id is there twice."""
    check_instances(QueryTask())
