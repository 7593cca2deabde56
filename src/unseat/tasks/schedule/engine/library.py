"""Job graphs as arrays, made once for all the workloads that draw from them."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import UserError
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.graphs import JobGraph, Stage
from unseat.tasks.schedule.engine.layout import Float32, Float64, Int32, Memory

MILLION = 1_000_000

STATIC = (
    "log mean task", "log path to the end", "log work below", "stages to the end", "log fresh over mean",
    "log first over rest", "memory",
)  # fmt: skip
"""What is known of a stage beforehand: times in log seconds, of which a task is 1 ms at least."""

SHARES = 0.1, 0.2, 0.4, 0.8
"""Shares of a cluster's executors at which a policy is told how much slower tasks are."""

MOST_POINTS = 64
"""Numbers of executors at most between which durations are interpolated: there are rows for each stage and number."""


class Library:
    """Graphs as arrays.

    Attributes:
        graphs: The graphs.
        points: Numbers of executors between which durations are interpolated; see `measured_points`.
        durations: int32; first the spans (`layout.WAVE` numbers for each stage and point), then what they point to:
            measured durations in ms. A stage that was not measured with some number of executors takes the next lower
            that it was measured with, or else its lowest.
        static: float32 [rows, len(STATIC)], of each stage.
        slower: float32 [rows, 2, points], log of the mean duration with so many executors over that with any: of the
            stage's tasks, and of its job's work.
        blocks: For each graph its stages' records, relative to its first stage, edge, task and row.
        edges: For each graph the places of the children of its stages, one stage after the other.
        work_us: int64 [graphs, 2], work and longest path of whole graphs.
        work_paths: For each graph float64 [stages], the most work on a path from a stage to the end, in ms.

    Raises:
        UserError: Stages were measured with too many different numbers of executors, or too often.
    """

    def __init__(self, graphs: Sequence[JobGraph]) -> None:
        self.graphs = tuple(graphs)
        stages = [stage for graph in self.graphs for stage in graph.stages]
        self.points = measured_points(stages)
        self.durations = self._durations()
        self._told: dict[int, Float32] = {}
        self.edges: list[Memory] = [
            np.array([child for below in graph.children for child in below], np.int64) for graph in self.graphs
        ]
        self.work_paths = [_work_path(graph) for graph in self.graphs]
        described = np.concatenate([_described(graph) for graph in self.graphs])
        rows = self._records(stages, described)
        ends = list(accumulate(len(graph.stages) for graph in self.graphs))
        begins = [0, *ends[:-1]]
        self.blocks: list[Memory] = [rows[begin:end] for begin, end in pairwise([0, *ends])]
        self.static = _static(stages, described)
        self.slower = np.concatenate([_slower(graph, self.points) for graph in self.graphs])
        work = np.add.reduceat(rows[:, at.TASKS] * rows[:, at.MEAN_US], begins)
        self.work_us: Memory = np.stack([work, np.maximum.reduceat(rows[:, at.PATH_US], begins)], axis=1)

    def _durations(self) -> Int32:
        stages = [stage for graph in self.graphs for stage in graph.stages]
        end = len(stages) * len(self.points) * at.WAVE
        rows: list[int] = []
        samples: list[Int32] = []
        for stage in stages:
            found: list[list[int]] = []
            for profile in stage.profiles:
                spans: list[int] = []
                for wave in profile.waves():
                    spans += [end, wave.size]
                    samples.append(wave)
                    end += wave.size
                found.append(spans)
            for place in _measured_at(stage, self.points):
                rows += found[place]
        if end >= 2**31:
            raise UserError(f"{end:,} measured durations; give fewer than two billion")
        return np.concatenate([np.array(rows, np.int32), *samples])

    @cached_property
    def known(self) -> Int32:
        """`durations` as far as a scheduler knows them: a stage that is told others takes their means, each wave one.

        The spans lie where they lie in `durations`, so that a state of the cluster can run with either.
        """
        told = [(row, stage.told) for row, stage in enumerate(stage for graph in self.graphs for stage in graph.stages)
                if stage.told is not None]  # fmt: skip
        if not told:
            return self.durations
        means = np.rint([one.waves() for _, one in told]).astype(np.int32)
        found = np.concatenate([self.durations, means.ravel()])
        spans = found[: len(self.static) * len(self.points) * at.WAVE].reshape(len(self.static), -1, at.WAVE // 2, 2)
        begins = self.durations.size + np.arange(means.size).reshape(means.shape)
        rows = [row for row, _ in told]
        spans[rows, :, :, 0], spans[rows, :, :, 1] = begins[:, None], 1
        return found

    def _records(self, stages: Sequence[Stage], described: Memory) -> Memory:
        """`blocks`, one behind the other."""
        rows = np.zeros((len(stages), at.STAGE), np.int64)
        rows[:, at.TASKS] = [stage.tasks for stage in stages]
        rows[:, at.PARENTS_LEFT] = rows[:, at.PARENTS_UNCLAIMED] = [len(stage.parents) for stage in stages]
        rows[:, at.FIRST_TASK] = [
            one for graph in self.graphs for one in _begins(stage.tasks for stage in graph.stages)
        ]
        rows[:, at.CHILDREN] = [one for graph in self.graphs for one in _begins(map(len, graph.children))]
        rows[:, at.CHILDREN_END] = rows[:, at.CHILDREN]
        rows[:, at.CHILDREN_END] += [len(below) for graph in self.graphs for below in graph.children]
        rows[:, at.MEMORY] = [round(stage.memory * MILLION) for stage in stages]
        rows[:, at.MEAN_US : at.BELOW_US + 1] = described[:, :3]
        rows[:, at.STAGE_NUMBER] = [place for graph in self.graphs for place in range(len(graph.stages))]
        rows[:, at.STAGE_ROW] = np.arange(len(stages))
        rows[:, at.WAVES] = rows[:, at.STAGE_ROW] * len(self.points) * at.WAVE
        return rows

    def told(self, executors: int) -> Float32:
        """What policies are told of each stage on a cluster of so many executors, as one table; kept once made.

        Columns are those of `static`, then `slower` at `SHARES` of the executors for the stage and for its job, then
        the two curves of `slower` at all points.
        """
        if executors not in self._told:
            rows = len(self.static)
            at_shares = [np.interp([share * executors for share in SHARES], self.points, curve)
                         for curve in self.slower.reshape(rows * 2, -1)]  # fmt: skip
            columns = self.static, np.reshape(at_shares, (rows, -1)), self.slower.reshape(rows, -1)
            self._told[executors] = np.concatenate(columns, axis=1).astype(np.float32)
        return self._told[executors]

    def levels(self, executors: int) -> Memory:
        """`layout.LEVELS`: a row for each number of executors."""
        rows = np.zeros((executors + 1, at.LEVEL), np.int64)
        for count in range(executors + 1):
            upper = int(np.searchsorted(self.points, count))
            if upper == len(self.points):
                rows[count] = upper - 1, upper - 1, 0, 1
            elif upper == 0 or self.points[upper] == count:
                rows[count] = upper, upper, 0, 1
            else:
                lower, higher = self.points[upper - 1], self.points[upper]
                rows[count] = upper - 1, upper, count - lower, higher - lower
        return rows


def measured_points(stages: Sequence[Stage]) -> list[int]:
    """Numbers of executors between which durations are interpolated.

    Those with which most stages were measured, or all where there are none. If that is too many, the numbers of stages
    that were measured with one only are left out: there is nothing to interpolate.

    Raises:
        UserError: There are too many of them all the same.
    """
    counts = Counter(profile.executors for stage in stages for profile in stage.profiles)
    points = sorted(count for count in counts if 2 * counts[count] > len(stages)) or sorted(counts)
    if len(points) > MOST_POINTS:
        several = {profile.executors for stage in stages if len(stage.profiles) > 1 for profile in stage.profiles}
        points = sorted(several.intersection(points)) or points[:1]
    if len(points) > MOST_POINTS:
        raise UserError(f"durations are measured with {len(points):,} different numbers of executors; "
                        f"give {MOST_POINTS} at most, the same for all stages")  # fmt: skip
    return points


def _measured_at(stage: Stage, points: Sequence[int]) -> list[int]:
    """For each number of executors the place of the profile that counts: the next lower, or else the lowest."""
    counts = [profile.executors for profile in stage.profiles]
    return [max(0, bisect_right(counts, point) - 1) for point in points]


@lru_cache(maxsize=8)
def library(graphs: tuple[JobGraph, ...]) -> Library:
    """The arrays of some graphs; the last few are kept."""
    return Library(graphs)


def _described(graph: JobGraph) -> Memory:
    """For each stage, in microseconds: mean duration of a task; the longest path of such means from the stage's
    beginning to the job's end; the work of all stages below; mean duration by wave. Last, stages to the job's end."""
    count = len(graph.stages)
    found = np.zeros((count, 7))
    work_of = np.array([stage.tasks * stage.mean_ms for stage in graph.stages])
    below = [0] * count  # sets of stages as bits: what long chains have in sets of numbers fills the memory
    for place in reversed(graph.order):
        stage, children = graph.stages[place], graph.children[place]
        for child in children:
            below[place] |= below[child] | 1 << child
        work = float(work_of[_members(below[place], count)].sum()) if children else 0.0
        path = stage.mean_ms + max((found[child, 1] for child in children), default=0.0)
        depth = 1 + max((found[child, 6] for child in children), default=0.0)
        found[place] = stage.mean_ms, path, work, *_wave_means(stage), depth
    found[:, :6] *= 1000
    return np.rint(found).astype(np.int64)


def _members(bits: int, count: int) -> NDArray[np.bool_]:
    """Which of so many numbers a set of bits holds."""
    packed = np.frombuffer(bits.to_bytes(-(-count // 8), "little"), np.uint8)
    return np.unpackbits(packed, count=count, bitorder="little").view(np.bool_)


def _wave_means(stage: Stage) -> Sequence[float]:
    """Mean durations of fresh, first and rest in ms, as a scheduler is told them."""
    if stage.told is not None:
        return stage.told.waves()
    sums = [profile.sums for profile in stage.profiles]
    totals, counts = ([sum(one[wave][what] for one in sums) for wave in range(3)] for what in (0, 1))
    return [total / count if count else stage.mean_ms for total, count in zip(totals, counts, strict=True)]


def _work_path(graph: JobGraph) -> Float64:
    found = np.zeros(len(graph.stages))
    for place in reversed(graph.order):
        stage = graph.stages[place]
        found[place] = stage.tasks * stage.mean_ms + max((found[child] for child in graph.children[place]), default=0.0)
    return found


def _begins(sizes: Iterable[int]) -> Iterator[int]:
    """Where each part begins, one behind the other."""
    begin = 0
    for size in sizes:
        yield begin
        begin += size


def _static(stages: Sequence[Stage], described: Memory) -> Float32:
    """`Library.static`."""
    mean, path, below, fresh, first, rest, depth = np.maximum(described.T, [[1000]] * 6 + [[1]]).astype(float)
    memory = [stage.memory for stage in stages]
    columns = (
        np.log(mean / MILLION), np.log(path / MILLION), np.log(below / MILLION), 0.1 * depth, np.log(fresh / mean),
        np.log(first / rest), memory,
    )  # fmt: skip
    return np.stack(columns, axis=1).astype(np.float32)


def _slower(graph: JobGraph, points: Sequence[int]) -> Float32:
    """The graph's rows of `Library.slower`: how much slower is measured, also where a stage is told other means."""
    rows = np.zeros((len(graph.stages), 2, len(points)), np.float32)
    if all(len(stage.profiles) == 1 for stage in graph.stages):
        return rows
    means = np.zeros((len(graph.stages), len(points)))
    for place, stage in enumerate(graph.stages):
        found = [profile.mean_ms for profile in stage.profiles]
        means[place] = [found[profile] for profile in _measured_at(stage, points)]
        if stage.told is not None:
            means[place] *= stage.mean_ms / stage.measured_ms
    tasks = np.array([stage.tasks for stage in graph.stages])
    usual = np.array([stage.mean_ms for stage in graph.stages])
    rows[:, 0] = np.log(means / usual[:, None])
    rows[:, 1] = np.log(tasks @ means / (tasks @ usual))
    return rows
