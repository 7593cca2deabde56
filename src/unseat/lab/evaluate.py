"""`unseat.evaluate` and `unseat.compare`: an experiment on one task, from the request to the comparison."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypedDict, Unpack

from unseat.core import registry
from unseat.core.errors import UserError
from unseat.core.learner import Role
from unseat.core.outcome import Limits
from unseat.lab.executors import executor
from unseat.lab.experiment import Experiment, Progress
from unseat.lab.judge import Judge
from unseat.lab.ledger import Ledger
from unseat.lab.plan import divide, entrants, near
from unseat.lab.records import Comparison, Results

RUN_S = 300.0
FIT_S = 60.0
MEMORY = 8 * 2**30


class Asked(TypedDict, total=False):
    """What one may ask for beside the task, each as a keyword.

    Attributes:
        suite: ``quick`` (the default) or ``full``; a user's data has none.
        split: What is judged, ``test`` by default. With `data` everything is, with `folds` everything is in turn.
        folds: Divide the groups into so many folds: each is judged by policies fitted on the others.
        seeds: How many seeds, 1 by default; seed s fits and runs.
        budget: Seconds of each fit, 60 by default.
        tokens: Tokens that each fit may exchange with a language model; no limit by default.
        dollars: Money that each fit may spend; no limit by default.
        time_limit: Seconds of each run, 300 by default.
        jobs: Child processes on this machine, 1 by default.
        ray: Address of a Ray cluster to use instead.
        data: A user's data, for `Task.open`; learners then learn from the built-in data, unless there are folds.
        options: The task's own options.
        ledger: A URL, a path or an open ledger; None for the user's own.
        retrain: Fit anew what is shipped.
        progress: Called with stage (``compile``, ``fit``, ``run``), how much of it is done, and of how much.
    """

    suite: str
    split: str
    folds: int | None
    seeds: int
    budget: float | None
    tokens: int | None
    dollars: float | None
    time_limit: float | None
    jobs: int
    ray: str | None
    data: str | None
    options: Mapping[str, Any] | None
    ledger: str | Ledger | None
    retrain: bool
    progress: Progress | None


def evaluate(task: str, *, contenders: Sequence[str] | None = None, **asked: Unpack[Asked]) -> Results:
    """Measure the contenders of one task against each other, and against its bound.

    What the ledger holds already is not run again, so an interrupted experiment continues where it stopped.

    Args:
        task: Id of the task, or ``package.module:attribute`` for one that is not registered yet.
        contenders: Names to measure; None for all. Baselines and bounds always take part.
        **asked: See `Asked`.

    Returns:
        Runs, fits and comparisons; also kept in the ledger as the newest experiment of the task.

    Raises:
        UserError: The request cannot be met as it is; the message says why.
    """
    with _opened(asked.get("ledger")) as book:
        results, _ = _experiment(book, task, contenders, asked)
        book.remember(results)
        return results


def compare(task: str, a: str, b: str, **asked: Unpack[Asked]) -> Comparison:
    """Compare two contenders of a task, running first what the ledger lacks; the headroom is from b to the bound.

    Args:
        task: As for `evaluate`.
        a: The one contender.
        b: The other, usually the incumbent to beat.
        **asked: See `Asked`.

    Raises:
        UserError: There is no such contender, or one of the two cannot be measured here.
    """
    known = registry.task(task, data=asked.get("data"), options=asked.get("options")).contenders()
    for name in (a, b):
        if name not in known or known[name].role is Role.BOUND:
            able = [other for other, one in known.items() if one.role is not Role.BOUND]
            raise UserError(f"task {task} has no contender {name!r} to compare; {near(name, able)}")
    wanted = [a, b, *(name for name, one in known.items() if one.role is Role.BOUND)]
    with _opened(asked.get("ledger")) as book:
        results, judge = _experiment(book, task, wanted, asked)
    for name in (a, b):
        if not judge.of(name):
            raise UserError(f"{name} was not measured: {results.skipped.get(name, 'it has no run here')}")
    return judge.compare(judge.of(a), judge.of(b))


def _experiment(book: Ledger, task: str, contenders: Sequence[str] | None, asked: Asked) -> tuple[Results, Judge]:
    if unknown := sorted(set(asked) - set(Asked.__annotations__)):
        raise TypeError(f"an experiment has no {unknown[0]!r}; {near(unknown[0], Asked.__annotations__)}")
    data, folds, ray = asked.get("data"), asked.get("folds"), asked.get("ray")
    found = registry.task(task, data=data, options=asked.get("options"))
    timed = found.card.repeatability == "timed"
    if timed and ray is not None:
        raise UserError(f"task {found.card.id} is timed, and a block is one machine in one sitting; leave out --ray")
    split = asked.get("split", "test")
    divided = divide(found, registry.task(task), asked.get("suite", "quick"), split, folds)
    taking_part, skipped = entrants(found, contenders, asked.get("suite", "quick"))
    # Of a timed task one job runs at a time, whatever was asked for: two would disturb each other.
    workers = 1 if timed else _count(asked.get("jobs", 1), "--jobs")
    experiment = Experiment(
        task=found, name=task, entrants=taking_part, ledger=book,
        start=lambda: executor(workers, ray, book.store.root), run_limits=_run_limits(asked),
        fit_limits=_fit_limits(asked), seeds=_count(asked.get("seeds", 1), "--seeds"),
        retrain=asked.get("retrain", False), progress=asked.get("progress") or _quiet, skipped=skipped,
    )  # fmt: skip
    runs = experiment.runs(divided)
    part = "test" if folds is not None or data is not None else split
    judge = Judge(found, taking_part, runs, part, skipped)
    return judge.results(tuple(experiment.fits.values()), data is not None, folds), judge


def _run_limits(asked: Asked) -> Limits:
    return Limits(wall_s=_above_zero(asked.get("time_limit"), "--time-limit", " s") or RUN_S, memory=MEMORY)


def _fit_limits(asked: Asked) -> Limits:
    tokens = asked.get("tokens")
    return Limits(
        wall_s=_above_zero(asked.get("budget"), "--budget", " s") or FIT_S, memory=MEMORY,
        tokens=None if tokens is None else _count(tokens, "--tokens"),
        dollars=_above_zero(asked.get("dollars"), "--dollars", ""),
    )  # fmt: skip


def _above_zero(value: float | None, flag: str, unit: str) -> float | None:
    if value is not None and not (value > 0 and math.isfinite(value)):
        raise UserError(f"{flag} is {value:g}{unit}; it must be above zero")
    return value


def _count(value: int, flag: str) -> int:
    if value < 1:
        raise UserError(f"{flag} is {value}; it must be one or more")
    return value


def _quiet(stage: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


@contextmanager
def _opened(ledger: str | Ledger | None) -> Iterator[Ledger]:
    if isinstance(ledger, Ledger):
        yield ledger
        return
    with Ledger.open(ledger) as book:
        yield book
