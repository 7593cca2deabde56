"""What no schedule can beat: the mean completion time of a relaxed cluster.

The relaxation keeps, for every job j with arrival r_j, two facts of each run with the given draws:

1. *Path.* No executor is at a job when it arrives: the first to come needs the moving delay d. A stage ends no sooner
   than its longest task after all of its parents have, so that job j ends no sooner than
   b_j = r_j + d + (longest path of each stage's longest task).
2. *Work.* Executors give job j the time that its tasks take, and d for the first move. On one machine that is as fast
   as all E executors together and may be preempted, jobs of lengths p_j = (d + work of j) / E are completed no later,
   one by one in order of completion, under shortest-remaining-processing-time-first than under any other schedule (L.
   Schrage, Operations Research 16, 1968; that SRPT has completed as many jobs as any other at every moment is D. R.
   Smith, Operations Research 26, 1978). So the k-th completion is no sooner than s_k, the k-th of SRPT.

The k-th completion is therefore no sooner than max(s_k, k-th smallest b_j), and the sum of these less the arrivals,
over the number of jobs, is a bound. A task's time is the least that its draw gives with any number of executors in any
wave.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from unseat.core.jit import jit
from unseat.core.learner import Bounder, Kind
from unseat.core.outcome import Limits, Outcome
from unseat.core.srpt import srpt
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.layout import Float64, Int32, Memory
from unseat.tasks.schedule.engine.memory import table
from unseat.tasks.schedule.engine.moves import draw, drawn, measured


class Relaxation(Bounder):
    """The better of path and work for each completion, on the aggregate machine."""

    name, kind = "path and SRPT", Kind.RELAXATION

    def solve(self, problem: Any, *, seed: int, limits: Limits) -> Outcome:
        """See the module."""
        cluster = problem.cluster
        m = cluster.begin(seed)
        longest, work = np.zeros(m[at.STAGES]), np.zeros(m[at.JOBS])
        least(m, cluster.durations, longest, work)
        jobs = table(m, at.ALL_JOBS)
        arrivals = jobs[:, at.ARRIVAL].astype(float)
        moving = float(problem.machines.moving_ms)
        paths, first = np.zeros(len(jobs)), 0
        for job, (graph, _) in enumerate(problem.arrivals):
            own = longest[first : first + len(graph.stages)]
            ends: dict[int, float] = {}
            for place in graph.order:
                ends[place] = own[place] + max((ends[other] for other in graph.stages[place].parents), default=0.0)
            paths[job], first = max(ends.values()), first + len(graph.stages)
        by_work = srpt(arrivals, (moving + work) / problem.machines.executors)
        by_path = np.sort(arrivals + moving + paths)
        return Outcome(float((np.maximum(by_work, by_path).sum() - arrivals.sum()) / len(jobs) / 1000))


@jit
def least(m: Memory, durations: Int32, longest: Float64, work: Float64) -> None:
    """The least time of each task, whatever its wave and its job's executors: the longest of a stage, all of a job."""
    executors, rows = m[at.EXECUTORS], m[at.LEVELS]
    last = rows + executors * at.LEVEL
    for stage in range(m[at.ALL_STAGES], m[at.ALL_STAGES] + m[at.STAGES] * at.STAGE, at.STAGE):
        job, number = (m[stage + at.OF_JOB] - m[at.ALL_JOBS]) // at.JOB, m[stage + at.STAGE_NUMBER]
        for task in range(m[stage + at.FIRST_TASK], m[stage + at.FIRST_TASK] + m[stage + at.TASKS]):
            bits, best = draw(m[at.SEED], task), np.int64(1 << 62)
            for row in range(rows + at.LEVEL, last + at.LEVEL, at.LEVEL):
                # Between two measured numbers a draw gives what one of both gives; the last two may not both be met.
                if m[row + at.SPAN] > 1 and m[row + at.LOWER] != m[last + at.LOWER]:
                    continue
                for wave in range(3):
                    count = (row - rows) // at.LEVEL
                    span, added = measured(m, durations, bits, m[stage + at.WAVES], count, wave)
                    best = min(best, np.int64(drawn(durations, bits, span) + added))
            work[job] += best
            longest[number] = max(longest[number], best)
