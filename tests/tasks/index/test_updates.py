"""The task `index-updates` keeps the whole contract, and its exact results are exact."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.structures.ordered_maps import Reference

from unseat.core.errors import UserError
from unseat.core.outcome import Limits, Status
from unseat.core.policy import Policy, Session, View
from unseat.core.task import Task
from unseat.lab.attempt import attempt
from unseat.tasks.index.updates import UpdatesTask
from unseat.tasks.index.updates.engine import BATCH
from unseat.tasks.index.updates.mixes import MIXES
from unseat.tasks.index.updates.policies import Built
from unseat.tasks.index.updates.suites import EVERY, Source
from unseat.tasks.index.updates.workload import CODES, draw
from unseat.testing import TaskSuite, check_instances


def cubes(start: int) -> Any:
    """Keys that no line fits."""
    return np.arange(600, dtype="u8") ** 3 + np.uint64(start)


class SmallUpdates(UpdatesTask):
    """Three small sets, one a split; other processes find it by its name."""

    def __init__(self) -> None:
        names: tuple[Any, ...] = ("train", "valid", "test")
        mixes = ("insert-0", "insert-50", "E")
        super().__init__(
            [
                Source(name, name, name, EVERY, partial(cubes, at), partial(str, name), mixes, 2 * BATCH + 10)
                for at, name in enumerate(names)
            ]
        )


class Slow(Session):
    """A stranger's map: a dict, sorted for each scan."""

    def __init__(self, view: View, spoil: Callable[[Any, Any, Any], Any]) -> None:
        pairs = zip(view.facts["keys"].tolist(), view.facts["values"].tolist(), strict=True)
        self.reference, self.spoil = Reference(dict(pairs)), spoil

    def decide(self, observation: Any) -> Any:
        ops, keys, values = (array.tolist() for array in observation)
        found = [self.reference.apply(*one) for one in zip(ops, keys, values, strict=True)]
        results, done = zip(*found, strict=True)
        return self.spoil(observation, np.array(results, np.int64), np.array(done, np.bool_))


@dataclass(frozen=True)
class Stranger(Policy):
    """`Slow`, its answers spoiled."""

    spoil: Callable[[Any, Any, Any], Any]
    name: str = "stranger"

    def start(self, view: View, seed: int) -> Session:
        return Slow(view, self.spoil)


def honest(observation: Any, results: Any, done: Any) -> Any:
    return results, done


def one_wrong(observation: Any, results: Any, done: Any) -> Any:
    results[-1] += 1
    return results, done


def one_undone(observation: Any, results: Any, done: Any) -> Any:
    return results, done ^ (np.arange(len(done)) == 7)


def short(observation: Any, results: Any, done: Any) -> Any:
    return results[:-1], done[:-1]


def as_lists(observation: Any, results: Any, done: Any) -> Any:
    return results.tolist(), done.tolist()


def writing(observation: Any, results: Any, done: Any) -> Any:
    """Right for the operations that it writes over those it was given."""
    observation[0][:], results[:], done[:] = 0, 0, False
    return results, done


def raising(observation: Any, results: Any, done: Any) -> Any:
    raise RuntimeError("as it may happen")


class TestUpdates(TaskSuite):
    """Every clause, on small sets."""

    @pytest.fixture
    def task(self) -> Task:
        return SmallUpdates()

    def failures(self, task: Task) -> Mapping[str, Policy] | None:
        spoiled = (one_wrong, one_undone, short, as_lists, writing, raising)
        return {spoil.__name__: Stranger(spoil) for spoil in spoiled}


def test_built_in_instances() -> None:
    """Red: a built-in set is in two splits, or an id is there twice."""
    check_instances(UpdatesTask())


def test_a_strangers_map_is_admitted() -> None:
    """Red: the exact results, or what a session is told, are not what a plain dict makes of them."""
    task = SmallUpdates()
    for instance in task.instances():
        outcome = attempt(task, instance, Stranger(honest), seed=3, limits=Limits())
        assert outcome.status is Status.OK, outcome.message


@pytest.mark.parametrize("kind", ["u8", "i8", "f8"])
@pytest.mark.parametrize("name", MIXES)
def test_workloads_are_what_their_mix_says(name: str, kind: str) -> None:
    """Red: shares are others, keys that are held back are known before they are inserted, or a result is wrong."""
    mix = MIXES[name]
    universe = np.unique(np.random.default_rng(2).integers(-(2**40), 2**40, 3000)).astype(kind)
    universe.sort()
    workload = draw(universe, mix, 4000, seed=1)
    for operation, share in mix.shares.items():
        assert abs((workload.ops == CODES[operation]).mean() - share) < 0.03
    reference = Reference(dict(zip(workload.keys.tolist(), workload.values.tolist(), strict=True)))
    triples = zip(workload.ops.tolist(), workload.operands.tolist(), workload.arguments.tolist(), strict=True)
    wanted = [reference.apply(*one) for one in triples]
    assert list(zip(workload.results.tolist(), workload.done.tolist(), strict=True)) == wanted
    fresh = workload.done[workload.ops == CODES["insert"]]
    assert name == "deletes" or fresh[:1000].all(), "inserts are of keys that are not there"


def test_zipfian_requests_are_skewed_and_uniform_ones_are_not() -> None:
    """Red: popularity is lost, or goes with the keys' order."""
    universe = np.arange(10_000, dtype=np.uint64)
    often = {}
    for name in ("C", "insert-0"):
        asked = np.bincount(draw(universe, MIXES[name], 100_000, 5).operands.astype(np.int64), minlength=10_000)
        often[name] = asked.max() / 100_000
        assert abs(np.argsort(asked)[-200:].mean() / 10_000 - 0.5) < 0.1
    assert 0.08 < often["C"] < 0.13, "the most popular of 10,000 has 1 in 10 by Zipf's law at 0.99"
    assert often["insert-0"] < 0.001


def test_latest_requests_follow_the_inserts() -> None:
    """Red: what was just inserted is not what is read most."""
    workload = draw(np.arange(5000, dtype=np.uint64), MIXES["D"], 20_000, 4)
    inserted = set(workload.operands[workload.ops == CODES["insert"]].tolist())
    reads = workload.operands[10_000:][workload.ops[10_000:] == CODES["read"]]
    assert np.mean([key in inserted for key in reads.tolist()]) > 0.5


def test_own_keys(tmp_path: Path) -> None:
    """Red: a person's keys are not measured, or a wrong option is no clear error."""
    np.save(tmp_path / "keys.npy", np.array([5, 3, 3, -7, 11, 2**40], np.int64))
    path = str(tmp_path / "keys.npy")
    task = UpdatesTask().open(path, {"mixes": "A, insert-50", "operations": 500})
    assert [one.id for one in task.instances()] == ["keys.npy@A", "keys.npy@insert-50"]
    for instance in task.instances():
        for name in ("B+-tree", "gapped index"):
            policy = Built(name, "bplustree" if name == "B+-tree" else "gapped")
            assert attempt(task, instance, policy, seed=0, limits=Limits()).status is Status.OK
    with pytest.raises(UserError, match="no mix 'G'"):
        UpdatesTask().open(path, {"mixes": "G"})
    with pytest.raises(UserError, match="operations"):
        UpdatesTask().open(path, {"operations": 0})
    np.save(tmp_path / "one.npy", np.array([5, 5]))
    with pytest.raises(UserError, match="distinct"):
        UpdatesTask().open(str(tmp_path / "one.npy"), {})
    np.save(tmp_path / "nan.npy", np.array([5.0, np.nan]))
    with pytest.raises(UserError, match=r"nan\.npy"):
        UpdatesTask().open(str(tmp_path / "nan.npy"), {})
