"""``unseat doctor``: what can run here, what is missing, and the command that installs it."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from importlib import metadata
from typing import TYPE_CHECKING, Annotated

import typer

from unseat.core.errors import UnseatError, UserError

if TYPE_CHECKING:
    from unseat.core.task import Need, Task


def command(
    warm: Annotated[
        bool, typer.Option("--warm", help="Compile every kernel now, so that no later run waits for it.")
    ] = False,
) -> int:
    """Say what can run here, what is missing, and what installs it.

    The exit code is 1 if a task cannot run.
    """
    import platform

    typer.echo(f"unseat {metadata.version('unseat')}, Python {platform.python_version()}, {platform.machine()}")
    typer.echo("packages: " + ", ".join(f"{name} {version}" for name, version in packages()))
    able = [_check(task, warm) for task in _tasks()]
    able += [_cache(), _ledger()]
    return 0 if all(able) else 1


def packages() -> Iterator[tuple[str, str]]:
    """The packages of the core install, with the versions found here."""
    for line in metadata.requires("unseat") or []:
        if "extra ==" not in line and (match := re.match(r"[\w.-]+", line)):
            try:
                yield match[0], metadata.version(match[0])
            except metadata.PackageNotFoundError:
                yield match[0], "MISSING"


def _tasks() -> list[Task]:
    from unseat.core import registry

    found = []
    for name in registry.names():
        try:
            found.append(registry.task(name))
        except UnseatError as error:
            typer.echo(f"{name}: cannot be loaded: {error}")
    return found


def _check(task: Task, warm: bool) -> bool:
    """Print what a task needs and whether it can run; compile it if asked."""
    needs = list(task.needs())
    missing = [need for need in needs if need.found is None and not need.optional]
    typer.echo(f"{task.card.full_id}: {'cannot run' if missing else 'ready'} - {task.card.title}")
    for need in needs:
        _print(need)
    if warm and not missing:
        began = time.perf_counter()
        task.warm()
        typer.echo(f"  compiled in {time.perf_counter() - began:.1f} s")
    return not missing


def _print(need: Need) -> None:
    kind = "optional" if need.optional else "needed"
    if need.found is not None:
        typer.echo(f"  {need.name} {need.found} ({kind}, wanted {need.wanted}): {need.purpose}")
    else:
        typer.echo(f"  {need.name} is missing ({kind}, wanted {need.wanted}): {need.purpose}; install: {need.install}")


def _cache() -> bool:
    """Print where downloads go; the nearest existing folder decides whether they can."""
    from unseat.data.store import cache_folder

    place = cache_folder().absolute()
    existing = next(folder for folder in (place, *place.parents) if folder.exists())
    able = os.access(existing, os.W_OK)
    typer.echo(f"downloads: {place}" + ("" if able else ": cannot be written; set UNSEAT_CACHE to another folder"))
    return able


def _ledger() -> bool:
    """Print where runs are kept, by opening it."""
    from unseat.lab.ledger import Ledger

    try:
        with Ledger.open() as book:
            typer.echo(f"ledger: {book.url}, policies in {book.store.root}")
    except UserError as error:
        typer.echo(f"ledger: {error}")
        return False
    return True
