"""The compact scorer: one small network over each candidate says who gets the executors, and how many.

All arithmetic is in the order and the width of the compiled policy's.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unseat.tasks.schedule.exporters.parts.cluster import (
    Cluster,
    Job,
    Question,
    Stage,
    children_of,
    downward,
    held,
    left_us,
    work_us,
)

SHARES = 0.1, 0.2, 0.4, 0.8
"""Shares of the cluster's executors at which the network is told how much slower tasks are."""

MOST_LIMITS = 256
"""A limit above this is taken as it is wanted."""

SCORE, LIMIT, SLOWER, WAVES = range(4)
"""Outputs: a score; the logarithm of the limit; weights of slower tasks, and of waves that are not full."""

STAGE_CHANGES, JOB_CHANGES = 3, (0, 3, 4, 5, 6, 7)
"""How many of a stage's first columns change during a run, and which of a job's do."""

LOGS = np.log(np.maximum(np.arange(4096), 1)).astype(np.float32)


class Weights(NamedTuple):
    """The network: inputs lead to hidden units and, past them, to the outputs.

    Attributes:
        inputs: float32 [inputs, hidden + outputs].
        bias: float32 [hidden + outputs].
        outputs: float32 [hidden, outputs].
        prices: float32 [2], of what a job holds over its limit (as a ratio, on a logarithmic scale), and under it.
    """

    inputs: NDArray[np.float32]
    bias: NDArray[np.float32]
    outputs: NDArray[np.float32]
    prices: NDArray[np.float32]


class Told(NamedTuple):
    """What is known of a job's stages beforehand.

    Attributes:
        stages: float32 [stages, 11]: log mean task, log path to the end, log work below, stages to the end, log fresh
            over mean, log first over rest, memory; how much slower tasks are at `SHARES`.
        job: float32 [4]: how much slower the whole job is at `SHARES`.
        path_us: Its longest path.
        curves: float32 [stages, points]: how much slower stage and job together are with a number of executors.
        points: These numbers.
    """

    stages: NDArray[np.float32]
    job: NDArray[np.float32]
    path_us: int
    curves: NDArray[np.float32]
    points: tuple[int, ...]


def log_count(count: int) -> float:
    """log of a number of at least 1."""
    return float(LOGS[count]) if count < 4096 else math.log(count)


def log_s(micros: int) -> float:
    """log of microseconds in seconds, of which there is 1 ms at least."""
    return math.log(max(micros, 1000) * 1e-6)


def told_of(job: Job, cluster: Cluster) -> Told:
    """What is known of a job, worked out once for all jobs that are equal."""
    # Fields that are lists become tuples, which can be told apart by their contents.
    stages = tuple(
        (
            s.tasks,
            tuple(s.parents),
            s.mean_ms,
            tuple(s.wave_ms),
            tuple((n, ms) for n, ms in s.by_executors_ms),
            s.memory,
        )
        for s in job.stages
    )
    return told(stages, tuple(cluster.measured_at), sum(cluster.classes))


@lru_cache(maxsize=1024)
def told(
    facts: tuple[
        tuple[int, tuple[int, ...], float, tuple[float | None, ...], tuple[tuple[int, float], ...], float], ...
    ],
    measured_at: tuple[int, ...],
    executors: int,
) -> Told:
    """See `Told`; `facts` are tasks, parents, means (over all, by wave, by executors) and memory of each stage."""
    stages = [Stage(*fact) for fact in facts]
    static, path_us = described(stages)
    points = measured_at or tuple(sorted({count for stage in stages for count, _ in stage.by_executors_ms})) or (1,)
    means = np.zeros((len(stages), len(points)))
    for place, stage in enumerate(stages):
        found = dict(stage.by_executors_ms) or {1: stage.mean_ms}
        means[place] = [found[max((n for n in found if n <= point), default=min(found))] for point in points]
    tasks = np.array([stage.tasks for stage in stages])
    usual = np.array([stage.mean_ms for stage in stages])
    of_stage = np.log(means / usual[:, None]).astype(np.float32)
    of_job = np.log(tasks @ means / (tasks @ usual)).astype(np.float32)
    wanted = [share * executors for share in SHARES]
    slower = [np.interp(wanted, points, curve) for curve in of_stage]
    columns = np.concatenate([static, np.array(slower, np.float32)], axis=1)
    at_shares = np.interp(wanted, points, of_job).astype(np.float32)
    return Told(columns, at_shares, path_us, of_stage + of_job, points)


def described(stages: Sequence[Stage]) -> tuple[NDArray[np.float32], int]:
    """The first seven columns of `Told.stages`, and the longest path."""
    parents = [stage.parents for stage in stages]
    children = children_of(parents)
    below: list[set[int]] = [set() for _ in stages]
    found = np.zeros((len(stages), 7))
    for place in reversed(downward(parents)):
        stage = stages[place]
        below[place] = set(children[place]).union(*(below[child] for child in children[place]))
        work = sum(stages[other].tasks * stages[other].mean_ms for other in below[place])
        path = stage.mean_ms + max((found[child, 1] for child in children[place]), default=0.0)
        waves = [stage.mean_ms if mean is None else mean for mean in stage.wave_ms]
        depth = 1 + max((found[child, 6] for child in children[place]), default=0.0)
        found[place] = stage.mean_ms, path, work, *waves, depth
    found[:, :6] *= 1000
    micros = np.rint(found).astype(np.int64)
    mean, path, work, fresh, first, rest, depth = np.maximum(micros.T, [[1000]] * 6 + [[1]]).astype(float)
    columns = (
        np.log(mean / 1_000_000),
        np.log(path / 1_000_000),
        np.log(work / 1_000_000),
        0.1 * depth,
        np.log(fresh / mean),
        np.log(first / rest),
        [stage.memory for stage in stages],
    )
    return np.stack(columns, axis=1).astype(np.float32), int(micros[:, 1].max())


def describe_cluster(asked: Question) -> NDArray[np.float32]:
    """float32 [6]."""
    left = [left_us(job) for job in asked.jobs]
    total = sum(left)
    least = min(own for job, own in zip(asked.jobs, left) if any_to_start(job))  # noqa: B905 (Python 3.9)
    jobs, all_left = np.float32(log_count(len(left))), np.float32(log_s(total))
    counts = log_count(asked.offered), log_count(asked.executors)
    return np.array([jobs, all_left - jobs, log_s(least), all_left, *counts], np.float32)


def any_to_start(job: Job) -> bool:
    """Whether a job has tasks that were not started."""
    return any(stage.started < stage.tasks for stage in job.stages)


def describe_job(asked: Question, job: Job, known: Told) -> NDArray[np.float32]:
    """float32 [12]."""
    own = held(asked, job)
    unfinished = sum(stage.finished < stage.tasks for stage in job.stages)
    age = math.log(1.0 + (asked.cluster.now_ms - job.arrival_ms) * 1e-3)
    work = log_s(left_us(job)), log_s(work_us(job)), log_s(known.path_us)
    counts = log_count(1 + own), own == 0, job is asked.source, log_count(unfinished)
    return np.array([*work, *counts, age, *known.job], np.float32)


def describe_stage(job: Job, place: int, known: Told) -> NDArray[np.float32]:
    """float32 [14]."""
    stage = job.stages[place]
    ready = all(job.stages[parent].finished == job.stages[parent].tasks for parent in stage.parents)
    counts = log_count(stage.tasks - stage.claimed), ready, log_count(1 + stage.at_work)
    return np.array([*counts, *known.stages[place]], np.float32)


def add(
    shown: NDArray[np.float32], columns: Iterable[int], inputs: NDArray[np.float32], sums: NDArray[np.float32]
) -> None:
    """Add some columns of what is shown, each times its row of the weights, one after the other."""
    for column in columns:
        sums += shown[:, column, None] * inputs[column]


def scorer(asked: Question, weights: Weights) -> tuple[Job, int, int] | None:
    """The candidate of the best score, less a price for what its job holds over its limit; the cheapest limit."""
    found = [(job, place) for job, places in asked.candidates for place in places]
    known = {job: told_of(job, asked.cluster) for job, _ in asked.candidates}
    of_jobs = {job: describe_job(asked, job, known[job]) for job in known}
    cluster = describe_cluster(asked)
    jobs = np.array([of_jobs[job] for job, _ in found])
    stages = np.array([describe_stage(job, place, known[job]) for job, place in found])
    # In this order and not by `@`: first what a run changes of cluster and job, then what it does not, then the stage.
    sums = np.repeat(weights.bias[None], len(found), axis=0)
    for column, value in enumerate(cluster):
        sums += value * weights.inputs[stages.shape[1] + jobs.shape[1] + column]
    of_stage, of_job = weights.inputs[: stages.shape[1]], weights.inputs[stages.shape[1] :]
    add(jobs, JOB_CHANGES, of_job, sums)
    unchanged = np.zeros_like(sums)
    add(stages, range(STAGE_CHANGES, stages.shape[1]), of_stage, unchanged)
    add(jobs, [column for column in range(jobs.shape[1]) if column not in JOB_CHANGES], of_job, unchanged)
    sums += unchanged
    add(stages, range(STAGE_CHANGES), of_stage, sums)
    hidden = len(weights.outputs)
    active, outputs = np.maximum(sums[:, :hidden], np.float32(0.0)), sums[:, hidden:]
    for unit in range(hidden):
        outputs += active[:, unit, None] * weights.outputs[unit]
    log_held = jobs[:, 3]
    over = log_held - outputs[:, LIMIT]
    scores = outputs[:, SCORE] - np.where(over > 0, weights.prices[0] * over, weights.prices[1] * over)
    best = int(scores.argmax())
    job, place = found[best]
    return job, place, cheapest(asked, job, place, known[job], outputs[best])


def cheapest(asked: Question, job: Job, place: int, known: Told, wanted: NDArray[np.float32]) -> int:
    """The limit of the least cost: near the wanted one, of no slower tasks, and of full waves."""
    wish, stage = float(wanted[LIMIT]), job.stages[place]
    if wish > math.log(MOST_LIMITS):
        return int(min(float(np.float32(math.exp(min(wish, 20.0)))), asked.executors))
    unclaimed, best, least = stage.tasks - stage.claimed, 1, math.inf
    for limit in range(1, min(asked.executors, MOST_LIMITS) + 1):
        sent = max(limit - held(asked, job), 1)
        waves = log_count((unclaimed + sent - 1) // sent) + log_count(sent) - log_count(unclaimed)
        away = log_count(limit) - wish
        slower = slower_with(limit, known.points, known.curves[place], asked.cluster.published_levels)
        cost = away * away + float(wanted[SLOWER]) * slower + float(wanted[WAVES]) * waves
        if cost < least:
            best, least = limit, cost
    return best


def slower_with(count: int, points: Sequence[int], curve: NDArray[np.float32], published_levels: bool) -> float:
    """How much slower tasks are with so many executors, on a logarithmic scale, between measured numbers too."""
    upper = sum(point < count for point in points)
    if upper == len(points):
        return float(curve[-1])
    if upper == 0 or points[upper] == count:
        return float(curve[upper])
    lower = upper - 1
    part = (count - points[lower]) / (points[upper] - points[lower])
    if published_levels:
        part = 1.0 - part
    return float(curve[lower]) + part * float(curve[upper] - curve[lower])
