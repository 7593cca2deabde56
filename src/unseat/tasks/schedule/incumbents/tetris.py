"""Tetris: pack by the dot product of demand and what is free, and prefer jobs with little work left.

R. Grandl, G. Ananthanarayanan, S. Kandula, S. Rao, A. Akella, "Multi-resource Packing for Cluster Schedulers", SIGCOMM
2014: the alignment score (section 3.2), combined with the shortest remaining time by the ratio of their means (section
3.3.2), among the jobs that are furthest below their fair share (section 3.4). Here a task demands one executor and
memory, and an executor offers one and its own.
"""

from __future__ import annotations

import math

from unseat.core.jit import inlined
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.layout import NONE, Float64, Memory
from unseat.tasks.schedule.engine.moves import held
from unseat.tasks.schedule.incumbents.shared import all_weights, end_of_job, first_ready, share

CAP, FAIRNESS, SHORT = range(3)
"""Places in `parameters`: exponent of the jobs' limits (`NO_CAP`: none); the knob f, jobs that are at the front of more
than 1 - f of all are looked at no more; the weight m of the remaining work."""


@inlined
def alignment(m: Memory, stage: int) -> float:
    """Demand times what the executor has: one executor, and memory as shares of the largest."""
    return float(1.0 + m[stage + at.MEMORY] * 1e-6 * m[m[at.CLASS_MEMORY] + m[at.SOURCE_CLASS]] * 1e-6)


@inlined
def tetris(m: Memory, parameters: Float64) -> tuple[int, int]:
    """The candidate with the best combined score."""
    first, last = m[at.CANDIDATE_LIST], m[at.CANDIDATE_LIST] + m[at.CANDIDATES]
    aligned, left, jobs, place = 0.0, 0.0, 0, first
    while place < last:
        end = end_of_job(m, place)
        jobs += 1
        left += m[m[m[place] + at.OF_JOB] + at.JOB_LEFT]
        for other in range(place, end):
            aligned += alignment(m, m[other])
        place = end
    epsilon = parameters[SHORT] * (aligned / (last - first)) / max(left / jobs, 1.0)
    considered = max(1, math.ceil((1.0 - parameters[FAIRNESS]) * jobs))
    best, best_score, place = NONE, -math.inf, first
    while place < last:
        job, end = m[m[place] + at.OF_JOB], end_of_job(m, place)
        if ahead(m, job) < considered:
            stage = best_aligned(m, place, end)
            score = alignment(m, stage) - epsilon * m[job + at.JOB_LEFT]
            if score > best_score:
                best, best_score = stage, score
        place = end
    total = all_weights(m, parameters[CAP])
    return best, share(m, m[best + at.OF_JOB], parameters[CAP], total)


@inlined
def best_aligned(m: Memory, begin: int, end: int) -> int:
    """Of one job's candidates the best aligned one; of equal ones that which was ready first."""
    best = first_ready(m, begin, end)
    for place in range(begin, end):
        if m[m[place] + at.MEMORY] > m[best + at.MEMORY]:
            best = m[place]
    return int(best)


@inlined
def ahead(m: Memory, job: int) -> int:
    """Jobs with candidates that are further below their fair share, which is the same for all: that hold less."""
    count, own, place = 0, held(m, job), m[at.CANDIDATE_LIST]
    last = place + m[at.CANDIDATES]
    while place < last:
        count += held(m, m[m[place] + at.OF_JOB]) < own
        place = end_of_job(m, place)
    return count
