"""The form in which a policy is handed over: the transformer that it writes, as a Python file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unseat.core.errors import UserError
from unseat.core.policy import View
from unseat.core.task import Exported

if TYPE_CHECKING:
    from unseat.core.policy import Policy
    from unseat.tasks.codemod.pairs import Pairs
    from unseat.tasks.codemod.suites import Source


def exporters(sources: Mapping[str, Source]) -> Mapping[str, Exported]:
    """The forms, by name.

    Args:
        sources: The task's instances by name; the transformer is that of the first test instance.
    """

    def rule(policy: Policy, path: Path) -> None:
        source = next(one for one in sources.values() if one.split == "test")
        answer = answered(policy, source.pairs())
        if "transformer" not in answer:
            raise UserError(f"{policy.name} writes no transformer; export one that does, such as synthesis")
        try:
            path.write_text(answer["transformer"], encoding="utf-8")
        except OSError as error:
            raise UserError(f"{path}: cannot be written ({error.strerror or error}); give another path") from error

    return {"rule": Exported("rule", "a Python file for `unseat codemod apply`, of the first test instance", rule)}


def answered(policy: Policy, problem: Pairs) -> Any:
    """The last answer that a policy gives to a problem."""
    from unseat.tasks.codemod.task import facts

    heard: list[Any] = []
    answer = policy.start(View("rule", facts(problem), listener=heard.append), 0).decide(None)
    return answer if answer is not None else heard[-1]
