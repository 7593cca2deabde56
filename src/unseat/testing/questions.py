"""Checks of engines that ask several questions or agents."""

from __future__ import annotations

from collections.abc import Sequence

from unseat.core.errors import ContractError
from unseat.core.outcome import Status
from unseat.core.policy import Form, Policy, View
from unseat.core.task import Instance, Task
from unseat.testing import base
from unseat.testing.base import require
from unseat.testing.players import Sampler, Wrapped


def check_questions(task: Task, instances: Sequence[Instance] | None = None) -> None:
    """A policy is asked the questions that it names, as each of their agents; the task's default has the others."""
    questions = task.questions
    if len(questions) == 1 and next(iter(questions.values())).agents == 1:
        return
    instance = (base.some(task) if instances is None else instances)[0]
    for name, question in questions.items():
        if len(questions) > 1:
            require(_has_default(task, name), "a question left to nobody is answered by the task's default", name)
        if question.action is None or Form.DECIDE not in task.forms:
            continue
        asked: set[tuple[str, int]] = set()

        def watch(view: View, asked: set[tuple[str, int]] = asked) -> None:
            asked.add((view.question, view.agent))

        player = Wrapped(Sampler(question), "sampler", watch, questions=(name,))
        outcome = base.run(task, instance, player)
        require(outcome.status is Status.OK, "a policy answers the questions that it names, and no other",
                f"one that answers {name!r} on {instance.id} ends {outcome.status}: {outcome.message}")  # fmt: skip
        wanted = {(name, agent) for agent in range(question.agents)}
        require(asked == wanted, "a policy answers the questions that it names, and no other",
                f"one that answers {name!r} is asked {sorted(asked ^ wanted)} on {instance.id}")  # fmt: skip


def _has_default(task: Task, question: str) -> bool:
    try:
        return isinstance(task.default(question), Policy)
    except ContractError:
        return False
