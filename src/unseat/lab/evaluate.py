"""`unseat.evaluate` and `unseat.compare`: an experiment on one task, from the request to the comparison."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

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


def evaluate(
    task: str,
    *,
    suite: str = "quick",
    contenders: Sequence[str] | None = None,
    split: str = "test",
    folds: int | None = None,
    seeds: int = 1,
    budget: float | None = None,
    time_limit: float | None = None,
    jobs: int = 1,
    ray: str | None = None,
    data: str | None = None,
    options: Mapping[str, Any] | None = None,
    ledger: str | Ledger | None = None,
    retrain: bool = False,
    progress: Progress | None = None,
) -> Results:
    """Measure the contenders of one task against each other, and against its bound.

    What the ledger holds already is not run again, so an interrupted experiment continues where it stopped.

    Args:
        task: Id of the task, or ``package.module:attribute`` for one that is not registered yet.
        suite: ``quick`` or ``full``; a user's data has none.
        contenders: Names to measure; None for all. Baselines and bounds always take part.
        split: What is judged. With `data` everything is, with `folds` everything is in turn.
        folds: Divide the groups into so many folds: each is judged by policies fitted on the others.
        seeds: How many seeds; seed s fits and runs.
        budget: Seconds of each fit.
        time_limit: Seconds of each run.
        jobs: Child processes on this machine.
        ray: Address of a Ray cluster to use instead.
        data: A user's data, for `Task.open`; learners then learn from the built-in data, unless there are folds.
        options: The task's own options.
        ledger: A URL, a path or an open ledger; None for the user's own.
        retrain: Fit anew what is shipped.
        progress: Called with stage (``compile``, ``fit``, ``run``), how much of it is done, and of how much.

    Returns:
        Runs, fits and comparisons; also kept in the ledger as the newest experiment of the task.

    Raises:
        UserError: The request cannot be met as it is; the message says why.
    """
    with _opened(ledger) as book:
        results, _ = _experiment(
            book, task, suite, contenders, split, folds, seeds, budget, time_limit, jobs, ray, data, options, retrain,
            progress,
        )  # fmt: skip
        book.remember(results)
        return results


def compare(
    task: str,
    a: str,
    b: str,
    *,
    suite: str = "quick",
    split: str = "test",
    folds: int | None = None,
    seeds: int = 1,
    budget: float | None = None,
    time_limit: float | None = None,
    jobs: int = 1,
    ray: str | None = None,
    data: str | None = None,
    options: Mapping[str, Any] | None = None,
    ledger: str | Ledger | None = None,
    retrain: bool = False,
    progress: Progress | None = None,
) -> Comparison:
    """Compare two contenders of a task, running first what the ledger lacks; the headroom is from b to the bound.

    Args:
        task: As for `evaluate`, like all that is not named here.
        a: The one contender.
        b: The other, usually the incumbent to beat.

    Raises:
        UserError: There is no such contender, or one of the two cannot be measured here.
    """
    known = registry.task(task, data=data, options=options).contenders()
    for name in (a, b):
        if name not in known or known[name].role is Role.BOUND:
            able = [other for other, one in known.items() if one.role is not Role.BOUND]
            raise UserError(f"task {task} has no contender {name!r} to compare; {near(name, able)}")
    wanted = [a, b, *(name for name, one in known.items() if one.role is Role.BOUND)]
    with _opened(ledger) as book:
        results, judge = _experiment(
            book, task, suite, wanted, split, folds, seeds, budget, time_limit, jobs, ray, data, options, retrain,
            progress,
        )  # fmt: skip
    for name in (a, b):
        if not judge.of(name):
            raise UserError(f"{name} was not measured: {results.skipped.get(name, 'it has no run here')}")
    return judge.compare(judge.of(a), judge.of(b))


def _experiment(
    book: Ledger, task: str, suite: str, contenders: Sequence[str] | None, split: str, folds: int | None, seeds: int,
    budget: float | None, time_limit: float | None, jobs: int, ray: str | None, data: str | None,
    options: Mapping[str, Any] | None, retrain: bool, progress: Progress | None,
) -> tuple[Results, Judge]:  # fmt: skip
    asked = registry.task(task, data=data, options=options)
    timed = asked.card.repeatability == "timed"
    if timed and ray is not None:
        raise UserError(f"task {asked.card.id} is timed, and a block is one machine in one sitting; leave out --ray")
    divided = divide(asked, registry.task(task), suite, split, folds)
    taking_part, skipped = entrants(asked, contenders)
    # Of a timed task one job runs at a time, whatever was asked for: two would disturb each other.
    workers = 1 if timed else _count(jobs, "--jobs")
    experiment = Experiment(
        task=asked, name=task, entrants=taking_part, ledger=book,
        start=lambda: executor(workers, ray, book.store.root),
        run_limits=Limits(wall_s=_seconds(time_limit, RUN_S, "--time-limit"), memory=MEMORY),
        fit_limits=Limits(wall_s=_seconds(budget, FIT_S, "--budget"), memory=MEMORY),
        seeds=_count(seeds, "--seeds"), retrain=retrain, progress=progress or _quiet, skipped=skipped,
    )  # fmt: skip
    runs = experiment.runs(divided)
    part = "test" if folds is not None or data is not None else split
    judge = Judge(asked, taking_part, runs, part, skipped)
    return judge.results(tuple(experiment.fits.values()), data is not None, folds), judge


def _seconds(value: float | None, default: float, flag: str) -> float:
    if value is None:
        return default
    if not (value > 0 and math.isfinite(value)):
        raise UserError(f"{flag} is {value:g} s; it must be above zero")
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
