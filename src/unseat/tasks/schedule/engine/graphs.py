"""Job graphs: stages of equal tasks that depend on each other, with measured durations of their tasks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import UserError

Int32 = NDArray[np.int32]

LONGEST_MS = 2**31 - 1
"""The longest task, in milliseconds: 24 days."""

LAST_ARRIVAL_MS = 2**35
"""The latest arrival, in milliseconds: a year."""

MOST_STAGES = 10_000
"""Stages of a graph at most: what lies below each of them is kept as a set of bits, 12 MB for so many."""

MOST_STAGES_IN_ALL, MOST_EDGES_IN_ALL = 100_000, 1_000_000
"""Stages of all graphs together at most, and of their parents: more take minutes to describe."""


@dataclass(frozen=True, eq=False)
class Profile:
    """Durations of a stage's tasks, in milliseconds, as measured while its job had some number of executors.

    A task is drawn from `fresh` where its executor has just come to the job, from `first` where it has just come to the
    stage, and from `rest` where it ran a task of this stage before. Any of the three may be empty, but not both of
    `fresh` and `first`.

    Attributes:
        executors: How many executors the job had.
        fresh, first, rest: ``int32``, each in any order.
    """

    executors: int
    fresh: Int32
    first: Int32
    rest: Int32

    def waves(self) -> tuple[Int32, Int32, Int32]:
        """Fresh, first and rest."""
        return self.fresh, self.first, self.rest

    @cached_property
    def sums(self) -> tuple[tuple[int, int], ...]:
        """Of fresh, first and rest, the sum of the durations and how many there are."""
        return tuple((int(wave.sum(dtype=np.int64)), wave.size) for wave in self.waves())

    @property
    def mean_ms(self) -> float:
        """Mean of all that was measured."""
        return sum(total for total, _ in self.sums) / sum(count for _, count in self.sums)


@dataclass(frozen=True)
class Told:
    """Mean durations of a stage's tasks in earlier jobs, in milliseconds: what a history tells a scheduler.

    Attributes:
        mean_ms: Of any task.
        fresh_ms, first_ms, rest_ms: By wave, as in `Profile`.
    """

    mean_ms: float
    fresh_ms: float
    first_ms: float
    rest_ms: float

    def waves(self) -> tuple[float, float, float]:
        """Fresh, first and rest."""
        return self.fresh_ms, self.first_ms, self.rest_ms


@dataclass(frozen=True, eq=False)
class Stage:
    """One stage: `tasks` tasks that may run at the same time once every task of every parent is done.

    Attributes:
        tasks: How many, at least 1.
        parents: Places of the parents in the job's stages.
        profiles: Measured durations, ascending by executors, at least one.
        memory: Memory that a task needs, as a share of the largest executor's.
        name: For a person.
        told: What a scheduler is told of its durations, where that is not the means of its own ones.
    """

    tasks: int
    parents: tuple[int, ...]
    profiles: tuple[Profile, ...]
    memory: float = 0.0
    name: str = ""
    told: Told | None = None

    @property
    def mean_ms(self) -> float:
        """Mean duration of a task, as a history of this job tells it to a scheduler."""
        return self.measured_ms if self.told is None else self.told.mean_ms

    @cached_property
    def measured_ms(self) -> float:
        """Mean duration of a task over all that was measured."""
        sums = [one for profile in self.profiles for one in profile.sums]
        return sum(total for total, _ in sums) / sum(count for _, count in sums)


@dataclass(frozen=True, eq=False)
class JobGraph:
    """A directed acyclic graph of stages.

    Attributes:
        name: Unique within a set of graphs.
        template: What it is one of: a query template, a program. The unit of independence for splits.
        stages: In any order; parents may come after children.

    Raises:
        UserError: There is no stage, or too many; a count, a duration or a parent is none; the stages depend on each
            other in a circle, or fall into parts that have nothing to do with each other.
    """

    name: str
    template: str
    stages: tuple[Stage, ...]
    order: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.stages:
            raise UserError(f"job {self.name}: no stages; give at least one")
        if len(self.stages) > MOST_STAGES:
            raise UserError(f"job {self.name}: {len(self.stages):,} stages; give {MOST_STAGES:,} at most, the rest as "
                            "jobs of their own")  # fmt: skip
        for place, stage in enumerate(self.stages):
            self._check(place, stage)
        object.__setattr__(self, "order", self._topological())
        self._check_connected()

    def _check(self, place: int, stage: Stage) -> None:
        where = f"job {self.name}: stage {stage.name or place}"
        if stage.tasks < 1:
            raise UserError(f"{where}: {stage.tasks} tasks; a stage has at least one")
        if not 0.0 <= stage.memory <= 1.0:
            raise UserError(f"{where}: memory {stage.memory:g} is no share of the largest executor's; give 0 to 1")
        for parent in stage.parents:
            if not 0 <= parent < len(self.stages):
                raise UserError(f"{where}: parent {parent} is no stage; stages count from 0 to {len(self.stages) - 1}")
        if len(set(stage.parents)) < len(stage.parents):
            raise UserError(f"{where}: names a parent twice")
        counts = [profile.executors for profile in stage.profiles]
        if not counts or counts != sorted(set(counts)) or counts[0] < 1:
            raise UserError(f"{where}: durations must be given for at least one number of executors, ascending from 1")
        for profile in stage.profiles:
            measured = np.concatenate(profile.waves())
            if not profile.fresh.size and not profile.first.size:
                raise UserError(f"{where}: no duration of a first task with {profile.executors} executors")
            if measured.min() < 1 or measured.max() > LONGEST_MS:
                wrong = measured.min() if measured.min() < 1 else measured.max()
                raise UserError(f"{where}: a duration of {wrong} ms; give at least 1 and at most {LONGEST_MS}")
        for told in () if stage.told is None else (stage.told.mean_ms, *stage.told.waves()):
            if not 1 <= told <= LONGEST_MS:
                raise UserError(f"{where}: a told mean of {told:g} ms; give at least 1 and at most {LONGEST_MS}")

    def _topological(self) -> tuple[int, ...]:
        """Places of the stages, each after its parents (A. B. Kahn, CACM 5(11), 1962)."""
        waits = [len(stage.parents) for stage in self.stages]
        children = self.children
        order = [place for place, count in enumerate(waits) if count == 0]
        for place in order:
            for child in children[place]:
                waits[child] -= 1
                if waits[child] == 0:
                    order.append(child)
        if len(order) < len(self.stages):
            stuck = next(place for place, count in enumerate(waits) if count > 0)
            raise UserError(f"job {self.name}: stages depend on each other in a circle, one through stage "
                            f"{self.stages[stuck].name or stuck}; take an edge out")  # fmt: skip
        return tuple(order)

    def _check_connected(self) -> None:
        linked = [[*stage.parents, *below] for stage, below in zip(self.stages, self.children, strict=True)]
        seen, stack = {0}, [0]
        while stack:
            for other in linked[stack.pop()]:
                if other not in seen:
                    seen.add(other)
                    stack.append(other)
        if len(seen) < len(self.stages):
            apart = min(set(range(len(self.stages))) - seen)
            raise UserError(f"job {self.name}: stage {self.stages[apart].name or apart} has nothing to do with stage "
                            f"{self.stages[0].name or 0}; make it a job of its own")  # fmt: skip

    @cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """Places of each stage's children."""
        found: list[list[int]] = [[] for _ in self.stages]
        for place, stage in enumerate(self.stages):
            for parent in stage.parents:
                found[parent].append(place)
        return tuple(map(tuple, found))

    @cached_property
    def work_ms(self) -> float:
        """Mean work of all tasks together."""
        return sum(stage.tasks * stage.mean_ms for stage in self.stages)

    @cached_property
    def tasks(self) -> int:
        """Tasks of all stages together."""
        return sum(stage.tasks for stage in self.stages)


@dataclass(frozen=True)
class Arrivals:
    """Which job arrives when: jobs[i] is the place of a graph, at_ms[i] its arrival, ascending.

    Raises:
        UserError: There is no job, one is no graph, times are negative or not ascending, or there are too many stages.
    """

    graphs: tuple[JobGraph, ...]
    jobs: tuple[int, ...]
    at_ms: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.jobs:
            raise UserError("no jobs; give at least one")
        check_size(
            sum(len(graph.stages) for graph in self.graphs),
            sum(len(stage.parents) for graph in self.graphs for stage in graph.stages),
        )
        if len(self.jobs) != len(self.at_ms):
            raise UserError(f"{len(self.jobs)} jobs and {len(self.at_ms)} arrival times; give one each")
        if min(self.jobs) < 0 or max(self.jobs) >= len(self.graphs):
            place, graph = next((p, one) for p, one in enumerate(self.jobs) if not 0 <= one < len(self.graphs))
            raise UserError(f"job {place}: no graph {graph}; there are {len(self.graphs)}")
        if self.at_ms[0] < 0 or any(b < a for a, b in zip(self.at_ms, self.at_ms[1:], strict=False)):
            raise UserError("arrival times must not be negative, and must ascend")
        if self.at_ms[-1] > LAST_ARRIVAL_MS:
            raise UserError(f"a job arrives at {self.at_ms[-1]} ms; the latest arrival is at {LAST_ARRIVAL_MS} ms")

    def __iter__(self) -> Iterator[tuple[JobGraph, int]]:
        """Each job's graph and arrival."""
        return ((self.graphs[graph], at) for graph, at in zip(self.jobs, self.at_ms, strict=True))

    @property
    def tasks(self) -> int:
        """Tasks of all jobs."""
        return sum(count * self.graphs[graph].tasks for graph, count in Counter(self.jobs).items())


def check_size(stages: int, edges: int) -> None:
    """Refuse too many graphs.

    Raises:
        UserError: There are too many stages in all, or parents of stages.
    """
    for count, what, most in ((stages, "stages", MOST_STAGES_IN_ALL), (edges, "parents of stages", MOST_EDGES_IN_ALL)):
        if count > most:
            raise UserError(f"{count:,} {what} of all graphs together; give {most:,} at most: one graph can be many "
                            "jobs, and jobs can be split into several files")  # fmt: skip


def profile(executors: int, fresh: Sequence[int], first: Sequence[int], rest: Sequence[int]) -> Profile:
    """A profile of plain lists."""
    made = (np.asarray(wave, np.int32).reshape(-1) for wave in (fresh, first, rest))
    return Profile(executors, *made)
