"""The example of whole answers keeps the whole contract, as any plug-in is held against it."""

from __future__ import annotations

import pytest
from examples.tiny_answers.task import MachineScheduling

from unseat import Task
from unseat.testing import TaskSuite


class TestTinyAnswers(TaskSuite):
    """Whoever starts from the example starts from a task that conforms."""

    @pytest.fixture
    def task(self) -> Task:
        return MachineScheduling()
