"""What several rules do: look at jobs in order, and at a job's stages in order."""

from __future__ import annotations

import math

from unseat.core.jit import inlined
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.layout import NONE, Float64, Memory

NO_LIMIT = 1 << 40

NO_CAP = 99.0
"""An exponent of `share` that stands for no limit at all."""


@inlined
def first_ready(m: Memory, begin: int, end: int) -> int:
    """Of one job's candidates, in ``[begin, end)`` of the list, the one that was ready first, or else the first."""
    job = m[m[begin] + at.OF_JOB]
    for place in range(m[job + at.READY_LIST], m[job + at.READY_LIST] + m[job + at.READY_COUNT]):
        for other in range(begin, end):
            if m[other] == m[place]:
                return int(m[place])
    return int(m[begin])


@inlined
def end_of_job(m: Memory, begin: int) -> int:
    """Where in the list of candidates those of the job at `begin` end; they lie together."""
    end, last = begin + 1, m[at.CANDIDATE_LIST] + m[at.CANDIDATES]
    while end < last and m[m[end] + at.OF_JOB] == m[m[begin] + at.OF_JOB]:
        end += 1
    return int(end)


@inlined
def stay(m: Memory) -> int:
    """A stage of the job whose executors are asked about, or `NONE`."""
    place, last = m[at.CANDIDATE_LIST], m[at.CANDIDATE_LIST] + m[at.CANDIDATES]
    while place < last:
        end = end_of_job(m, place)
        if m[m[place] + at.OF_JOB] == m[at.SOURCE_JOB]:
            return first_ready(m, place, end)
        place = end
    return NONE


@inlined
def weight(m: Memory, job: int, alpha: float) -> float:
    """What a job's share is in proportion to."""
    return 1.0 if alpha == 0.0 else math.exp(alpha * math.log(max(m[job + at.JOB_WORK], 1)))


@inlined
def all_weights(m: Memory, alpha: float) -> float:
    """The weights of all jobs that have tasks which no executor is to run yet."""
    if alpha == NO_CAP:
        return 1.0  # `share` does not look at it.
    total = 0.0
    for place in range(m[at.ACTIVE], m[at.ACTIVE] + m[at.ACTIVE_JOBS]):
        for stage in range(m[m[place] + at.FIRST_STAGE], m[m[place] + at.END_STAGE], at.STAGE):
            if m[stage + at.CLAIMED] < m[stage + at.TASKS]:
                total += weight(m, m[place], alpha)
                break
    return total


@inlined
def share(m: Memory, job: int, alpha: float, total: float) -> int:
    """A job's part of all executors, in proportion to (its work) ** alpha; all of them for `NO_CAP`."""
    if alpha == NO_CAP:
        return NO_LIMIT
    # Rounding must not lift a share that is a whole number.
    return math.ceil(float(m[at.EXECUTORS]) * weight(m, job, alpha) / total - 1e-9)


@inlined
def best_stage(m: Memory, begin: int, end: int, ranks: Float64) -> int:
    """Of the candidates in ``[begin, end)`` the one of the highest rank; the first of equal ones."""
    best = m[begin]
    for place in range(begin + 1, end):
        if ranks[m[m[place] + at.STAGE_NUMBER]] > ranks[m[best + at.STAGE_NUMBER]]:
            best = m[place]
    return int(best)
