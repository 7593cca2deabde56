"""The conformance suite: holds a task against the contract. Public, and inherited by every plug-in.

`TaskSuite` is a pytest class; each of its checks is a function as well, which raises `ContractError` with the clause
that is broken. pytest is imported only with `TaskSuite`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unseat.core.task import Task
from unseat.testing.answers import check_answers, check_reports
from unseat.testing.causality import check_causality
from unseat.testing.environment import check_environment
from unseat.testing.fits import check_fits, check_study
from unseat.testing.process import check_killed_fit, check_other_process
from unseat.testing.questions import check_questions
from unseat.testing.runs import (
    check_baselines,
    check_bounds,
    check_deadline,
    check_determinism,
    check_failures,
    check_immutable,
    check_no_memory,
    check_problem,
)
from unseat.testing.static import check_card, check_contenders, check_instances

if TYPE_CHECKING:
    from unseat.testing.suite import TaskSuite

CHECKS = (
    check_card, check_contenders, check_instances, check_determinism, check_no_memory, check_immutable, check_problem,
    check_bounds, check_baselines, check_failures, check_deadline, check_answers, check_reports, check_questions,
    check_environment, check_other_process, check_fits, check_study, check_killed_fit,
)  # fmt: skip
"""Every check that needs nothing but the task; `check_causality` needs twin problems too."""

__all__ = [
    "CHECKS", "TaskSuite", "check_answers", "check_baselines", "check_bounds", "check_card", "check_causality",
    "check_contenders", "check_deadline", "check_determinism", "check_environment", "check_failures", "check_fits",
    "check_immutable", "check_instances", "check_killed_fit", "check_no_memory", "check_other_process",
    "check_problem", "check_questions", "check_reports", "check_study", "check_task",
]  # fmt: skip


def check_task(task: Task, twins: tuple[Any, Any, int] | None = None) -> None:
    """Hold a task against the whole contract.

    Args:
        task: The task.
        twins: Twin problems for `check_causality`, which is left out without them.

    Raises:
        ContractError: A clause is broken; the message says which, and where.
    """
    for check in CHECKS:
        check(task)
    if twins is not None:
        check_causality(task, twins)


def __getattr__(name: str) -> Any:
    if name == "TaskSuite":
        from unseat.testing.suite import TaskSuite

        return TaskSuite
    raise AttributeError(f"module 'unseat.testing' has no attribute {name!r}")
