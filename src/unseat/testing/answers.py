"""Checks of whole answers: scored alike whenever they are scored, and never counted after the deadline."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from unseat.core.answers import Answers
from unseat.core.outcome import Limits, Outcome, Status
from unseat.core.policy import DeadlineReached, Form, Policy, Session, View
from unseat.core.task import Instance, Task
from unseat.testing import base
from unseat.testing.base import content, good, require

WRONG = (None, "no answer at all", math.nan, ["no", "answer"])
"""What no task takes for an answer; a suite may override it."""
_WALL_S, _PATIENCE = 0.05, 10
"""Seconds of the limit where reports are checked; an engine that is slow to ask gets so many times what that takes."""


def check_answers(
    task: Task,
    policies: Mapping[str, Policy] | None = None,
    instances: Sequence[Instance] | None = None,
    wrong: Sequence[Any] = WRONG,
) -> None:
    """An answer is scored the same whenever it is scored, without whoever gave it; what is none is refused."""
    keeps = task.card.repeatability == "answer"
    if Form.ANSWERS not in task.forms:
        require(not keeps, "an answer that is stored can be scored", "the card says answer, the forms do not")
        return
    for instance in (base.some(task) if instances is None else instances)[:2]:
        problem = task.load(instance)
        before = content(problem)
        for name, policy in (base.policies(task) if policies is None else policies).items():
            outcome = good(task, instance, name, policy)
            if outcome.answer is None:
                require(not keeps, "of an `answer` task every run gives its answer", f"{name} on {instance.id}")
                continue
            again = _scored(task, instance, outcome.answer)
            require(again.value == outcome.value, "an answer is scored the same, always",
                    f"that of {name} on {instance.id} is worth {outcome.value!r}, then {again.value!r}")  # fmt: skip
        for answer in wrong:
            status = _scored(task, instance, answer).status
            require(status is not Status.OK, "what is no answer is refused", f"{answer!r} ends {status}")
        require(content(problem) == before, "scoring never changes the problem", instance.id)


def check_reports(task: Task, instances: Sequence[Instance] | None = None) -> None:
    """At the deadline the last valid report counts, and nothing that came later."""
    if not {Form.ANSWERS, Form.DECIDE} <= task.forms:
        return
    instance = (base.some(task) if instances is None else instances)[0]
    runs = (good(task, instance, name, policy) for name, policy in base.policies(task).items())
    found = next((outcome for outcome in runs if outcome.answer is not None), None)
    if found is None:
        return
    space = next(iter(task.questions.values())).action
    # What ends a run is the deadline, and not that the whole answer is no answer to the question.
    action = found.answer if space is None or space.contains(found.answer) else space.sample()
    watch = Stopwatch()
    base.run(task, instance, watch)
    wall_s = max([_WALL_S, *(_PATIENCE * second for second in watch.seconds)])
    for early in (True, False):
        player = Publisher(found.answer, action, early, wall_s)
        outcome = base.run(task, instance, player, limits=Limits(wall_s=wall_s))
        require(None not in player.deadlines, "a session is told its deadline", f"{instance.id}: the view has none")
        late = [second for second, _ in outcome.progress if second > wall_s]
        require(not late, "a report never counts after the deadline", f"one of second {late[:1]} on {instance.id}")
        ended = (outcome.status, outcome.value)
        if early:
            require(ended == (Status.OK, found.value), "at the deadline the last valid report counts",
                    f"a good one on {instance.id} ends {outcome.status} {outcome.value!r}")  # fmt: skip
        else:
            require(outcome.status is Status.TIMEOUT, "a report never counts after the deadline",
                    f"a policy that reports too late ends {outcome.status}")  # fmt: skip


def _scored(task: Task, instance: Instance, answer: Any) -> Outcome:
    """An answer scored as a replay does it: saved, restored, and run as a solution file."""
    policy = Answers("stored", {instance.id: answer}).artefact.restore()
    return base.run(task, instance, policy)


@dataclass(frozen=True)
class Stopwatch(Policy):
    """Ends the run at the first question.

    Attributes:
        seconds: How long that took to come.
    """

    seconds: list[float] = field(default_factory=list)
    name: str = "stopwatch"

    def start(self, view: View, seed: int) -> Session:
        return _Stopwatch(self)


class _Stopwatch(Session):
    def __init__(self, policy: Stopwatch) -> None:
        self.policy, self.began = policy, time.monotonic()

    def decide(self, observation: Any) -> Any:
        self.policy.seconds.append(time.monotonic() - self.began)
        raise DeadlineReached("asked")


@dataclass(frozen=True)
class Publisher(Policy):
    """Reports a good answer and a wrong one in time, or none; and the good one once more when it is too late.

    Attributes:
        answer: The good answer.
        action: What it answers when it is asked.
        early: Whether the good answer comes in time.
        wall_s: The time limit.
        deadlines: Those that its sessions were told.
    """

    answer: Any
    action: Any
    early: bool
    wall_s: float
    deadlines: list[float | None] = field(default_factory=list)
    name: str = "publisher"

    def start(self, view: View, seed: int) -> Session:
        self.deadlines.append(view.deadline)
        return _Publisher(self, view)


class _Publisher(Session):
    def __init__(self, policy: Publisher, view: View) -> None:
        self.policy, self.view, self.until = policy, view, time.monotonic() + 1.5 * policy.wall_s

    def decide(self, observation: Any) -> Any:
        if self.policy.early:
            self.view.report(self.policy.answer)
            self.view.report(WRONG[1])
        while time.monotonic() <= self.until:
            pass
        self.view.report(WRONG[1] if self.policy.early else self.policy.answer)
        return self.policy.action
