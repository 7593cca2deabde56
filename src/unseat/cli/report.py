"""``unseat report``: the newest results of every task as one folder that opens offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unseat.cli import common
from unseat.core.errors import UserError


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
        found = [book.last(registry.task(name).card.full_id) for name in tasks] if tasks else book.latest()
    if not found:
        raise UserError("there is nothing to report yet; `unseat run TASK` measures something")
    from unseat.report import write

    typer.echo(f"report written to {write(found, output)}")
    return 0
