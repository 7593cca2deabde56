"""The causality check: two problems that are equal up to a moment get equal decisions up to it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from unseat.core.policy import Form, Policy
from unseat.core.task import Task
from unseat.testing import base
from unseat.testing.base import FREE, content, require
from unseat.testing.players import Enough, Log, Sampler

Decisions = Callable[[Task, Any, Policy, int], Sequence[Any] | None]
"""Gives what a policy decided up to a moment: (task, problem, policy, moment) -> decisions, or None if it cannot."""


def watched(task: Task, problem: Any, policy: Policy, moment: int) -> Sequence[Any] | None:
    """Facts, observations and answers of the first decisions of a policy in Python; None for other forms."""
    if policy.form is not Form.DECIDE:
        return None
    log = Log(moment)
    with contextlib.suppress(Enough):
        task.run(problem, log.of(policy), seed=0, limits=FREE)
    require(len(log.answers) == moment, "twin problems are equal for as many decisions as they say",
            f"{policy.name} was asked only {len(log.answers)} times, not {moment}")  # fmt: skip
    return [log.facts, *(pair for pair in zip(log.seen, map(content, log.answers), strict=True))]


def check_causality(
    task: Task,
    twins: tuple[Any, Any, int],
    policies: Mapping[str, Policy] | None = None,
    decisions: Decisions = watched,
) -> None:
    """Decisions hang on the past only, whichever way the future might reach the policy.

    Args:
        task: The task.
        twins: Two problems and a moment: whatever the policy, its first `moment` decisions fall before the two
            problems differ.
        policies: The policies to be held against it; all that are listed if None. A policy that draws at random is
            always among them, so that the engine's observations are checked too.
        decisions: Gives the decisions of policies that are not in Python too.

    Raises:
        ContractError: A decision or an observation before the moment differs.
    """
    one, other, moment = twins
    require(content(one) != content(other), "twin problems differ after their moment", "these two are equal")
    found = dict(base.policies(task) if policies is None else policies)
    question = next(iter(task.questions.values()))
    if base.asks_python(task):
        found["a random policy"] = Sampler(question)
    for name, policy in found.items():
        first, second = (decisions(task, problem, policy, moment) for problem in (one, other))
        if first is None or second is None:
            continue
        unlike = [place for place, pair in enumerate(zip(first, second, strict=True)) if pair[0] != pair[1]]
        require(not unlike, "a decision hangs on the past only",
                f"{name} sees or decides otherwise at decision {unlike[:1]}, before the problems differ")  # fmt: skip
