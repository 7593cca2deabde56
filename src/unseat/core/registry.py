"""Tasks by name, found through entry points, so that a stranger's task is registered like a built-in one."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from unseat.core.errors import ContractError, UnseatError, UserError
from unseat.core.task import Task

GROUP = "unseat.tasks"


@cache
def _entries() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name)}


def names() -> list[str]:
    """Ids of all registered tasks, without their versions."""
    return list(_entries())


def task(name: str, *, data: str | None = None, options: Mapping[str, Any] | None = None) -> Task:
    """The task of that id, on its own data or on a user's.

    Args:
        name: ``cache`` or, with its version, ``cache-v0``; or ``package.module:attribute`` for a task that is not
            registered yet, which is how one tries a new task before packaging it.
        data: A source for `Task.open`.
        options: The task's own options.

    Raises:
        UserError: There is no such task or version, or the data cannot be read.
    """
    found = _plain(name)
    if data is None:
        return found
    opened = found.open(data, options or {})
    opened.source, opened.option_values = data, dict(options or {})
    return opened


@cache
def _plain(name: str) -> Task:
    if ":" in name:
        return _unregistered(name)
    base, dash, version = name.rpartition("-v")
    known = _entries()
    if name not in known and dash and version.isdigit() and base in known:
        found = _plain(base)
        if found.card.version != int(version):
            raise UserError(
                f"task {base} is at version {found.card.version} here, not {version}; use {found.card.full_id}"
            )
        return found
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known) or 'none'}"
        raise UserError(f"there is no task {name!r}; {hint}")
    try:
        made = known[name].load()()
    except UnseatError:
        raise
    except Exception as error:
        # A stranger's package may be broken in any way; who asked for its task gets a line, and not a traceback.
        why = str(error) if isinstance(error, ImportError) else f"{type(error).__name__}: {error}"
        raise UserError(f"task {name} cannot be loaded: {why}; `unseat doctor` says what is missing") from error
    return _checked(made, known[name].value)


def _unregistered(path: str) -> Task:
    module, _, attribute = path.partition(":")
    try:
        made = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(f"task {path} cannot be loaded: {error}; give it as package.module:attribute") from error
    # Only a task is called: the path may come from a ledger that a stranger has written.
    return _checked(made() if isinstance(made, type) and issubclass(made, Task) else made, path)


def _checked(made: object, path: str) -> Task:
    if not isinstance(made, Task):
        what = made.__name__ if isinstance(made, type) else type(made).__name__
        raise ContractError(f"{path} gives {what}, not a Task")
    return made
