"""What a scheduler is told of stages, jobs and machines, and which stages could use the executors that are free."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

NO_LIMIT = 1 << 40
"""A limit that stands for none: the job may hold as many executors as it can use."""


@dataclass(eq=False)
class Stage:
    """Tasks of one kind, which may all run at the same time once every task of every parent is done.

    Attributes:
        tasks: How many.
        parents: Places of the parents in the job's list of stages.
        mean_ms: Mean duration of a task, as measured in earlier runs, in milliseconds.
        wave_ms: The same of an executor's first task since it came to the job, of its first of this stage, and of
            those after; None where that was not measured.
        by_executors_ms: The same by the number of executors that the job had: pairs, ascending.
        memory: What a task needs, as a share of the largest executor's.
        name: For a person.
        started: Tasks that were started so far.
        claimed: Tasks that were started, or that an executor is promised to or on its way to.
        finished: Tasks that are done.
        at_work: Executors whose last task is of this stage and that have not left it.
    """

    tasks: int
    parents: tuple[int, ...] = ()
    mean_ms: float = 1000.0
    wave_ms: tuple[float | None, ...] = (None, None, None)
    by_executors_ms: tuple[tuple[int, float], ...] = ()
    memory: float = 0.0
    name: str = ""
    started: int = 0
    claimed: int = 0
    finished: int = 0
    at_work: int = 0


@dataclass(eq=False)
class Job:
    """A job that has arrived and is not done.

    Attributes:
        stages: Its stages, in any order that stays the same.
        arrival_ms: When it arrived.
        held: Executors at the job, on their way to it and promised to it from elsewhere; those that are asked about are
            among them where they are at this job.
        ready: Places of stages whose parents are done, in the order in which that came about.
        name: For a person.
    """

    stages: Sequence[Stage]
    arrival_ms: int = 0
    held: int = 0
    ready: Sequence[int] = ()
    name: str = ""


@dataclass(eq=False)
class Cluster:
    """The machines, and the time.

    Attributes:
        classes: Executors of each class of memory.
        class_memory: Their memory, as shares of the largest; one number a class.
        now_ms: The time.
        moving_ms: What an executor needs to move from one job to another.
        measured_at: Numbers of executors for which most stages have durations; where empty, those of the job at hand.
        published_levels: Whether tasks between two measured numbers of executors are like those of the farther one more
            often, as in the simulator that was published with Decima; False for a real cluster.
    """

    classes: tuple[int, ...] = (50,)
    class_memory: tuple[float, ...] = (1.0,)
    now_ms: int = 0
    moving_ms: int = 0
    measured_at: tuple[int, ...] = ()
    published_levels: bool = False


class Question(NamedTuple):
    """Whose executors are free, and who could use them.

    Attributes:
        executors: All executors of the cluster.
        memory: Of those that are free, in millionths of the largest executor's.
        candidates: Jobs with places of their stages that could use an executor.
    """

    cluster: Cluster
    jobs: Sequence[Job]
    source: Job | None
    offered: int
    executors: int
    memory: int
    candidates: list[tuple[Job, list[int]]]


def ask(
    cluster: Cluster, jobs: Sequence[Job], source: Job | None, offered: int, picked: Collection[Stage], group: int
) -> Question:
    """Find the stages with unclaimed tasks that fit, whose parents have none, and that were not picked before."""
    memory, candidates = millionths(cluster.class_memory[group]), []
    for job in jobs:
        places = [
            place
            for place, stage in enumerate(job.stages)
            if stage.claimed < stage.tasks
            and millionths(stage.memory) <= memory
            and all(job.stages[parent].claimed >= job.stages[parent].tasks for parent in stage.parents)
            and stage not in picked
        ]
        if places:
            candidates.append((job, places))
    return Question(cluster, jobs, source, offered, sum(cluster.classes), memory, candidates)


def millionths(share: float) -> int:
    """A share of the largest executor's memory as a whole number."""
    return round(1_000_000 * share)


def held(asked: Question, job: Job) -> int:
    """Executors of a job but for those that are asked about."""
    return job.held - (asked.offered if job is asked.source else 0)


def mean_us(stage: Stage) -> int:
    """Mean duration of a task in microseconds."""
    return round(1000 * stage.mean_ms)


def work_us(job: Job) -> int:
    """Work of all tasks of a job."""
    return sum(stage.tasks * mean_us(stage) for stage in job.stages)


def left_us(job: Job) -> int:
    """Work of the tasks that were not started yet."""
    return sum((stage.tasks - stage.started) * mean_us(stage) for stage in job.stages)


def shape(job: Job) -> tuple[tuple[int, tuple[int, ...], float], ...]:
    """Tasks, parents and mean duration of each stage: what orders of stages are made of, once for all equal jobs."""
    return tuple((stage.tasks, tuple(stage.parents), stage.mean_ms) for stage in job.stages)


def children_of(parents: Sequence[Sequence[int]]) -> list[list[int]]:
    """Places of each stage's children."""
    found: list[list[int]] = [[] for _ in parents]
    for place, above in enumerate(parents):
        for parent in above:
            found[parent].append(place)
    return found


def downward(parents: Sequence[Sequence[int]]) -> list[int]:
    """Places of the stages, each after its parents (A. B. Kahn, CACM 5(11), 1962)."""
    waits, children = [len(above) for above in parents], children_of(parents)
    order = [place for place, count in enumerate(waits) if count == 0]
    for place in order:
        for child in children[place]:
            waits[child] -= 1
            if waits[child] == 0:
                order.append(child)
    return order
