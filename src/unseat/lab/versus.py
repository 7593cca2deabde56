"""Policies that are no contenders of a task, such as one that was just found, against each other on its instances."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from unseat.core.learner import Role
from unseat.core.outcome import Limits
from unseat.core.policy import Policy
from unseat.core.task import Instance, Task
from unseat.lab.attempt import attempt
from unseat.lab.records import Comparison, Run
from unseat.lab.statistics import compare


def measured(
    task: Task, policies: Mapping[str, Policy], instances: Sequence[Instance], *, seed: int = 0,
    progress: Callable[[str, int, int], None] | None = None,
) -> dict[str, list[Run]]:  # fmt: skip
    """Run policies on instances, in this process; nothing is kept in a ledger.

    Args:
        task: The task; not a timed one.
        policies: By name.
        instances: What they are judged on.
        seed: Of the runs.
        progress: Told of the instances that are done.

    Returns:
        By name, a run for each instance.
    """
    runs: dict[str, list[Run]] = {name: [] for name in policies}
    for done, one in enumerate(instances):
        for name, policy in policies.items():
            outcome = attempt(task, one, policy, seed=seed, limits=Limits())
            runs[name].append(Run("", task.card.full_id, name, Role.CHALLENGER, one.id, one.group, one.split, one.level,
                                  one.series or one.id, one.weight, seed, outcome, None, {}, {}))  # fmt: skip
        if progress:
            progress("judging", done + 1, len(instances))
    return runs


def against(task: Task, runs: Mapping[str, list[Run]], name: str) -> list[Comparison]:
    """One of them against each of the others, paired by instance."""
    others = [other for other in runs if other != name]
    return [compare(runs[name], runs[other], objective=task.objective) for other in others]
