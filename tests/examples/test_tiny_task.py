"""The example that the documentation shows keeps the whole contract, as any plug-in is held against it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from examples.tiny_task.engine import LONGEST
from examples.tiny_task.task import SpinThenBlock

from unseat import Task
from unseat.testing import TaskSuite


class TestTinyTask(TaskSuite):
    """Whoever starts from the example starts from a task that conforms."""

    @pytest.fixture
    def task(self) -> Task:
        return SpinThenBlock()

    def twin_problems(self, task: Task) -> tuple[Any, Any, int]:
        """Half of the acquisitions are the same, and each asks at least once."""
        problem = task.load(task.instances()[0])
        moment = len(problem.waits) // 2
        waits = np.concatenate([problem.waits[:moment], LONGEST - problem.waits[moment:]])
        return problem, replace(problem, waits=waits), moment
