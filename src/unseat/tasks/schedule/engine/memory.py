"""From job graphs and machines to the cluster's memory, and from there to tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate

import numpy as np

from unseat.core.errors import UserError
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.graphs import Arrivals
from unseat.tasks.schedule.engine.layout import Float32, Int32, Memory
from unseat.tasks.schedule.engine.library import MILLION, Library, library

MOST_BYTES = 2**30
"""Of a state at most: room for two million jobs of one stage. Each run has a state of its own."""


@dataclass(frozen=True)
class Machines:
    """The cluster.

    Attributes:
        counts: Executors of each class.
        memory: Their memory, as shares of the largest; one number a class.
        moving_ms: What an executor needs to move from one job to another.
        warm_up_ms: What a first task takes longer on an executor that has just come, where that was not measured.
        published_levels: Whether a number of executors between two measured ones takes the lower with the probability
            that the published simulator has (which grows with the distance to it), or the nearer with the larger.
        reoffer: Whether idle executors of the common pool are offered again when a stage becomes ready, and not only
            when a job arrives, as published.

    Raises:
        UserError: A number is out of range.
    """

    counts: tuple[int, ...] = (50,)
    memory: tuple[float, ...] = (1.0,)
    moving_ms: int = 2000
    warm_up_ms: int = 1000
    published_levels: bool = True
    reoffer: bool = False

    def __post_init__(self) -> None:
        if not self.counts or len(self.counts) != len(self.memory):
            raise UserError("a cluster has one number of executors and one memory a class")
        if min(self.counts) < 1 or sum(self.counts) > 10_000:
            raise UserError(f"{sum(self.counts)} executors; give each class at least 1, and 10,000 at most in all")
        if not all(0 < share <= 1 for share in self.memory) or max(self.memory) != 1.0:
            raise UserError("memory of the classes is given as shares of the largest, which is 1")
        if not (0 <= self.moving_ms < 2**31 and 0 <= self.warm_up_ms < 2**31):
            raise UserError("delays are given in ms, at least 0")

    @property
    def executors(self) -> int:
        """All of them."""
        return sum(self.counts)


@dataclass(frozen=True)
class Cluster:
    """Jobs and machines before the first event.

    Attributes:
        arrivals: The jobs.
        machines: The machines.
        memory: The state at the beginning, without a seed; see `layout`.
        library: The jobs' graphs as arrays.
        as_known: Whether durations are those that a scheduler is told.
    """

    arrivals: Arrivals
    machines: Machines
    memory: Memory
    library: Library
    as_known: bool = False

    @property
    def durations(self) -> Int32:
        """See `Library.durations`, or `Library.known` of a cluster as it is known."""
        return self.library.known if self.as_known else self.library.durations

    @property
    def known(self) -> Cluster:
        """The cluster as far as a scheduler knows it, for whoever looks ahead by simulation."""
        return replace(self, as_known=True)

    @property
    def static(self) -> Float32:
        """See `Library.told`."""
        return self.library.told(self.machines.executors)

    @cached_property
    def tasks(self) -> int:
        """Tasks of all jobs."""
        return int(table(self.memory, at.ALL_STAGES)[:, at.TASKS].sum())

    def begin(self, seed: int, log: bool = False) -> Memory:
        """A fresh state for a run; `log` keeps a row a task."""
        end = self.memory.size
        m = np.zeros(end + (self.tasks * at.LOG_ROW if log else 0), np.int64)
        m[:end] = self.memory
        m[at.LOG] = end if log else at.NONE
        m[at.SEED] = np.random.default_rng(seed).integers(2**62)
        return m


_TABLES = {
    at.ALL_EXECUTORS: (at.EXECUTORS, at.EXECUTOR), at.ALL_JOBS: (at.JOBS, at.JOB), at.ALL_STAGES: (at.STAGES, at.STAGE)
}  # fmt: skip


def table(m: Memory, kind: int) -> Memory:
    """All records of a kind (`ALL_EXECUTORS`, `ALL_JOBS`, `ALL_STAGES`), a row each, as a view."""
    count, width = _TABLES[kind]
    return m[m[kind] : m[kind] + m[count] * width].reshape(-1, width)


def logged(m: Memory) -> Memory:
    """The log of tasks, a row each: number of the executor, of the stage, of its task, start and end in ms."""
    rows = m[m[at.LOG] : m[at.LOG] + m[at.LOGGED] * at.LOG_ROW].reshape(-1, at.LOG_ROW).copy()
    rows[:, at.LOG_EXECUTOR] = (rows[:, at.LOG_EXECUTOR] - m[at.ALL_EXECUTORS]) // at.EXECUTOR
    rows[:, at.LOG_STAGE] = (rows[:, at.LOG_STAGE] - m[at.ALL_STAGES]) // at.STAGE
    return rows


def lay_out(arrivals: Arrivals, machines: Machines) -> Cluster:
    """Jobs and machines as records.

    Raises:
        UserError: There are more tasks than a run can number, or more jobs than `MOST_BYTES` hold.
    """
    if arrivals.tasks > at.MOST_TASKS:
        raise UserError(
            f"{arrivals.tasks:,} tasks; the simulator takes {at.MOST_TASKS:,} at most: give fewer jobs at once"
        )
    lib = library(arrivals.graphs)
    chosen = np.array(arrivals.jobs)
    jobs, stages = chosen.size, int(np.array([len(block) for block in lib.blocks])[chosen].sum())
    edges = int(np.array([below.size for below in lib.edges])[chosen].sum())
    executors, classes = machines.executors, len(machines.counts)
    sizes = {
        "header": at.HEADER, "executors": executors * at.EXECUTOR, "jobs": jobs * at.JOB, "stages": stages * at.STAGE,
        "heap": 2 * executors, "levels": (executors + 1) * at.LEVEL, "active": jobs,
        "ready": stages, "candidates": stages, "pending": classes * (jobs + 1), "class memory": classes,
        "children": edges, "pools": classes * (jobs + 1) * at.POOL, "sources": classes * stages * at.PROMISES,
        "upward": stages, "promises": (2 * executors + 2) * at.PROMISE,
    }  # fmt: skip
    ends = list(accumulate(sizes.values()))
    if 8 * ends[-1] > MOST_BYTES:
        on = f" on {classes:,} classes of executors" if classes > 1 else ""
        raise UserError(
            f"{jobs:,} jobs with {stages:,} stages take {8 * ends[-1] / 2**30:,.1f} GiB of memory{on}, and "
            f"{MOST_BYTES / 2**30:g} is the most: give fewer jobs at once"
        )
    begins = dict(zip(sizes, [0, *ends], strict=False))
    m = np.zeros(ends[-1], np.int64)
    m[[at.EXECUTORS, at.JOBS, at.STAGES, at.CLASSES]] = executors, jobs, stages, classes
    m[[at.ALL_EXECUTORS, at.ALL_JOBS, at.ALL_STAGES]] = begins["executors"], begins["jobs"], begins["stages"]
    m[[at.HEAP, at.LEVELS, at.ACTIVE]] = begins["heap"], begins["levels"], begins["active"]
    m[[at.CANDIDATE_LIST, at.PENDING_LIST]] = begins["candidates"], begins["pending"]
    m[[at.CLASS_MEMORY, at.POOLS]] = begins["class memory"], begins["pools"]
    m[[at.MOVING_MS, at.WARM_UP_MS]] = machines.moving_ms, machines.warm_up_ms
    m[[at.PUBLISHED_LEVELS, at.REOFFER]] = machines.published_levels, machines.reoffer
    m[begins["levels"] : begins["active"]] = lib.levels(executors).ravel()
    m[begins["class memory"] : begins["children"]] = [round(share * MILLION) for share in machines.memory]
    promises = m[begins["promises"] :].reshape(-1, at.PROMISE)
    promises[:-1, at.NEXT] = begins["promises"] + at.PROMISE * np.arange(1, len(promises))
    m[at.FREE_PROMISE] = begins["promises"]
    _pools(m, machines)
    _jobs(m, arrivals, lib, begins)
    return Cluster(arrivals, machines, m, lib)


def _pools(m: Memory, machines: Machines) -> None:
    """Pools of the common executors and of each job, a class after the other; all executors are in the common ones."""
    classes, jobs = len(machines.counts), int(m[at.JOBS])
    pools = m[m[at.POOLS] :][: classes * (jobs + 1) * at.POOL].reshape(-1, at.POOL)
    pools[classes:, at.POOL_JOB] = np.repeat(m[at.ALL_JOBS] + at.JOB * np.arange(jobs), classes)
    pools[:, at.POOL_CLASS] = np.tile(np.arange(classes), jobs + 1)
    pools[:classes, at.POOL_COUNT] = machines.counts
    executors = table(m, at.ALL_EXECUTORS)
    executors[:, at.CLASS] = np.repeat(np.arange(classes), machines.counts)
    executors[:, at.LINK] = m[at.ALL_EXECUTORS] + at.EXECUTOR * np.arange(1, len(executors) + 1)
    ends = np.cumsum(machines.counts)
    executors[ends - 1, at.LINK] = at.NONE
    pools[:classes, at.POOL_HEAD] = m[at.ALL_EXECUTORS] + at.EXECUTOR * (ends - machines.counts)


def _jobs(m: Memory, arrivals: Arrivals, lib: Library, begins: dict[str, int]) -> None:
    """Records of jobs and stages, and the lists of both."""
    classes, chosen = int(m[at.CLASSES]), np.array(arrivals.jobs)
    records, rows = table(m, at.ALL_JOBS), table(m, at.ALL_STAGES)
    counts, of_graphs = _sizes(lib.blocks, chosen)
    rows[:] = np.concatenate(lib.blocks)[of_graphs]
    number = np.cumsum(counts) - counts  # of each job's first stage
    first = begins["stages"] + at.STAGE * number
    job_of = np.repeat(np.arange(chosen.size), counts)
    edge_counts, of_edges = _sizes(lib.edges, chosen)
    edge = begins["children"] + np.cumsum(edge_counts) - edge_counts
    tasks = np.array([graph.tasks for graph in lib.graphs])[chosen]
    rows[:, at.OF_JOB] = begins["jobs"] + at.JOB * job_of
    rows[:, at.FIRST_TASK] += (np.cumsum(tasks) - tasks)[job_of]
    rows[:, at.STAGE_NUMBER] = np.arange(len(rows))
    rows[:, at.STAGE_SOURCES] = begins["sources"] + classes * at.PROMISES * rows[:, at.STAGE_NUMBER]
    rows[:, [at.CHILDREN, at.CHILDREN_END]] += edge[job_of, None]
    places = np.concatenate(lib.edges)[of_edges]
    m[begins["children"] :][: places.size] = np.repeat(first, edge_counts) + at.STAGE * places
    upward = np.concatenate([np.array(graph.order[::-1]) for graph in lib.graphs])[of_graphs]
    m[begins["upward"] :][: upward.size] = first[job_of] + at.STAGE * upward
    records[:, at.ARRIVAL], records[:, at.JOB_NUMBER] = arrivals.at_ms, np.arange(chosen.size)
    records[:, at.STAGES_LEFT] = records[:, at.OPEN_STAGES] = counts
    records[:, at.FIRST_STAGE], records[:, at.END_STAGE] = first, first + at.STAGE * counts
    records[:, at.READY_LIST], records[:, at.UPWARD] = begins["ready"] + number, begins["upward"] + number
    records[:, at.JOB_POOLS] = m[at.POOLS] + classes * at.POOL * np.arange(1, chosen.size + 1)
    records[:, [at.JOB_WORK, at.JOB_PATH]] = lib.work_us[chosen]
    records[:, at.JOB_LEFT] = records[:, at.JOB_WORK]


def _sizes(parts: Sequence[Memory], chosen: Memory) -> tuple[Memory, Memory]:
    """Rows of each chosen part, and the places of all of their rows where all parts lie one behind the other."""
    sizes = np.array([len(part) for part in parts])
    counts, begins = sizes[chosen], (np.cumsum(sizes) - sizes)[chosen]
    return counts, np.repeat(begins - (np.cumsum(counts) - counts), counts) + np.arange(counts.sum())
