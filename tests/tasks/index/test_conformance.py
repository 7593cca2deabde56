"""The task `index` against the whole contract."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from tests.tasks.index import cheats

from unseat.core.errors import ContractError
from unseat.core.learner import Bounder, Contender, Kind, Role
from unseat.core.outcome import Limits, Outcome
from unseat.core.policy import Policy
from unseat.core.task import Task
from unseat.tasks.index import IndexTask
from unseat.tasks.index import task as index_task
from unseat.tasks.index.policies import Built
from unseat.testing import TaskSuite, check_bounds, check_determinism


class TestIndex(TaskSuite):
    """Every clause, on the built-in data."""

    @pytest.fixture
    def task(self) -> Task:
        return index_task()

    def failures(self, task: Task) -> Mapping[str, Policy] | None:
        return {
            "is off by one": cheats.Playing(cheats.off_by_one),
            "raises": cheats.Playing(cheats.raising),
            "answers nothing": cheats.Playing(cheats.nothing),
            "holds too many bytes": cheats.Playing(cheats.honest, nbytes=10**9),
            "writes over the keys": cheats.Playing(cheats.writing_keys),
            "writes over the keys behind its view": cheats.Behind(),
        }


class TooHigh(Bounder):
    """A bound that everyone beats, or one that lies amid the noise."""

    name, kind = "memory floor", Kind.RELAXATION

    def __init__(self, values: Iterator[float]) -> None:
        self.values = values

    def solve(self, problem: Any, *, seed: int, limits: Limits) -> Outcome:
        return Outcome(next(self.values))


class WrongBound(IndexTask):
    """The task with a bound of another's making."""

    def __init__(self, *values: float) -> None:
        super().__init__()
        self.values = itertools.cycle(values)

    def contenders(self) -> Mapping[str, Contender]:
        return {"memory floor": Contender("memory floor", Role.BOUND, lambda: TooHigh(self.values))}


def test_a_timed_bound_is_beaten_only_by_all_of_several_runs() -> None:
    """Red: noise is taken for an error in the bound, or a bound that is wrong passes."""
    policies = {"interleaved search": Built("interleaved search", "interleaved")}
    with pytest.raises(ContractError, match="no policy beats a bound"):
        check_bounds(WrongBound(1e9), policies)
    check_bounds(WrongBound(1e9, 1e-3, 1e9), policies)


def test_equal_runs_of_a_timed_task_end_alike() -> None:
    """Red: equal times are asked of a clock, or a run that ends otherwise the second time passes."""
    check_determinism(IndexTask(), {"interleaved search": Built("interleaved search", "interleaved")})
    turns = itertools.count()
    fickle = cheats.Playing(lambda keys, queries: cheats.honest(keys, queries) if next(turns) < 8 else None)
    with pytest.raises(ContractError, match="ends invalid"):
        check_determinism(IndexTask(), {"fickle": fickle})
