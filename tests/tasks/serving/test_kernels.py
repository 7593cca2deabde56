"""Policies that are kernels decide as the same in Python."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from tests.tasks.serving.small_task import SmallServing

from unseat.core.jit import jit
from unseat.core.outcome import Limits
from unseat.core.policy import InvalidAnswer, Policy, Session, View
from unseat.tasks.serving import kernels
from unseat.tasks.serving.question import ROWS


@jit
def shortest(rows: Any, weight: Any) -> Any:
    """The fewest tokens first, and half of the scale for the batch."""
    out = np.zeros(rows.shape[0] + 1)
    for k in range(rows.shape[0]):
        out[k] = weight[0] * rows[k, 2]
    return out


@dataclass(frozen=True)
class Shortest(Policy):
    """As a kernel, or in Python."""

    name: str
    compiled: bool

    def start(self, view: View, seed: int) -> Session:
        return _Compiled() if self.compiled else _Python()


class _Compiled(Session):
    kernel = (shortest, (np.array([-1.0]),))


class _Python(Session):
    def decide(self, observation: Any) -> Any:
        answer = np.zeros(ROWS + 1, np.float32)
        answer[:ROWS] = -observation["requests"][:, 2]
        return answer


def test_a_kernel_is_the_same_policy_without_python() -> None:
    """Red: a compiled policy is asked otherwise than one in Python, so that its figures are of something else."""
    task = SmallServing()
    problem = task.load(next(iter(task.instances())))
    found = [task.run(problem, Shortest("same", compiled), seed=3, limits=Limits()) for compiled in (True, False)]
    assert found[0].value == pytest.approx(found[1].value)
    assert found[0].decisions == found[1].decisions


def test_a_kernel_that_answers_nonsense_is_an_error() -> None:
    """Red: scores that are no numbers order a batch."""
    task = SmallServing()
    problem = task.load(next(iter(task.instances())))
    with pytest.raises(InvalidAnswer, match="no finite number"):
        kernels.play(problem.begin(0, problem.capacity), (shortest, (np.array([np.nan]),)))
