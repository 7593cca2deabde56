"""One run: each question asked, checked and timed, and whatever goes wrong turned into an outcome."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from examples.tiny_task.engine import LONGEST
from examples.tiny_task.incumbents import SpinFor
from examples.tiny_task.task import SpinThenBlock
from gymnasium.spaces import Box, Discrete

from unseat import Instance, InvalidAnswer, Limits, Outcome, Policy, Question, Session, Status, UserError
from unseat.core.errors import ContractError
from unseat.core.policy import Asker, DeadlineReached
from unseat.lab.attempt import attempt

TASK = SpinThenBlock()
INSTANCE = TASK.instances()[0]
FREE = Limits()


class Answers(Session):
    """Gives one answer after the other."""

    def __init__(self, *answers: Any) -> None:
        self.answers = iter(answers)

    def decide(self, observation: Any) -> Any:
        return next(self.answers)


def test_asker_counts_and_times() -> None:
    """Red: the columns of decisions and decision times are wrong."""
    asker = Asker(Answers(0, 1, np.int64(1)), Question("?", None, Discrete(2)))
    began = time.perf_counter()
    assert [asker(None) for _ in range(3)] == [0, 1, 1]
    assert asker.decisions == 3
    assert 0 < asker.decide_s <= time.perf_counter() - began


@pytest.mark.parametrize("answer", [2, -1, 0.0, math.nan, None, "spin", [0], np.array([0, 1])])
def test_answers_outside_the_space_are_invalid(answer: Any) -> None:
    """Red: an answer outside the space reaches the engine."""
    with pytest.raises(InvalidAnswer, match="answer 1 "):
        Asker(Answers(answer), Question("?", None, Discrete(2)))(None)


@pytest.mark.parametrize("answer", [np.array([np.nan], np.float32), np.array([2], np.float32), np.array(0.5)])
def test_answers_outside_a_box_are_invalid(answer: Any) -> None:
    """Red: NaN or a number of another shape passes as a point of a box."""
    with pytest.raises(InvalidAnswer):
        Asker(Answers(answer), Question("?", None, Box(0, 1, (1,))))(None)


@pytest.mark.parametrize("answer", [math.nan, np.float64(math.nan), np.float32(math.nan)])
def test_nan_is_invalid_without_a_space(answer: Any) -> None:
    """Red: NaN is an answer where the question has no space."""
    with pytest.raises(InvalidAnswer, match="not a number"):
        Asker(Answers(answer), Question("?"))(None)


def test_asker_stops_at_the_deadline() -> None:
    """Red: a policy that answers too late goes on deciding."""
    question = Question("?", None, Discrete(2))
    with pytest.raises(DeadlineReached, match="after 1 decisions"):
        Asker(Answers(0), question, deadline=time.monotonic() - 1)(None)
    assert Asker(Answers(0), question, deadline=time.monotonic() + 1000)(None) == 0


def test_asker_names_a_policy_of_another_form() -> None:
    """Red: a compiled policy that is asked in Python fails without a word why."""
    with pytest.raises(ContractError, match="runs in another form"):
        Asker(Session(), Question("?"))(None)


class Broken(SpinThenBlock):
    """Its run raises or returns what it is given."""

    def __init__(self, what: BaseException | Outcome) -> None:
        super().__init__()
        self.what = what

    def run(self, problem: Any, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        if isinstance(self.what, BaseException):
            raise self.what
        return self.what


@pytest.mark.parametrize(
    ("what", "status", "message"),
    [
        (InvalidAnswer("bad answer"), Status.INVALID, "bad answer"),
        (DeadlineReached("too late"), Status.TIMEOUT, "too late"),
        (ValueError("oh"), Status.CRASHED, "ValueError: oh"),
        (MemoryError(), Status.CRASHED, "MemoryError"),
        (RecursionError("deep"), Status.CRASHED, "RecursionError: deep"),
        (UserError("give up"), Status.CRASHED, "UserError: give up"),
        (Outcome(math.nan), Status.INVALID, "the objective is nan"),
        (Outcome(-math.inf), Status.INVALID, "the objective is -inf, not a finite number"),
        (Outcome(3.0, Status.TIMEOUT, message="slow"), Status.TIMEOUT, "slow"),
    ],
)
def test_failures_are_outcomes(what: BaseException | Outcome, status: Status, message: str) -> None:
    """Red: a policy that fails stops the experiment, or is counted with a value of its own."""
    outcome = attempt(Broken(what), INSTANCE, SpinFor("x", 1.0), seed=0, limits=FREE)
    assert outcome.status is status
    assert message in outcome.message
    assert outcome.value == 2.0 * LONGEST
    assert outcome.wall_s > 0


def test_long_messages_are_cut() -> None:
    """Red: a policy fills the ledger with its error message."""
    outcome = attempt(Broken(ValueError("x" * 10**6)), INSTANCE, SpinFor("x", 1.0), seed=0, limits=FREE)
    assert len(outcome.message) <= 500


class Absent(SpinThenBlock):
    """Its data is not there."""

    def load(self, instance: Instance) -> Any:
        raise UserError("no such file")


def test_what_is_not_the_policys_fault_passes() -> None:
    """Red: a wrong request or Ctrl-C is counted against the policy."""
    with pytest.raises(UserError, match="no such file"):
        attempt(Absent(), INSTANCE, SpinFor("x", 1.0), seed=0, limits=FREE)
    with pytest.raises(KeyboardInterrupt):
        attempt(Broken(KeyboardInterrupt()), INSTANCE, SpinFor("x", 1.0), seed=0, limits=FREE)


def test_times_are_measured() -> None:
    """Red: the columns of wall and CPU time are empty."""
    outcome = attempt(TASK, INSTANCE, SpinFor("spin", 1e9), seed=0, limits=FREE)
    assert outcome.wall_s > 0 and outcome.cpu_s >= 0
    assert outcome.decide_s is not None and 0 < outcome.decide_s < outcome.wall_s
    assert outcome.decisions > 0


def test_content_hangs_on_data_and_not_on_suites() -> None:
    """Red: moving an instance to another suite or split loses its outcomes, or unlike data share one."""
    same = replace(INSTANCE, suites=frozenset({"full", "other"}), split="test")
    assert TASK.content(same) == TASK.content(INSTANCE)
    changes: list[dict[str, Any]] = [{"id": "x"}, {"level": 99.0}, {"facts": {"a": 1}}, {"group": "g"}]
    for change in changes:
        assert TASK.content(replace(INSTANCE, **change)) != TASK.content(INSTANCE)
