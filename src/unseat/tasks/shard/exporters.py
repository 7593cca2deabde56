"""The forms in which a policy is handed over: the contest's command, and a solution by operators."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from unseat.core.errors import UserError
from unseat.core.task import Exported

if TYPE_CHECKING:
    from unseat.core.policy import Policy
    from unseat.tasks.shard.suites import Source

_COMMAND = '''#!{python}
"""The contest's interface: {name} FILE TIMEOUT prints one strategy a node, and the best so far on SIGTERM."""

import sys

from unseat.tasks.shard.command import main

sys.exit(main(sys.argv, {folder!r}))
'''


def exporters(sources: Mapping[str, Source]) -> Mapping[str, Exported]:
    """The forms, by name.

    Args:
        sources: The task's instances by name, which a solution by operators is for.
    """

    def contest(policy: Policy, path: Path) -> Sequence[Path]:
        folder = path.with_name(f"{path.name}-policy")
        try:
            policy.artefact.save(folder)
            path.write_text(_COMMAND.format(python=sys.executable, name=path.name, folder=str(folder.resolve())))
            path.chmod(0o755)
        except OSError as error:
            raise UserError(f"{path}: cannot be written ({error.strerror or error}); give another path") from error
        return [path, folder]

    def operators(policy: Policy, path: Path) -> None:
        text = json.dumps(named(policy, sources), indent=1) + "\n"
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UserError(f"{path}: cannot be written ({error.strerror or error}); give another path") from error

    made = [
        Exported("contest", "a command with the contest's interface: FILE TIMEOUT prints the list", contest),
        Exported("operators", "JSON: the strategy, cost and bytes of each operator of the first test instance",
                 operators),
    ]  # fmt: skip
    return {one.format: one for one in made}


def named(policy: Policy, sources: Mapping[str, Source]) -> dict[str, object]:
    """What a policy chooses for the first test instance, operator by operator."""
    from unseat.core.policy import View
    from unseat.tasks.shard.engine.problem import NO_LIMIT

    source = next(one for one in sources.values() if one.split == "test")
    problem = source.problem()
    heard: list[object] = []
    answer = policy.start(View("strategies", problem.facts(), listener=heard.append), 0).decide(None)
    if answer is not None:
        heard.append(answer)
    if not heard:
        raise UserError(f"{policy.name} finds no solution of {source.name}; give it longer")
    chosen = problem.checked(heard[-1])
    place = problem.offsets[:-1] + chosen
    names = source.operators(problem.nodes)
    rows = [
        {"operator": name, "strategy": int(one), "cost": int(problem.costs[at]), "bytes": int(problem.usages[at]),
         "from": int(live[0]), "until": int(live[1])}
        for name, one, at, live in zip(names, chosen, place, problem.intervals, strict=True)
    ]  # fmt: skip
    limit = None if problem.limit == NO_LIMIT else problem.limit
    return {"instance": source.name, "cost": str(problem.cost(chosen)), "peak_bytes": problem.peak(chosen),
            "limit_bytes": limit, "operators": rows}  # fmt: skip
