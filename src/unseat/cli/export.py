"""``unseat export``: the policy that was measured, in a form that the system can run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unseat.cli import common
from unseat.core.errors import UserError

if TYPE_CHECKING:
    from unseat.core.policy import Policy
    from unseat.core.task import Task
    from unseat.lab.ledger import Ledger


def command(
    context: typer.Context,
    task: Annotated[str, typer.Argument(help="Id of a task.")],
    contender: Annotated[str, typer.Argument(help="Name of the contender whose policy is exported.")],
    to: Annotated[str, typer.Option("--to", metavar="FORMAT", help="`unseat tasks --json` lists a task's formats.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="PATH", help="What to write.")],
    data: Annotated[str | None, common.DATA] = None,
    ledger: Annotated[str | None, common.LEDGER] = None,
) -> int:
    """Write a policy in a form that the system itself can run.

    It is the policy that was measured last, or else the shipped one. What a policy builds on data is built on that of
    --data; a task's own options are flags too, as in `unseat run`.
    """
    from unseat.cli.options import own_options
    from unseat.core import registry
    from unseat.lab.ledger import Ledger

    own = own_options(registry.task(task), context.args, data=data)
    found = registry.task(task, data=data, options=own)
    exporter = found.exporters().get(to)
    if exporter is None:
        formats = ", ".join(found.exporters()) or "nothing"
        raise UserError(f"task {found.card.id} exports no {to!r}; --to takes {formats}")
    with Ledger.open(ledger) as book:
        policy = policy_of(found, contender, book)
    written = exporter.write(policy, output) or [output]
    typer.echo(f"{contender} written to {' and '.join(map(str, written))}: {exporter.text}")
    return 0


def policy_of(task: Task, name: str, book: Ledger) -> Policy:
    """The policy of a contender: plain, or as it was measured last, or as it is shipped.

    Raises:
        UserError: There is no such contender, or it has no policy yet.
    """
    import difflib

    from unseat.core.policy import Policy

    known = task.contenders()
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}"
        raise UserError(f"task {task.card.id} has no contender {name!r}; {hint}")
    contender = known[name]
    made = contender.make()
    if isinstance(made, Policy):
        return made
    measured = [run.artefact for run in book.query(task=task.card.full_id, contender=name) if run.artefact]
    if measured:
        return book.store.get(measured[-1]).restore()
    if contender.shipped is not None:
        return contender.shipped()
    raise UserError(f"{name} has no policy yet; `unseat run {task.card.id} --contenders {name}` fits it")
