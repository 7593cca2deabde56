"""Times an ordered map at work: batches of operations in, their results out, every one of them checked."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from unseat.core.errors import ContractError
from unseat.core.outcome import Outcome
from unseat.core.policy import DeadlineReached, InvalidAnswer, Session
from unseat.structures.operations import READ
from unseat.tasks.index.updates.workload import Flags, Int64, Workload

BATCH = 4096
"""Operations in a batch, all known when it begins: a server's queue, or a transaction log that is applied."""
WARM = 64
"""Reads before the clock, which compile what is not compiled yet."""


@dataclass(frozen=True)
class Timed:
    """What the batches took: CPU and wall nanoseconds, and the slowest batch's wall time."""

    cpu_ns: int
    wall_ns: int
    slowest_ns: int


def clock(workload: Workload, decide: Callable[[Any], Any], deadline: float | None = None) -> Timed:
    """Apply all operations, and check every result.

    Raises:
        InvalidAnswer: A result is wrong, or no result.
        DeadlineReached: The time was up.
    """
    reads = np.full(min(WARM, len(workload.keys)), READ, np.uint8)
    warm = decide((reads, workload.keys[: len(reads)].copy(), np.zeros(len(reads), np.int64)))
    _taken(warm, len(reads), 0)
    results, done = np.empty(len(workload.ops), np.int64), np.empty(len(workload.ops), np.bool_)
    cpu = wall = slowest = 0
    for start in range(0, len(workload.ops), BATCH):
        stop = min(start + BATCH, len(workload.ops))
        # Copies, so that nobody makes the operations easier by writing over them.
        parts = (workload.ops, workload.operands, workload.arguments)
        given = tuple(array[start:stop].copy() for array in parts)
        began, busy = time.perf_counter_ns(), time.process_time_ns()
        answer = decide(given)
        busy, took = time.process_time_ns() - busy, time.perf_counter_ns() - began
        results[start:stop], done[start:stop] = _taken(answer, stop - start, start)
        cpu, wall, slowest = cpu + busy, wall + took, max(slowest, took)
        if deadline is not None and time.monotonic() > deadline:
            raise DeadlineReached(f"time was up after {stop:,} of {len(workload.ops):,} operations")
    check(workload, results, done)
    return Timed(cpu, wall, slowest)


def _taken(answer: Any, count: int, start: int) -> tuple[Int64, Flags]:
    """An answer's two arrays."""
    if isinstance(answer, tuple) and len(answer) == 2:
        results, done = answer
        arrays = isinstance(results, np.ndarray) and isinstance(done, np.ndarray)
        if arrays and results.shape == done.shape == (count,) and results.dtype == np.int64 and done.dtype == np.bool_:
            return results, done
    raise InvalidAnswer(f"the answer to {count} operations from number {start} on is not (int64 [m], bool [m])")


def check(workload: Workload, results: Int64, done: Flags) -> None:
    """Hold results against the exact ones.

    Raises:
        InvalidAnswer: One is wrong; the first is named.
    """
    wrong = np.flatnonzero((results != workload.results) | (done != workload.done))
    if len(wrong):
        place = int(wrong[0])
        raise InvalidAnswer(
            f"{len(wrong):,} of {len(results):,} results are wrong: the first, of operation {place} "
            f"({workload.ops[place]} on {workload.operands[place]!r}), is {results[place]}, {done[place]}, and should "
            f"be {workload.results[place]}, {workload.done[place]}"
        )


def outcome(workload: Workload, session: Session, timed: Timed, start_s: float) -> Outcome:
    """The objective, and what else is worth a column.

    Raises:
        ContractError: The session's `nbytes` is no number of bytes.
    """
    count, entries = len(workload.ops), max(len(workload.keys), 1)
    metrics = {
        "wall_ns": timed.wall_ns / count,
        "build_ns_a_key": 1e9 * start_s / entries,
        "slowest_batch_us": timed.slowest_ns / 1000,
        "operations": float(count),
        "keys": float(len(workload.keys)),
    }
    nbytes = getattr(session, "nbytes", None)
    if nbytes is not None:
        if not isinstance(nbytes, int | np.integer) or nbytes < 0:
            raise ContractError(f"{type(session).__name__}.nbytes is {nbytes!r}, not a number of bytes")
        metrics["bytes_a_key"] = int(nbytes) / entries
    return Outcome(
        timed.cpu_ns / count, decisions=count, start_s=start_s, decide_s=timed.wall_ns / 1e9, metrics=metrics
    )
