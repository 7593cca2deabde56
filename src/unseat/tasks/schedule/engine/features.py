"""What a policy is shown of each candidate: numbers of one stage, of its job and of the whole cluster.

Everything is known to a real scheduler: counts of tasks and executors, and what a history of the same query tells of
mean durations. Times (in seconds) and counts are on a logarithmic scale, so that products and powers are sums.
"""

from __future__ import annotations

import math

import numpy as np

from unseat.core.jit import inlined, jit
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.layout import NONE, Float32, Memory
from unseat.tasks.schedule.engine.library import SHARES, STATIC
from unseat.tasks.schedule.engine.moves import held

_SLOWER = tuple(f"log slower at {share:.0%} of executors" for share in SHARES)
OF_STAGE = ("log tasks unclaimed", "ready", "log executors at the stage", *STATIC, *_SLOWER)
OF_JOB = (
    "log work left", "log work", "log longest path", "log executors held", "holds none", "source's job",
    "log stages left", "log age", *(f"job's {text}" for text in _SLOWER),
)  # fmt: skip
OF_CLUSTER = (
    "log jobs", "log mean work left", "log least work left", "log all work left", "log executors offered",
    "log executors",
)  # fmt: skip
FEATURES = (*OF_STAGE, *OF_JOB, *OF_CLUSTER)
"""Columns of an observation. Executors that are asked about are not counted as held. *Slower* is how much longer tasks
take, measured, with so many executors at the job than in the mean over all that was measured."""

STAGES, JOBS, CLUSTER = len(OF_STAGE), len(OF_JOB), len(OF_CLUSTER)
F = STAGES + JOBS + CLUSTER
UNCLAIMED, READY, AT_STAGE, KNOWN = range(4)
LEFT, WORK, PATH, HELD, HOLDS_NONE, SOURCE, STAGES_LEFT, AGE, SLOWER = range(9)
N_JOBS, MEAN_LEFT, LEAST_LEFT, ALL_LEFT, OFFERED, EXECUTORS = range(6)
JOB_CHANGES = LEFT, HELD, HOLDS_NONE, SOURCE, STAGES_LEFT, AGE
"""Columns of a job that change during a run."""

_LOGS = np.log(np.maximum(np.arange(4096), 1)).astype(np.float32)


@inlined
def log_count(count: int) -> float:
    """log of a number of at least 1."""
    return float(_LOGS[count]) if count < 4096 else math.log(count)


@inlined
def log_s(micros: int) -> float:
    """log of microseconds in seconds, of which there is 1 ms at least."""
    return math.log(max(micros, 1000) * 1e-6)


@inlined
def describe_cluster(m: Memory, shown: Float32) -> None:
    """Fill ``float32[CLUSTER]``."""
    jobs, total, least = m[at.ACTIVE_JOBS], 0, 1 << 62
    for place in range(m[at.ACTIVE], m[at.ACTIVE] + jobs):
        left = m[m[place] + at.JOB_LEFT]
        total += left
        if left < least and m[m[place] + at.OPEN_STAGES] > 0:
            least = left
    shown[N_JOBS] = log_count(jobs)
    shown[ALL_LEFT] = log_s(total)
    shown[MEAN_LEFT] = shown[ALL_LEFT] - shown[N_JOBS]
    shown[LEAST_LEFT] = log_s(least)
    shown[OFFERED], shown[EXECUTORS] = log_count(m[at.OFFERED]), log_count(m[at.EXECUTORS])


@inlined
def describe_job(m: Memory, job: int, shown: Float32) -> None:
    """Fill the columns `JOB_CHANGES` of ``float32[JOBS]``."""
    holds = held(m, job)
    shown[LEFT] = log_s(m[job + at.JOB_LEFT])
    shown[HELD], shown[HOLDS_NONE], shown[SOURCE] = log_count(1 + holds), holds == 0, job == m[at.SOURCE_JOB]
    shown[STAGES_LEFT] = log_count(m[job + at.STAGES_LEFT])
    shown[AGE] = math.log(1.0 + (m[at.NOW] - m[job + at.ARRIVAL]) * 1e-3)


@inlined
def know_job(m: Memory, job: int, static: Float32, shown: Float32) -> None:
    """Fill the other columns of ``float32[JOBS]``, which do not change during a run."""
    shown[WORK], shown[PATH] = log_s(m[job + at.JOB_WORK]), log_s(m[job + at.JOB_PATH])
    row = m[m[job + at.FIRST_STAGE] + at.STAGE_ROW]
    for column in range(JOBS - SLOWER):
        shown[SLOWER + column] = static[row, STAGES - KNOWN + column]


@inlined
def describe_stage(m: Memory, stage: int, shown: Float32) -> None:
    """Fill the columns before `KNOWN` of ``float32[STAGES]``."""
    shown[UNCLAIMED] = log_count(m[stage + at.TASKS] - m[stage + at.CLAIMED])
    shown[READY] = m[stage + at.PARENTS_LEFT] == 0
    shown[AT_STAGE] = log_count(1 + m[stage + at.RUNNING])


@inlined
def know_stage(m: Memory, stage: int, static: Float32, shown: Float32) -> None:
    """Fill the other columns of ``float32[STAGES]``, which do not change during a run."""
    row = m[stage + at.STAGE_ROW]
    for column in range(STAGES - KNOWN):
        shown[KNOWN + column] = static[row, column]


@jit
def describe(m: Memory, static: Float32, features: Float32) -> None:
    """Fill the first rows of ``float32[n, F]``, one for each candidate of the open question."""
    last = NONE
    for row in range(m[at.CANDIDATES]):
        stage = m[m[at.CANDIDATE_LIST] + row]
        describe_stage(m, stage, features[row, :STAGES])
        know_stage(m, stage, static, features[row, :STAGES])
        if row == 0:
            describe_cluster(m, features[row, STAGES + JOBS :])
        else:
            features[row, STAGES + JOBS :] = features[row - 1, STAGES + JOBS :]
        if m[stage + at.OF_JOB] == last:
            features[row, STAGES : STAGES + JOBS] = features[row - 1, STAGES : STAGES + JOBS]
        else:
            last = m[stage + at.OF_JOB]
            describe_job(m, last, features[row, STAGES : STAGES + JOBS])
            know_job(m, last, static, features[row, STAGES : STAGES + JOBS])
