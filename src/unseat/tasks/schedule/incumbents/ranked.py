"""Rules that rank the stages of each job beforehand: HEFT's upward rank, and Graphene's order."""

from __future__ import annotations

import math

from unseat.core.jit import inlined
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.layout import NONE, Float64, Memory
from unseat.tasks.schedule.incumbents.shared import all_weights, best_stage, end_of_job, share
from unseat.tasks.schedule.incumbents.tetris import alignment

CAP, SHORT = range(2)
"""Places in `parameters`: exponent of the jobs' limits (`NO_CAP`: none); weight of the remaining work."""


@inlined
def heft(m: Memory, parameters: Float64, ranks: Float64) -> tuple[int, int]:
    """The candidate with the highest upward rank, of whichever job.

    H. Topcuoglu, S. Hariri, M.-Y. Wu, "Performance-effective and low-complexity task scheduling for heterogeneous
    computing", IEEE TPDS 13(3), 2002: rank(task) = its mean time + the largest of (transfer + rank) over its children.
    Executors are equal, and stay at a job without cost, so that nothing is transferred and the first free one is the
    one that finishes first.
    """
    first = m[at.CANDIDATE_LIST]
    best = best_stage(m, first, first + m[at.CANDIDATES], ranks)
    return best, share(m, m[best + at.OF_JOB], parameters[CAP], all_weights(m, parameters[CAP]))


@inlined
def graphene(m: Memory, parameters: Float64, ranks: Float64) -> tuple[int, int]:
    """Each job in its own order, troublesome stages first (see `graphene`); jobs by packing and remaining work.

    R. Grandl, S. Kandula, S. Rao, A. Akella, J. Kulkarni, "GRAPHENE: Packing and Dependency-aware Scheduling for
    Data-Parallel Clusters", OSDI 2016, section 5: the score of a task is its packing score less its job's remaining
    work, scaled to have the same mean.
    """
    first, last = m[at.CANDIDATE_LIST], m[at.CANDIDATE_LIST] + m[at.CANDIDATES]
    left, jobs, aligned, place = 0.0, 0, 0.0, first
    while place < last:
        end = end_of_job(m, place)
        left += m[m[m[place] + at.OF_JOB] + at.JOB_LEFT]
        aligned += alignment(m, best_stage(m, place, end, ranks))
        jobs += 1
        place = end
    epsilon = parameters[SHORT] * aligned / max(left, 1.0)
    best, best_score, place = NONE, -math.inf, first
    while place < last:
        end = end_of_job(m, place)
        stage = best_stage(m, place, end, ranks)
        score = alignment(m, stage) - epsilon * m[m[stage + at.OF_JOB] + at.JOB_LEFT]
        if score > best_score:
            best, best_score = stage, score
        place = end
    return best, share(m, m[best + at.OF_JOB], parameters[CAP], all_weights(m, parameters[CAP]))
