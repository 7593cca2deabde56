"""Programs that score stages: what a sandbox hands back is done again outside, and is the run."""

from __future__ import annotations

import numpy as np
import pytest

from unseat.core.outcome import Limits
from unseat.core.policy import InvalidAnswer
from unseat.sandbox.programs import machine_code
from unseat.tasks.schedule import generators
from unseat.tasks.schedule.challengers.programs import SEED, offer, replay, share
from unseat.tasks.schedule.engine.memory import Machines
from unseat.tasks.schedule.engine.programs import chosen_by
from unseat.tasks.schedule.policies import RuleOf
from unseat.tasks.schedule.problem import Problem
from unseat.tasks.schedule.task import ScheduleTask

GRAPHS = tuple(generators.generate(number, 2.0) for number in range(3))
PROBLEM = Problem(generators.batch(GRAPHS, 6, 0), Machines((4,)))


def actions(source: str) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
    code = offer().compiled(source)
    return chosen_by(code.code, code.constants, {"x": share(PROBLEM)})["x"]


def test_a_replay_is_the_run() -> None:
    """Red: the scorer outside measures something else than the policy's own run, or the start is a poor one."""
    made = offer()
    run = ScheduleTask().run(PROBLEM, made.policy("start", made.start), seed=SEED, limits=Limits())
    assert replay(PROBLEM, actions(made.start)) == run.value
    fifo = ScheduleTask().run(PROBLEM, RuleOf("FIFO", "FIFO"), seed=SEED, limits=Limits())
    assert run.value < fifo.value
    contrary = made.start.replace("0 - log", "log")
    assert replay(PROBLEM, actions(contrary)) > run.value


def test_actions_that_are_none_are_refused() -> None:
    """Red: too few or too many actions, one that is no candidate, or something else, is scored."""
    good = actions(offer().start)
    for wrong in (
        good[:-1],
        np.append(good, np.int8(0)),
        np.full_like(good, 63),
        -good - 1,
        good.astype(np.int64),
        None,
    ):
        with pytest.raises(InvalidAnswer):
            replay(PROBLEM, wrong)


def test_an_elite_decides_the_same() -> None:
    """Red: a program that Numba compiled gives executors to other stages than its instructions."""
    made = offer()
    source = made.start.replace("0 - log_work_left", "math.tanh(log_work_left) * 3 - log_work_left")
    assert made.elite is not None
    assert np.array_equal(made.elite(machine_code(source, tuple(made.arguments)), PROBLEM), actions(source))
