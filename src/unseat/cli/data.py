"""``unseat data``: the published data that tasks fetch on demand."""

from __future__ import annotations

import typer

app = typer.Typer(help="List, fetch and verify published data.", no_args_is_help=True)
