"""From job graphs and machines to the cluster's memory, and from there to tables."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from unseat.core.errors import UserError
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.graphs import Arrivals
from unseat.tasks.schedule.engine.layout import Float32, Int32, Memory
from unseat.tasks.schedule.engine.library import MILLION, Library, library


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
    """

    arrivals: Arrivals
    machines: Machines
    memory: Memory
    library: Library

    @property
    def durations(self) -> Int32:
        """See `Library.durations`."""
        return self.library.durations

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
        UserError: There are more tasks than a run can number.
    """
    total = sum(graph.tasks for graph, _ in arrivals)
    if total > at.MOST_TASKS:
        raise UserError(f"{total:,} tasks; the simulator takes {at.MOST_TASKS:,} at most: give fewer jobs at once")
    lib = library(arrivals.graphs)
    jobs, stages = len(arrivals.jobs), sum(len(lib.blocks[graph]) for graph in arrivals.jobs)
    edges = sum(lib.edges[graph].size for graph in arrivals.jobs)
    executors, classes = machines.executors, len(machines.counts)
    sizes = {
        "header": at.HEADER, "executors": executors * at.EXECUTOR, "jobs": jobs * at.JOB, "stages": stages * at.STAGE,
        "heap": 2 * executors, "levels": (executors + 1) * at.LEVEL, "active": jobs,
        "ready": stages, "candidates": stages, "pending": classes * (jobs + 1), "class memory": classes,
        "children": edges, "pools": classes * (jobs + 1) * at.POOL, "sources": classes * stages * at.PROMISES,
        "upward": stages, "promises": (2 * executors + 2) * at.PROMISE,
    }  # fmt: skip
    ends = np.cumsum(list(sizes.values())).tolist()
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
    classes = int(m[at.CLASSES])
    records, stages = table(m, at.ALL_JOBS), table(m, at.ALL_STAGES)
    number = edge = task = 0
    for job, (graph, when) in enumerate(zip(arrivals.jobs, arrivals.at_ms, strict=True)):
        block, edges = lib.blocks[graph], lib.edges[graph]
        count, first = len(block), begins["stages"] + number * at.STAGE
        rows = stages[number : number + count]
        rows[:] = block
        rows[:, at.OF_JOB] = begins["jobs"] + job * at.JOB
        rows[:, at.FIRST_TASK] += task
        rows[:, at.STAGE_NUMBER] += number
        rows[:, at.STAGE_SOURCES] = begins["sources"] + classes * at.PROMISES * rows[:, at.STAGE_NUMBER]
        rows[:, [at.CHILDREN, at.CHILDREN_END]] += begins["children"] + edge
        m[begins["children"] + edge :][: edges.size] = first + edges * at.STAGE
        record = records[job]
        record[[at.ARRIVAL, at.JOB_NUMBER]] = when, job
        record[[at.STAGES_LEFT, at.OPEN_STAGES]] = count
        record[[at.FIRST_STAGE, at.END_STAGE]] = first, first + count * at.STAGE
        record[at.READY_LIST], record[at.UPWARD] = begins["ready"] + number, begins["upward"] + number
        m[begins["upward"] + number :][:count] = first + at.STAGE * np.array(lib.graphs[graph].order[::-1])
        record[at.JOB_POOLS] = m[at.POOLS] + classes * (job + 1) * at.POOL
        record[[at.JOB_WORK, at.JOB_PATH]] = lib.work_us[graph]
        record[at.JOB_LEFT] = record[at.JOB_WORK]
        number, edge, task = number + count, edge + edges.size, task + int(block[:, at.TASKS].sum())
