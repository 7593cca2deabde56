"""Shortest job first: the job with the least work gets as many executors as it can use."""

from __future__ import annotations

from unseat.core.jit import inlined
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.layout import Float64, Memory
from unseat.tasks.schedule.incumbents.shared import NO_LIMIT, best_stage, end_of_job, first_ready


@inlined
def shortest_job(m: Memory) -> tuple[int, int]:
    """Place in the list of candidates where those of the shortest job begin, and where they end."""
    best = place = m[at.CANDIDATE_LIST]
    last = place + m[at.CANDIDATES]
    while place < last:
        if m[m[m[place] + at.OF_JOB] + at.JOB_WORK] < m[m[m[best] + at.OF_JOB] + at.JOB_WORK]:
            best = place
        place = end_of_job(m, place)
    return int(best), end_of_job(m, best)


@inlined
def sjf(m: Memory) -> tuple[int, int]:
    """Shortest job first, its stages in the order in which they were ready."""
    begin, end = shortest_job(m)
    return first_ready(m, begin, end), NO_LIMIT


@inlined
def sjf_cp(m: Memory, paths: Float64) -> tuple[int, int]:
    """Shortest job first, the next stage on its critical path (SJF-CP of H. Mao et al., SIGCOMM 2019, section 7.1).

    A path is as long as the work of its stages (section 5.1).
    """
    begin, end = shortest_job(m)
    return best_stage(m, begin, end, paths), NO_LIMIT
