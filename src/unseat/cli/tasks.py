"""``unseat tasks``: which decisions can be put to the test here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from unseat.cli import common

if TYPE_CHECKING:
    from unseat.core.task import Task


def command(as_json: Annotated[bool, common.JSON] = False) -> int:
    """List the tasks: what each decides, and who competes."""
    from unseat.core import registry

    with common.only_json(as_json):
        found = [registry.task(name) for name in registry.names()]
        described = [describe(task) for task in found]
    if as_json:
        common.print_json(described)
    else:
        _print(described)
    return 0


def describe(task: Task) -> dict[str, Any]:
    """A task as plain JSON: its card, questions, instances and contenders."""
    card, objective = task.card, task.objective
    return {
        "task": card.id, "id": card.full_id, "title": card.title, "system": card.system, "problem": card.problem,
        "summary": card.summary.strip(), "repeatability": card.repeatability,
        "objective": {"name": objective.name, "unit": objective.unit, "minimise": objective.minimise},
        "questions": {name: question.text for name, question in task.questions.items()},
        "instances": [
            {"id": each.id, "group": each.group, "split": each.split, "level": each.level,
             "suites": sorted(each.suites)}
            for each in task.instances()
        ],
        "contenders": [
            {"name": each.name, "role": str(each.role), "extra": each.extra, "paper": each.paper}
            for each in task.contenders().values()
        ],
        "exports": {name: each.text for name, each in task.exporters().items()},
        "options": None if task.options is None else task.options.model_json_schema(),
    }  # fmt: skip


def _print(described: list[dict[str, Any]]) -> None:
    for task in described:
        roles = [each["role"] for each in task["contenders"]]
        quick = sum("quick" in each["suites"] for each in task["instances"])
        typer.echo(f"{task['id']}: {task['title']}")
        typer.echo(
            f"    {task['objective']['name']}; {len(task['instances'])} instances, {quick} of them quick; "
            f"{roles.count('incumbent')} incumbents, {roles.count('challenger')} challengers"
        )
    typer.echo("\n`unseat run TASK` measures one, `unseat run all` every one; `unseat run TASK --help` lists options.")
