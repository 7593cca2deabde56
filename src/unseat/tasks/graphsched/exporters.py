"""The form in which a policy is handed over: a schedule in the contest's JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unseat.core.errors import UserError
from unseat.core.policy import View
from unseat.core.task import Exported

if TYPE_CHECKING:
    from unseat.core.policy import Policy
    from unseat.tasks.graphsched.engine.problem import Problem
    from unseat.tasks.graphsched.suites import Source


def exporters(sources: Mapping[str, Source]) -> Mapping[str, Exported]:
    """The forms, by name.

    Args:
        sources: The task's instances by name; the first test instance is scheduled.
    """

    def contest(policy: Policy, path: Path) -> None:
        source = next(one for one in sources.values() if one.split == "test")
        text = json.dumps(answered(policy, source.problem(), 0), indent=1) + "\n"
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UserError(f"{path}: cannot be written ({error.strerror or error}); give another path") from error

    return {"contest": Exported("contest", "JSON of the contest: the schedule of the first test instance", contest)}


def answered(policy: Policy, problem: Problem, seed: int) -> Any:
    """The last answer that a policy reports on a problem.

    Raises:
        UserError: It reports none.
    """
    heard: list[Any] = []
    policy.start(View("plan", problem.facts(), listener=heard.append), seed).decide(None)
    if not heard:
        raise UserError(f"{policy.name} finds no schedule; give it longer")
    return heard[-1]
