"""Fair shares, equal or weighted by the jobs' work, as Decima's paper has them, and two stronger forms.

H. Mao et al., "Learning Scheduling Algorithms for Data Processing Clusters", SIGCOMM 2019, section 7.1: job i gets
T_i**alpha / sum_j T_j**alpha of the executors, T its total work; alpha = 0 is Spark's fair scheduler. As published, an
executor stays at its job while that has work, whatever its share, and one that no job may have stays idle.
"""

from __future__ import annotations

import math

from unseat.core.jit import inlined
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.layout import NONE, Float64, Memory
from unseat.tasks.schedule.engine.moves import held
from unseat.tasks.schedule.incumbents.shared import NO_LIMIT, all_weights, end_of_job, first_ready, share, stay

ALPHA, CONSERVING, SHORTEST = range(3)
"""Places in `parameters`. CONSERVING: a job keeps executors within its share only, and an executor that every share
excludes goes to a job all the same. SHORTEST: jobs in the order of their remaining work, not of arrival."""


@inlined
def weighted_fair(m: Memory, parameters: Float64) -> tuple[int, int]:
    """The first job, in its order, that holds fewer executors than its share."""
    conserving = parameters[CONSERVING] != 0.0
    if not conserving:
        stage = stay(m)
        if stage != NONE:
            return stage, NO_LIMIT
    total = all_weights(m, parameters[ALPHA])
    best, limit, best_key, best_over = NONE, 0, math.inf, True
    place, last = m[at.CANDIDATE_LIST], m[at.CANDIDATE_LIST] + m[at.CANDIDATES]
    while place < last:
        job, end = m[m[place] + at.OF_JOB], end_of_job(m, place)
        cap = share(m, job, parameters[ALPHA], total)
        over = held(m, job) >= cap
        if conserving or not over:
            key = float(m[job + at.JOB_LEFT] if parameters[SHORTEST] else place)
            if job == m[at.SOURCE_JOB]:
                key = -1.0  # To stay costs no move.
            if best == NONE or (over, key) < (best_over, best_key):
                best, limit = first_ready(m, place, end), NO_LIMIT if over else cap
                best_key, best_over = key, over
        place = end
    return best, limit
