"""The task `index-hash` keeps the whole contract, and its measures are what they are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from unseat.core.errors import UserError
from unseat.core.outcome import Limits, Status
from unseat.core.policy import Form, Policy, Session, View
from unseat.core.task import Task
from unseat.lab.attempt import attempt
from unseat.tasks.index.hashes.suites import Source, sequential
from unseat.tasks.index.hashes.task import HashTask
from unseat.testing import TaskSuite, check_instances

EVERY = frozenset({"quick", "full"})


class SmallHashes(HashTask):
    """Three small sets, one a split; other processes find it by its name."""

    def __init__(self) -> None:
        names: tuple[Any, ...] = ("train", "valid", "test")
        super().__init__(
            [Source(name, name, name, EVERY, lambda at=at: sequential(KEYS, 0.3, at), lambda name=name: name, 500)  # type: ignore[misc]
             for at, name in enumerate(names)]
        )  # fmt: skip


CALLS = [0]
KEYS = 700


def _outside(keys: NDArray[np.uint64], out: NDArray[np.int64], slots: int) -> None:
    out[:] = slots


def _below(keys: NDArray[np.uint64], out: NDArray[np.int64], slots: int) -> None:
    out[:] = -1


def _changing(keys: NDArray[np.uint64], out: NDArray[np.int64], slots: int) -> None:
    CALLS[0] += 1
    out[:] = (np.arange(len(keys)) * CALLS[0]) % slots


def _nothing(keys: NDArray[np.uint64], out: NDArray[np.int64], slots: int) -> None:
    pass


def _one_slot(keys: NDArray[np.uint64], out: NDArray[np.int64], slots: int) -> None:
    out[:] = 0


def _counting(keys: NDArray[np.uint64], out: NDArray[np.int64], slots: int) -> None:
    """A perfect function, of the keys that it puts in the place of those that it is given."""
    if len(keys) == KEYS:
        keys[:] = np.arange(KEYS)
    out[:] = keys % np.uint64(slots)


KERNELS = {
    "counting": _counting,
    "outside": _outside,
    "below": _below,
    "changing": _changing,
    "nothing": _nothing,
    "one slot": _one_slot,
}


@dataclass(frozen=True)
class Plays(Policy):
    """A kernel of the above, or no kernel."""

    form: ClassVar[Form] = Form.KERNEL
    name: str
    mode: str

    def start(self, view: View, seed: int) -> Session:
        session = Session()
        if self.mode != "no kernel":
            session.kernel = KERNELS[self.mode], ()
        return session


class TestHashes(TaskSuite):
    """The suite that every task inherits."""

    @pytest.fixture
    def task(self) -> Task:
        return SmallHashes()

    def failures(self, task: Task) -> Mapping[str, Policy]:
        modes = ("counting", "outside", "below", "changing", "nothing", "no kernel")
        return {mode: Plays("cheat", mode) for mode in modes}

    def test_built_in_instances(self) -> None:
        """Red: a built-in set is in two splits, or an id is there twice."""
        check_instances(HashTask())


def test_all_keys_in_one_slot() -> None:
    """Red: conflicts, probes or full tables are not counted where every key meets every other."""
    task = SmallHashes()
    outcome = attempt(task, task.instance("test@1"), Plays("one", "one slot"), seed=0, limits=Limits())
    assert outcome.status is Status.OK and outcome.value == 1
    assert outcome.metrics["empty"] == 1 - 1 / 700 and outcome.metrics["longest"] == 700
    assert outcome.metrics["linear.full"] == 1 or outcome.metrics["linear.present.probes"] > 100
    assert outcome.metrics["cuckoo.full"] == 1
    assert outcome.metrics["chained.absent.probes"] == 700


def test_learned_wins_on_even_keys() -> None:
    """Red: a learned function no longer spreads a counter's keys better than a random one, or does without chance."""
    task = SmallHashes()
    values = {}
    for name in ("murmur", "rmi-10%", "spline-10%"):
        policy: Any = task.contenders()[name].make()
        values[name] = attempt(task, task.instance("test@0.5"), policy, seed=0, limits=Limits()).value
    assert 0.3 < values["murmur"] < 0.5
    assert values["rmi-10%"] < values["murmur"] / 2 and values["spline-10%"] < values["murmur"] / 2


def test_own_data(tmp_path: Path) -> None:
    """Red: a person's own keys do not run, or bad ones give no clear line."""
    path = tmp_path / "keys.npy"
    np.save(path, np.arange(-500, 500, dtype=np.int64) ** 3)
    task = HashTask().open(str(path), {"load": "1"})
    (instance,) = task.instances()
    policy: Any = task.contenders()["rmi-1%"].make()
    assert attempt(task, instance, policy, seed=0, limits=Limits()).status is Status.OK
    for load in ("0", "x", "2", "0.5,0.5"):
        with pytest.raises(UserError, match="--load"):
            HashTask().open(str(path), {"load": load})
    np.save(path, np.zeros(5, np.uint64))
    with pytest.raises(UserError, match="1 distinct"):
        HashTask().open(str(path), {})
    np.save(path, np.array([1.0, np.nan]))
    with pytest.raises(UserError, match="NaN"):
        HashTask().open(str(path), {})
