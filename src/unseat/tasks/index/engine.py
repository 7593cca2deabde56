"""Times lookups: three ways in which a session answers, one clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import ContractError
from unseat.core.outcome import Outcome
from unseat.core.policy import DeadlineReached, Form, InvalidAnswer, Session
from unseat.structures.codes import code
from unseat.structures.last_mile import fetch, finish
from unseat.structures.locator import Locator
from unseat.structures.prefetch import BLOCK
from unseat.tasks.index.footprint import footprint
from unseat.tasks.index.problem import Keys, Places, Problem

WARM = 256
"""Lookups before the clock, which compile what is not compiled yet."""

Answer = Callable[[Keys, Places], None]
"""Writes the place of each query."""


@dataclass(frozen=True)
class Timed:
    """What the passes took, in nanoseconds a lookup: CPU and wall time of each."""

    cpu_ns: tuple[float, ...]
    wall_ns: tuple[float, ...]

    @property
    def value(self) -> float:
        """The objective: the median of CPU time over passes."""
        return float(np.median(self.cpu_ns))


def answerer(problem: Problem, session: Session, form: Form) -> Answer:
    """How a session of some form answers a batch of queries.

    Kernels search a copy of the keys that the policy has not seen, so that nobody can write anything there.
    """
    if form is Form.DECIDE:
        return lambda queries, out: _asked(session, queries, out)
    if session.kernel is None:
        raise ContractError(f"{type(session).__name__} has no kernel")
    kernel, arrays = session.kernel
    keys = problem.copied()
    if form is Form.FUSED:
        return lambda queries, out: kernel(keys, queries, out, *arrays)
    return lambda queries, out: by_window(kernel, keys, queries, out, arrays)


def _asked(session: Session, queries: Keys, out: Places) -> None:
    answer = session.decide(queries)
    if not isinstance(answer, np.ndarray) or answer.shape != out.shape or answer.dtype.kind not in "iu":
        told = f"{answer.dtype}{list(answer.shape)}" if isinstance(answer, np.ndarray) else type(answer).__name__
        raise InvalidAnswer(f"the answer to {len(queries)} queries is {told}, not an integer for each")
    out[:] = answer


@numba.njit(nogil=True, error_model="numpy")
def by_window(window: Any, keys: Keys, queries: Keys, out: Places, arrays: Any) -> None:
    """Answer by a compiled policy ``window(code, *arrays) -> (first, last)`` and an interleaved search of its windows.

    It is compiled anew for each `window` and process: Numba's disk cache cannot tell functions that are arguments
    apart. A window is cut to the array; what it leaves out makes the answer wrong, and wrong answers are seen.
    """
    low, high = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64)
    for first in range(0, len(queries), BLOCK):
        length = min(BLOCK, len(queries) - first)
        for j in range(length):
            left, right = window(code(queries[first + j]), *arrays)
            low[j] = np.int64(min(max(left, 0), len(keys)))
            high[j] = np.int64(min(max(right, low[j]), len(keys)))
            fetch(keys, low[j], high[j])
        finish(keys, queries, first, length, low, high, out)


def clock(problem: Problem, answer: Answer, seed: int, deadline: float | None = None, *, checked: bool = True) -> Timed:
    """Time all passes, and check every answer that was timed.

    Raises:
        InvalidAnswer: An answer is wrong.
        DeadlineReached: The time was up.
    """
    passes = problem.passes(seed)
    warm = passes[0][0][:WARM].copy()
    answer(warm, np.empty(len(warm), np.int64))
    cpu, wall = [], []
    out = np.empty(problem.lookups, np.int64)
    for number, (queries, expected) in enumerate(passes):
        # No answer of an earlier pass may stand for one that was not given; the queries are a copy for the same reason.
        out.fill(-1)
        given = queries.copy()
        began, busy = time.perf_counter_ns(), time.process_time_ns()
        answer(given, out)
        busy, took = time.process_time_ns() - busy, time.perf_counter_ns() - began
        cpu.append(busy / len(queries))
        wall.append(took / len(queries))
        if checked:
            check(queries, out, expected)
        if deadline is not None and time.monotonic() > deadline:
            raise DeadlineReached(f"time was up after {number + 1} of {len(passes)} passes")
    return Timed(tuple(cpu), tuple(wall))


def check(queries: Keys, out: Places, expected: Places) -> None:
    """Hold answers against the exact ones.

    Raises:
        InvalidAnswer: One is wrong; the first is named.
    """
    wrong: NDArray[np.intp] = np.flatnonzero(out != expected)
    if len(wrong):
        place = int(wrong[0])
        raise InvalidAnswer(
            f"{len(wrong):,} of {len(out):,} answers are wrong: the first for {queries[place]!r} is {out[place]}, "
            f"and {expected[place]} keys are less"
        )


def held(problem: Problem, session: Session, form: Form, copies: bool) -> int:
    """Bytes that a session holds besides the keys.

    Arrays and constants of kernels are counted here; a session in Python tells by its attribute `nbytes` and is
    believed.

    Raises:
        InvalidAnswer: They are more than the budget, which only layouts that hold a copy of the keys may exceed; or
            they are not told, or cannot be counted.
    """
    if form is Form.DECIDE:
        told = getattr(session, "nbytes", None)
        if not isinstance(told, int | np.integer) or isinstance(told, bool) or told < 0:
            raise InvalidAnswer(f"the session's nbytes is {told!r}, not the bytes that its index holds")
        nbytes = int(told)
    else:
        nbytes = footprint(*session.kernel) if session.kernel else 0
    if nbytes > problem.budget and not copies:
        raise InvalidAnswer(f"the index holds {nbytes:,} bytes, and its budget is {problem.budget:,}")
    return nbytes


def outcome(problem: Problem, timed: Timed, nbytes: int, start_s: float) -> Outcome:
    """What a run measured."""
    keys = problem.keys
    decisions = problem.lookups * len(timed.cpu_ns)
    metrics = {
        "keys": len(keys), "budget_bytes": problem.budget, "bytes": nbytes, "bytes_share": nbytes / keys.nbytes,
        "build_ns_a_key": 1e9 * start_s / len(keys), "wall_ns_a_lookup": float(np.median(timed.wall_ns)),
        "spread": (max(timed.cpu_ns) - min(timed.cpu_ns)) / max(timed.value, 1e-9),
    }  # fmt: skip
    decide_s = 1e-9 * problem.lookups * sum(timed.cpu_ns)
    return Outcome(timed.value, decisions=decisions, start_s=start_s, decide_s=decide_s, metrics=metrics)


def floor(problem: Problem, locator: Locator, seed: int) -> Outcome:
    """The time of a kernel that answers nothing, on the same lookups."""
    keys = problem.copied()

    def answer(queries: Keys, out: Places) -> None:
        locator.run(keys, queries, out, *locator.arrays)

    return outcome(problem, clock(problem, answer, seed, checked=False), 0, 0.0)
