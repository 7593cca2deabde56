"""``unseat record``: an instance from your own program or its logs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unseat.core.errors import UserError


def command(
    task: Annotated[str, typer.Argument(help="Id of a task.")],
    program: Annotated[
        list[str] | None, typer.Argument(metavar="[-- COMMAND...]", help="The program to watch, after --.")
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option("--from", metavar="LOG", help="A log that was written elsewhere, or a folder, instead."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="The file to write; by default recorded.csv, or what the task reads."),
    ] = None,
) -> int:
    """Make data for --data from a running program or its log."""
    if bool(program) == (log is not None):
        raise UserError(f"give either a command or a log, as in: unseat record {task} -- make -j1")
    if log is not None and not log.exists():
        raise UserError(f"{log}: there is no such file; give the log to read")
    from unseat.core import registry

    found = registry.task(task)
    typer.echo(found.record(program or None, log, output or Path(found.recorded)))
    return 0
