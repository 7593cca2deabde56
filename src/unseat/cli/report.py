"""``unseat report``: the newest results of every task as one folder that opens offline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unseat.cli import common
from unseat.core.errors import UserError

if TYPE_CHECKING:
    from unseat.core.task import Task
    from unseat.lab.records import Results


def command(
    tasks: Annotated[list[str] | None, typer.Argument(metavar="[TASK]...", help="Only these; by default all.")] = None,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="The folder to write.")] = Path(
        "report"
    ),
    ledger: Annotated[str | None, common.LEDGER] = None,
) -> int:
    """Write the report on what `unseat run` measured last."""
    from unseat.core import registry
    from unseat.lab.ledger import Ledger

    with Ledger.open(ledger) as book:
        if tasks:
            found = [book.last(registry.task(name).card.full_id) for name in tasks]
        else:
            found = sorted(book.latest(), key=lambda one: one.task)
        store = book.store
    known = {each.task: task for each in found if (task := loadable(each)) is not None}
    if not known:
        raise UserError("there is nothing to report yet; `unseat run TASK` measures something")
    from unseat.report import write

    page = write([each for each in found if each.task in known], output, find=known.__getitem__, store=store)
    typer.echo(f"report written to {page}")
    return 0


def loadable(results: Results) -> Task | None:
    """The task of an experiment; None, and a line that says so, where its code is not here any more."""
    try:
        return common.task_of(results)
    except UserError as error:
        typer.echo(f"{results.task} is left out: {error}", err=True)
        return None
