"""``unseat data``: the files that tasks ship, find on this machine, or fetch on demand."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unseat.cli import common

if TYPE_CHECKING:
    from unseat.core.task import Task
    from unseat.data import Manifest, State

app = typer.Typer(help="List, fetch and verify the data of tasks.", no_args_is_help=True, rich_markup_mode=None)

Tasks = Annotated[list[str] | None, typer.Argument(metavar="[TASK]...", help="Only these; by default every task.")]
Files = Annotated[str | None, typer.Option("--files", metavar="A,B", help="Only the files of these names.")]


@app.command("list")
def listing(tasks: Tasks = None, as_json: Annotated[bool, common.JSON] = False) -> int:
    """Say where each file is, under which licence, from where."""
    from unseat.data import status

    with common.only_json(as_json):
        states = status(manifests(tasks))
    if as_json:
        common.print_json([describe(state) for state in states])
    else:
        _print(states)
    return 0


@app.command("fetch")
def fetching(tasks: Tasks = None, files: Files = None) -> int:
    """Bring the published files onto this machine, checked by hash."""
    from unseat.data import fetch

    _print(fetch(manifests(tasks), common.names(files, "--files") or ()))
    return 0


@app.command("verify")
def verifying(tasks: Tasks = None, files: Files = None) -> int:
    """Hash every file again; the exit code is 1 if one is damaged."""
    from unseat.data import verify

    states = verify(manifests(tasks), common.names(files, "--files") or ())
    _print(states)
    return int(any(state.where == "damaged" for state in states))


def manifests(tasks: list[str] | None) -> list[Manifest]:
    """The manifests of the named tasks, or of all; one that two tasks share comes once."""
    from unseat.core import registry
    from unseat.data import load_manifest

    paths = [manifest_path(registry.task(name)) for name in tasks or registry.names()]
    return [load_manifest(path) for path in dict.fromkeys(paths) if path.is_file()]


def manifest_path(task: Task) -> Path:
    """``data.toml`` in the task's folder."""
    module = sys.modules[type(task).__module__]
    return Path(module.__file__ or "").with_name("data.toml")


def describe(state: State) -> dict[str, object]:
    """A file as plain JSON."""
    entry = state.entry
    return {
        "task": entry.task, "name": entry.name, "where": state.where, "path": state.path, "bytes": entry.bytes,
        "sha256": entry.sha256, "md5": entry.md5, "licence": entry.licence, "source": entry.source, "urls": entry.urls,
    }  # fmt: skip


def _print(states: list[State]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("task", "file", "where", "bytes", "licence", box=None)
    for state in states:
        entry = state.entry
        size = "" if entry.bytes is None else f"{entry.bytes:,}"
        table.add_row(entry.task, entry.name, state.where, size, entry.licence)
    Console().print(table)
