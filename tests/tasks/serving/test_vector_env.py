"""Clusters that are stepped together, and the pictures of runs."""

from __future__ import annotations

import numpy as np
import pytest
from tests.tasks.serving.small_task import SmallServing

from unseat.core.errors import UserError
from unseat.tasks.serving.engine import layout as at
from unseat.tasks.serving.engine import play as of
from unseat.tasks.serving.policies import RuleOf


@pytest.mark.parametrize("question", ["route", "admit"])
def test_an_episode_is_the_run_with_the_same_answers(question: str) -> None:
    """Red: the environment pauses at other moments than the engine asks, or its rewards are not what was missed."""
    task = SmallServing()
    env = task.vector_env(list(task.instances())[:3], question)
    seen, _ = env.reset(seed=[5, 6, 7])
    paid, ended, turn = np.zeros(3), np.zeros(3, bool), np.zeros(3, int)
    outcomes: list[float] = [0.0] * 3
    while not ended.all():
        # Requests go to the replicas in turn, as round robin has them; or all are taken.
        action = turn % 2 if question == "route" else np.ones(3, int)
        assert seen["action_mask"].shape[0] == 3
        seen, rewards, done, _, info = env.step(action)
        paid, turn = paid + np.where(ended, 0.0, rewards), np.where(done, 0, turn + 1)
        for run in np.flatnonzero(done & ~ended).tolist():
            outcomes[run] = float(info["outcome"][run].value)
        ended |= done
    settings = {"router": of.ROUND_ROBIN} if question == "route" else {}
    for number, instance in enumerate(list(task.instances())[:3]):
        problem = task.load(instance)
        s = problem.begin(5 + number, problem.capacity)
        RuleOf("same", settings).play(s)
        missed = float(s.g[at.MISSED]) / len(s.when)
        assert outcomes[number] == pytest.approx(1 - missed)
        assert paid[number] == pytest.approx(-missed)


def test_other_questions_are_refused() -> None:
    """Red: who asks for a native environment of another question gets nonsense or a trace, not a line."""
    with pytest.raises(UserError, match="route or admit, not 'batch'"):
        SmallServing().vector_env([], "batch")


def test_pictures_of_a_run() -> None:
    """Red: the page of the task has no pictures, or they do not show both policies and what is promised."""
    task = SmallServing()
    one, two = RuleOf("one", {}), task.default("batch")
    drawn = task.figures(next(iter(task.instances())), {"one": one, "two": two}, 0)
    assert list(drawn) == ["On time, by rate", "Latencies"]
    for figure in drawn.values():
        assert {line.get_label() for line in figure.axes[0].lines} >= {"one", "two"}
