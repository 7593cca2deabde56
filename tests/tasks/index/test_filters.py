"""The task `index-filter` keeps the whole contract, and its judge cannot be cheated."""

from __future__ import annotations

import runpy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from unseat.core.errors import UserError
from unseat.core.outcome import Limits, Status
from unseat.core.policy import Policy, Session, View
from unseat.core.task import Task
from unseat.lab.attempt import attempt
from unseat.structures.filters.fuse import fuse_shape
from unseat.tasks.index.filters import sets
from unseat.tasks.index.filters.problem import charge, interval
from unseat.tasks.index.filters.suites import Source
from unseat.tasks.index.filters.task import FilterTask
from unseat.testing import TaskSuite, check_instances

EVERY = frozenset({"quick", "full"})


def _pair(start: int) -> sets.Pair:
    words = [f"{'ab' if number % 7 else 'x'}{number * 37 % 1009:x}" for number in range(start, start + 400)]
    return list(dict.fromkeys(words)), [f"{number}-z" for number in range(start, start + 400)]


class SmallFilters(FilterTask):
    """Three small sets, one a split; other processes find it by its name."""

    def __init__(self) -> None:
        names: tuple[Any, ...] = ("train", "valid", "test")
        super().__init__(
            [Source(name, name, name, EVERY, lambda at=at: _pair(at), lambda name=name: name, (200,))  # type: ignore[misc]
             for at, name in enumerate(names)]
        )  # fmt: skip


@dataclass(frozen=True)
class Answers(Policy):
    """Answers with one function of the strings, and says that it holds so many bytes."""

    name: str
    mode: str
    nbytes: Any = 1

    def start(self, view: View, seed: int) -> Session:
        if self.mode == "raise at start":
            raise RuntimeError("no")
        return _Answers(self, view)


class _Answers(Session):
    def __init__(self, policy: Answers, view: View) -> None:
        self.mode, self.nbytes = policy.mode, policy.nbytes
        self.keys = set(view.facts["keys"])

    def decide(self, observation: Any) -> Any:
        told = np.array([key in self.keys for key in observation])
        if self.mode == "one too many":
            told[np.flatnonzero(~told)[:2]] = True
        if self.mode == "deny a key":
            told[np.flatnonzero(told)[:1]] = False
        if self.mode == "allow all":
            told[:] = True
        if self.mode == "numbers":
            return told.astype(np.int64)
        return told[:-1] if self.mode == "too few" else told


class TestFilters(TaskSuite):
    """The suite that every task inherits."""

    @pytest.fixture
    def task(self) -> Task:
        return SmallFilters()

    def failures(self, task: Task) -> Mapping[str, Policy]:
        modes = ("raise at start", "deny a key", "allow all", "numbers", "too few")
        return {mode: Answers("cheat", mode) for mode in modes} | {
            "claims less than nothing": Answers("cheat", "exact", -1),
            "claims no number": Answers("cheat", "exact", None),
        }

    def test_built_in_instances(self) -> None:
        """Red: a built-in set is in two splits, or an id is there twice."""
        check_instances(FilterTask())


def test_exact_answers_are_charged_what_they_say() -> None:
    """Red: the objective is not the session's bytes over the keys, or an exact answer is called invalid."""
    task = SmallFilters()
    outcome = attempt(task, task.instances()[0], Answers("exact", "exact", 100), seed=0, limits=Limits())
    assert outcome.status is Status.OK and outcome.value == 8 * 100 / 200
    assert outcome.metrics["false_positives"] == 0


def test_a_rate_above_the_target_is_charged() -> None:
    """Red: a filter is called smaller for letting more pass than was asked for, within what chance allows."""
    task = SmallFilters()
    instance = task.instances()[0]
    outcome = attempt(task, instance, Answers("high", "one too many", 100), seed=0, limits=Limits())
    asked = len(task.load(instance).asked)
    assert outcome.status is Status.OK and outcome.metrics["false_positives"] == 2 / asked > 0.01
    # Two fuse filters of log2(rate / target) bits over these 200 keys.
    added = 2 * np.log2(2 / asked / 0.01) * fuse_shape(200, 4).places / 200
    assert outcome.value == pytest.approx(outcome.metrics["bits"] + added)
    assert outcome.metrics["bits"] == 4 and outcome.metrics["bits.charged"] == pytest.approx(added)


@pytest.mark.parametrize("asked", [1200, 3361, 100_000])
def test_aiming_high_earns_nothing(asked: int) -> None:
    """Red: in the mean over samples of non-keys, a fuse filter made for more than 1% counts as smaller."""
    keys, target, counts = 6000, 0.01, np.arange(asked + 1)
    price = fuse_shape(keys, 4).places / keys
    charged = np.array([charge(count / asked, target, keys) for count in counts.tolist()])

    def mean(rate: float) -> float:
        return float(-np.log2(rate) * price + charged @ binom.pmf(counts, asked, rate))

    assert all(mean(more * target) >= mean(target) - 0.005 for more in (1.05, 1.1, 1.3, 1.75, 4, 100))
    assert charge(target, target, keys) == charge(0.0, target, keys) == 0


def test_rate_is_judged_on_strings_nobody_was_given() -> None:
    """Red: a policy is given the non-keys that it is judged by, or the three parts share strings."""
    task = FilterTask()
    for instance in (one for one in task.instances() if "quick" in one.suites):
        problem = task.load(instance)
        parts = [set(part) for part in (problem.keys, problem.others, problem.unseen, problem.asked)]
        assert sum(map(len, parts)) == len(set().union(*parts))
        assert set(problem.view().facts) == {"keys", "others", "unseen", "rate"}


def test_recorded_and_generated_sets_are_disjoint() -> None:
    """Red: a set's non-keys hold a key or a duplicate, so that the rate measured is not one of false positives."""
    for read in (*sets.READERS.values(), *(lambda name=one.name: sets.read_recorded(name) for one in sets.recorded())):
        keys, others = read()
        assert len(set(keys)) == len(keys) and len(set(others)) == len(others) > 5000
        assert not set(keys) & set(others)


def test_interval_is_clopper_pearson() -> None:
    """Red: the interval by which a rate is called too high is another one (values by R's binom.test, one-sided)."""
    assert interval(0, 100)[0] == 0 and interval(100, 100)[1] == 1
    low, high = interval(10, 1000)
    # By definition: 10 or more of 1000 have 1% probability at the low end, 10 or fewer at the high end.
    assert binom.sf(9, 1000, low) == pytest.approx(0.01) and binom.cdf(10, 1000, high) == pytest.approx(0.01)


def test_own_data(tmp_path: Path) -> None:
    """Red: a person's own files do not run, or a bad one gives no clear line."""
    keys, others = tmp_path / "keys.txt", tmp_path / "others.txt"
    keys.write_text("\n".join(f"key{number}" for number in range(300)))
    others.write_text("\n".join(f"no{number}" for number in range(300)))
    task = FilterTask().open(str(keys), {"others": str(others)})
    (instance,) = task.instances()
    policy: Any = task.contenders()["binary-fuse-4"].make()
    assert attempt(task, instance, policy, seed=0, limits=Limits()).status is Status.OK
    with pytest.raises(UserError, match="--others"):
        FilterTask().open(str(keys), {})
    with pytest.raises(UserError, match="is a key"):
        FilterTask().open(str(keys), {"others": str(keys)})
    with pytest.raises(UserError, match="cannot be read"):
        FilterTask().open(str(tmp_path / "none"), {"others": str(others)})
    others.write_bytes(b"\xff\xfe" * 200)
    with pytest.raises(UserError, match="not UTF-8"):
        FilterTask().open(str(keys), {"others": str(others)})
    for rate in (0, 1e-9):
        with pytest.raises(UserError, match="--rate"):
            FilterTask().open(str(keys), {"others": str(others), "rate": rate})


def test_benchmark_asks_for_every_non_key_once() -> None:
    """Red: the benchmark's interval counts a non-key twice, or asks a filter for what it was built on."""
    path = Path(__file__).parents[3] / "benchmarks" / "index_filter.py"
    if not path.exists():
        pytest.skip("benchmarks are not installed with the package")
    folded = runpy.run_path(str(path))["folded"]
    pair = _pair(3)
    asked: list[bytes] = []
    for fold in range(3):
        problem = folded(pair, fold, 3)
        given = {*problem.others, *problem.unseen}
        assert not given.intersection(problem.asked) and len(given) + len(problem.asked) == len(pair[1])
        asked += problem.asked
    assert sorted(asked) == sorted(one.encode() for one in pair[1])
