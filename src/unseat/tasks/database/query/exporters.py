"""A policy as a file of hints for pg_hint_plan."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from unseat.core.errors import UserError
from unseat.core.policy import Policy
from unseat.core.task import Exported
from unseat.tasks.database.query.arms import ARMS, Arm

if TYPE_CHECKING:
    from unseat.tasks.database.query.task import QueryTask


def exporters(task: QueryTask) -> Mapping[str, Exported]:
    """The forms by name."""

    def write(policy: Policy, path: Path) -> None:
        from unseat.tasks.database.query.engine import decisions

        lines = [f"-- hints for pg_hint_plan, as {policy.name} decides\n"]
        for instance in task.instances():
            if instance.split == "test":
                problem = task.load(instance)
                for query, arm in zip(
                    problem.queries, decisions(problem, policy, task.questions["hints"]), strict=True
                ):
                    lines.append(f"-- {instance.id}: {ARMS[arm].name}\n{hint(ARMS[arm])}{query.text};\n")
        try:
            path.write_text("\n".join(lines))
        except OSError as error:
            raise UserError(f"{path}: cannot be written: {error.strerror or error}") from error

    told = "the queries, each behind the comment that makes pg_hint_plan switch off what the policy would"
    return {"pg_hint_plan": Exported("pg_hint_plan", told, write)}


def hint(arm: Arm) -> str:
    """The comment that goes before a query; nothing for the default."""
    return f"/*+ {' '.join(f'Set({setting} off)' for setting in arm.off)} */\n" if arm.off else ""
