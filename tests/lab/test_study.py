"""What a learner may touch, and what it may not."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from tests.lab.tiny import Constant, TinyTask

from unseat.core.errors import ContractError, LimitReached
from unseat.core.outcome import Limits
from unseat.core.policy import Artefact, Session, View
from unseat.lab.study import LocalStudy

Told = list[tuple[Artefact | None, dict[str, Any]]]


def study(limits: Limits | None = None, told: Told | None = None) -> LocalStudy:
    task = TinyTask()
    by_split = {split: [one for one in task.instances() if one.split == split] for split in ("train", "valid")}
    announce = None if told is None else lambda artefact, spent: told.append((artefact, spent))
    return LocalStudy(task, by_split["train"], by_split["valid"], limits or Limits(), 7, announce)


def test_only_the_studys_own_instances_are_served() -> None:
    """Red: a learner reads or runs test instances."""
    mine = study()
    policy = Constant("x", 3)
    for allowed in (mine.train[0], mine.valid[0]):
        assert len(mine.load(allowed)) == 20
        assert mine.run(allowed, policy).status == "ok"
        mine.env(allowed).close()
    hidden = TinyTask().instance("dog-0")
    renamed = replace(mine.train[0], facts=hidden.facts)
    for foreign in (hidden, renamed):
        for ask in (mine.load, mine.env, lambda one: mine.run(one, policy)):
            with pytest.raises(ContractError, match="is not of this study"):
                ask(foreign)
    assert mine.runs == 2


def test_a_study_shows_no_more_than_its_own() -> None:
    """Red: a learner reaches the task through its study, and with it every instance."""
    shown = {name: value for name, value in vars(study()).items() if not name.startswith("_")}
    assert sorted(shown) == ["dollars", "last", "limits", "runs", "seed", "tokens", "train", "valid"]


def test_runs_and_episodes_are_counted_together() -> None:
    """Red: a learner gets more runs than its limit, by the environment or otherwise."""
    mine = study(Limits(runs=3))
    mine.run(mine.train[0], Constant("x", 3))
    env = mine.env(mine.train[0])
    env.reset(seed=1)
    env.reset(seed=2)
    with pytest.raises(LimitReached, match="3 runs are spent"):
        env.reset(seed=3)
    with pytest.raises(LimitReached, match="3 runs are spent"):
        mine.run(mine.train[0], Constant("x", 3))
    env.close()
    assert mine.runs == 3


def test_runs_that_a_learner_makes_itself_are_counted() -> None:
    """Red: a fit record says that a learner needed no run, or runs are free to whoever simulates them by himself."""
    told: Told = []
    mine = study(Limits(runs=10), told)
    mine.charge(4)
    mine.charge(0)
    mine.run(mine.train[0], Constant("x", 3))
    mine.propose(Constant("x", 3))
    assert mine.spent()["runs"] == told[-1][1]["runs"] == 5
    with pytest.raises(LimitReached, match="10 runs are spent"):
        mine.charge(6)
    mine.charge(5)
    with pytest.raises(LimitReached, match="10 runs are spent"):
        mine.run(mine.train[0], Constant("x", 3))
    with pytest.raises(ContractError, match="-1 runs cannot be charged"):
        mine.charge(-1)
    assert mine.runs == 10
    with pytest.raises(LimitReached, match="s are spent"):
        study(Limits(wall_s=1e-9)).charge(1)


@pytest.mark.parametrize("limits", [Limits(wall_s=1e-9), Limits(cpu_s=1e-9)])
def test_time_is_a_limit(limits: Limits) -> None:
    """Red: a fit goes on after its time."""
    mine = study(limits)
    sum(range(1_000_000))  # some CPU time to be counted
    while mine.cpu_s() <= 1e-9:
        sum(range(1_000_000))
    with pytest.raises(LimitReached, match="are spent"):
        mine.run(mine.train[0], Constant("x", 3))


def test_a_run_that_the_limit_cut_short_tells_nothing() -> None:
    """Red: a learner is told that a policy failed, when it was the fit's own time that was up; and the fit goes on."""
    mine = study(Limits(wall_s=0.05))

    class Stopped(Constant):
        def start(self, view: View, seed: int) -> Session:
            while mine.wall_s() <= 0.05:
                pass
            raise LimitReached("the time limit was reached")

    with pytest.raises(LimitReached, match=r"0\.05 s are spent"):
        mine.run(mine.train[0], Stopped("stopped", 3))


def test_proposals_are_announced_and_the_last_one_stays() -> None:
    """Red: a fit that is killed loses its proposals."""
    told: Told = []
    mine = study(told=told)
    mine.propose(Constant("x", 1))
    mine.run(mine.train[0], Constant("x", 2))
    mine.propose(Constant("x", 2))
    assert [(artefact and artefact.config["guess"], spent["runs"]) for artefact, spent in told] == [(1, 0), (2, 1)]
    assert mine.last is not None and mine.last.config["guess"] == 2


def test_a_policy_may_not_hold_too_many_bytes() -> None:
    """Red: the limit on a policy's size is not looked at; what is no policy is taken for one."""
    mine = study(Limits(policy_bytes=5))
    with pytest.raises(ContractError, match="holds 12 bytes; the study allows 5"):
        mine.propose(Constant("x", 3))
    with pytest.raises(ContractError, match="must give a Policy, not int"):
        mine.propose(3)  # type: ignore[arg-type]
    assert mine.last is None


@pytest.mark.parametrize(
    ("limits", "paid", "message"),
    [
        (Limits(tokens=100), {"tokens": 40}, "100 tokens are spent"),
        (Limits(dollars=0.5), {"dollars": 0.2}, r"0\.5 dollars are spent"),
    ],
)
def test_tokens_and_dollars_are_limits(limits: Limits, paid: dict[str, Any], message: str) -> None:
    """Red: a fit goes on asking a model after its money is spent, or what it then finds counts."""
    told: Told = []
    mine = study(limits, told)
    mine.spend(**paid)
    mine.propose(Constant("x", 1))
    mine.spend(**paid)
    with pytest.raises(LimitReached, match=message):
        mine.spend(**paid)
    assert told[-1][1] == mine.spent(), "what a killed fit has paid is known"
    for ask in (lambda: mine.run(mine.train[0], Constant("x", 2)), lambda: mine.propose(Constant("x", 2)),
                lambda: mine.finish(Constant("x", 2)), lambda: mine.env(mine.train[0]).reset()):  # fmt: skip
        with pytest.raises(LimitReached, match=message):
            ask()
    assert mine.last is not None and mine.last.config["guess"] == 1
    [(name, amount)] = paid.items()
    assert mine.spent()[name] == pytest.approx(3 * amount)


@pytest.mark.parametrize("paid", [{"tokens": -1}, {"dollars": -0.1}, {"dollars": math.nan}, {"dollars": math.inf}])
def test_only_amounts_can_be_spent(paid: dict[str, Any]) -> None:
    """Red: a learner gets money back, or spends what no limit can be compared with."""
    with pytest.raises(ContractError, match="cannot be spent"):
        study().spend(**paid)
