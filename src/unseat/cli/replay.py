"""``unseat replay``: derive a recorded outcome once more."""

from __future__ import annotations

from typing import Annotated

import typer

from unseat.cli import common


def command(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Key of a run, or its first characters.")],
    ledger: Annotated[str | None, common.LEDGER] = None,
    as_json: Annotated[bool, common.JSON] = False,
) -> int:
    """Derive a recorded outcome once more, and compare.

    The exit code is 1 if the two differ.
    """
    from unseat.arena.publish import opened
    from unseat.lab.ledger import Ledger
    from unseat.lab.replay import replay

    with common.only_json(as_json), opened(ledger) as where, Ledger.open(where) as book:
        found = book.find(run)
        replayed = replay(found, book)
    if as_json:
        common.print_json({"key": found.key, "equal": replayed.equal, "stored": replayed.stored.to_json(),
                           "again": replayed.again.to_json()})  # fmt: skip
    else:
        typer.echo(f"{found.task}  {found.contender}  {found.instance}  seed {found.seed}")
        typer.echo(f"recorded  {replayed.stored.status}  {replayed.stored.value!r}")
        typer.echo(f"again     {replayed.again.status}  {replayed.again.value!r}")
        typer.echo("equal" if replayed.equal else "NOT equal")
    return 0 if replayed.equal else 1
