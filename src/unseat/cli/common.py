"""What several commands share: flags, durations, progress on a terminal, and one JSON document on standard output."""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import sys
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import typer

from unseat.core.errors import UserError

if TYPE_CHECKING:
    from unseat.core.task import Task
    from unseat.lab.records import Results

Progress = Callable[[str, int, int], None]
_UNITS = {"ms": 1e-3, "s": 1.0, "": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


class Suite(StrEnum):
    """Which of a task's instances are run."""

    QUICK = "quick"
    FULL = "full"


class Split(StrEnum):
    """Which instances are judged."""

    TRAIN = "train"
    VALID = "valid"
    TEST = "test"


SUITE = typer.Option("--suite", help="quick takes seconds on embedded data; full is the whole study.")
LEDGER = typer.Option("--ledger", metavar="URL", help="SQLite file or SQLAlchemy URL; by default $UNSEAT_LEDGER.")
JSON = typer.Option("--json", help="Print one JSON document on standard output, and nothing else there.")
SEEDS = typer.Option("--seeds", min=1, help="How many seeds; seed s fits and runs.")
JOBS = typer.Option("--jobs", min=1, help="Processes on this machine.")
BUDGET = typer.Option("--budget", metavar="TIME", help="What each fit may take, such as 60s or 5m.")
TIME_LIMIT = typer.Option("--time-limit", metavar="TIME", help="What each run may take, such as 10s.")
TOKENS = typer.Option("--tokens", min=1, help="What each fit may exchange with a language model.")
DOLLARS = typer.Option("--dollars", help="What each fit may spend on a language model.")
DATA = typer.Option("--data", metavar="SOURCE", help="Your own data: a file or folder that the task can read.")


def seconds(text: str | None, flag: str) -> float | None:
    """A duration such as ``60s``, ``500ms``, ``2m`` or ``1.5h``; a bare number is seconds.

    Raises:
        UserError: It is no duration, or not above zero.
    """
    if text is None:
        return None
    match = re.fullmatch(r"\s*(\d+\.?\d*|\.\d+)\s*([a-z]*)\s*", text)
    if match is None or match[2] not in _UNITS:
        raise UserError(f"{flag} {text}: not a time; give a number with ms, s, m or h, such as 60s")
    value = float(match[1]) * _UNITS[match[2]]
    if value <= 0:
        raise UserError(f"{flag} {text}: must be above zero, such as 60s")
    return value


def names(text: str | None, flag: str) -> list[str] | None:
    """A list with commas.

    Raises:
        UserError: It is empty.
    """
    if text is None:
        return None
    found = [name.strip() for name in text.split(",") if name.strip()]
    if not found:
        raise UserError(f"{flag} is empty; give names with commas between them")
    return found


def task_of(results: Results) -> Task:
    """The task that was measured, by the name that it was asked for with; it may not be registered."""
    from unseat.core import registry

    return registry.task(results.runs[0].job["task"])


@contextlib.contextmanager
def progress() -> Iterator[Progress]:
    """Bars with the time left, on standard error, and only on a terminal."""
    if not sys.stderr.isatty():
        yield lambda stage, done, total: None
        return
    from rich import progress as bars
    from rich.console import Console

    columns = (bars.TextColumn("{task.description}"), bars.BarColumn(), bars.MofNCompleteColumn(),
               bars.TimeRemainingColumn(), bars.TextColumn("left"))  # fmt: skip
    with bars.Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        stages: dict[str, bars.TaskID] = {}

        def advance(stage: str, done: int, total: int) -> None:
            if stage not in stages:
                stages[stage] = shown.add_task(stage, total=total)
            shown.update(stages[stage], completed=done, total=total)

        yield advance


@contextlib.contextmanager
def only_json(wanted: bool) -> Iterator[None]:
    """Keep standard output for the document: whatever a library prints there goes to standard error instead.

    The file descriptor is redirected too, for what C libraries and child processes print.
    """
    if not wanted:
        yield
        return
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def print_json(document: Any) -> None:
    """Print a document; figures that JSON cannot hold (infinity, not a number) become null."""
    typer.echo(json.dumps(_finite(document), indent=1, allow_nan=False, default=_plain))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_finite(each) for each in value]
    return value


def _plain(value: Any) -> Any:
    """NumPy scalars and enumerations as plain JSON."""
    return _finite(value.item()) if hasattr(value, "item") else str(value)
