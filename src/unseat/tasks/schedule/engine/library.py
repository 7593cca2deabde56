"""Job graphs as arrays, made once for all the workloads that draw from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

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


class Library:
    """Graphs as arrays.

    Attributes:
        graphs: The graphs.
        points: Numbers of executors between which durations are interpolated: those with which most stages were
            measured, or all where there are none.
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
    """

    def __init__(self, graphs: Sequence[JobGraph]) -> None:
        self.graphs = tuple(graphs)
        stages = [stage for graph in self.graphs for stage in graph.stages]
        self.points = _points(stages)
        self.durations = self._durations()
        self.blocks: list[Memory] = []
        self._told: dict[int, Float32] = {}
        self.edges: list[Memory] = []
        self.work_paths = [_work_path(graph) for graph in self.graphs]
        static: list[Float32] = []
        slower: list[Float32] = []
        work: list[tuple[int, int]] = []
        for graph in self.graphs:
            described = _described(graph)
            self.blocks.append(self._block(graph, described, len(static)))
            self.edges.append(np.array([child for below in graph.children for child in below], np.int64))
            static += list(_static(graph, described))
            slower += list(_slower(graph, self.points))
            work.append((int((described[:, 0] * [stage.tasks for stage in graph.stages]).sum()), described[:, 1].max()))
        self.static = np.array(static, np.float32)
        self.slower = np.array(slower, np.float32)
        self.work_us: Memory = np.array(work, np.int64)

    def _durations(self) -> Int32:
        stages = [stage for graph in self.graphs for stage in graph.stages]
        end = len(stages) * len(self.points) * at.WAVE
        rows: list[int] = []
        samples: list[Int32] = []
        for stage in stages:
            found: dict[int, list[int]] = {}
            for profile in stage.profiles:
                spans = found[profile.executors] = []
                for wave in profile.waves():
                    spans += [end, wave.size]
                    samples.append(wave)
                    end += wave.size
            for point in self.points:
                rows += found[max((count for count in found if count <= point), default=min(found))]
        if end >= 2**31:
            raise UserError(f"{end:,} measured durations; give fewer than two billion")
        return np.concatenate([np.array(rows, np.int32), *samples])

    def _block(self, graph: JobGraph, described: Memory, row: int) -> Memory:
        block = np.zeros((len(graph.stages), at.STAGE), np.int64)
        block[:, at.TASKS] = tasks = [stage.tasks for stage in graph.stages]
        block[:, at.PARENTS_LEFT] = block[:, at.PARENTS_UNCLAIMED] = [len(stage.parents) for stage in graph.stages]
        block[:, at.FIRST_TASK] = np.cumsum([0, *tasks[:-1]])
        ends = np.cumsum([len(below) for below in graph.children])
        block[:, at.CHILDREN], block[:, at.CHILDREN_END] = [0, *ends[:-1]], ends
        block[:, at.MEMORY] = [round(stage.memory * MILLION) for stage in graph.stages]
        block[:, at.MEAN_US : at.BELOW_US + 1] = described[:, :3]
        block[:, at.STAGE_NUMBER] = np.arange(len(graph.stages))
        block[:, at.STAGE_ROW] = row + block[:, at.STAGE_NUMBER]
        block[:, at.WAVES] = block[:, at.STAGE_ROW] * len(self.points) * at.WAVE
        return block

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


def _points(stages: Sequence[Stage]) -> list[int]:
    counts = Counter(profile.executors for stage in stages for profile in stage.profiles)
    return sorted(count for count in counts if 2 * counts[count] > len(stages)) or sorted(counts)


@lru_cache(maxsize=8)
def library(graphs: tuple[JobGraph, ...]) -> Library:
    """The arrays of some graphs; the last few are kept."""
    return Library(graphs)


def _described(graph: JobGraph) -> Memory:
    """For each stage, in microseconds: mean duration of a task; the longest path of such means from the stage's
    beginning to the job's end; the work of all stages below; mean duration by wave. Last, stages to the job's end."""
    found = np.zeros((len(graph.stages), 7))
    below: list[set[int]] = [set() for _ in graph.stages]
    for place in reversed(graph.order):
        stage, children = graph.stages[place], graph.children[place]
        below[place] = set(children).union(*(below[child] for child in children))
        work = sum(graph.stages[other].tasks * graph.stages[other].mean_ms for other in below[place])
        path = stage.mean_ms + max((found[child, 1] for child in children), default=0.0)
        waves = [np.concatenate(wave) for wave in zip(*(p.waves() for p in stage.profiles), strict=True)]
        means = [float(wave.mean()) if wave.size else stage.mean_ms for wave in waves]
        depth = 1 + max((found[child, 6] for child in children), default=0.0)
        found[place] = stage.mean_ms, path, work, *means, depth
    found[:, :6] *= 1000
    return np.rint(found).astype(np.int64)


def _work_path(graph: JobGraph) -> Float64:
    found = np.zeros(len(graph.stages))
    for place in reversed(graph.order):
        stage = graph.stages[place]
        found[place] = stage.tasks * stage.mean_ms + max((found[child] for child in graph.children[place]), default=0.0)
    return found


def _static(graph: JobGraph, described: Memory) -> Float32:
    """The graph's rows of `Library.static`."""
    mean, path, below, fresh, first, rest, depth = np.maximum(described.T, [[1000]] * 6 + [[1]]).astype(float)
    memory = [stage.memory for stage in graph.stages]
    columns = (
        np.log(mean / MILLION), np.log(path / MILLION), np.log(below / MILLION), 0.1 * depth, np.log(fresh / mean),
        np.log(first / rest), memory,
    )  # fmt: skip
    return np.stack(columns, axis=1).astype(np.float32)


def _slower(graph: JobGraph, points: Sequence[int]) -> Float32:
    """The graph's rows of `Library.slower`."""
    means = np.zeros((len(graph.stages), len(points)))
    for place, stage in enumerate(graph.stages):
        found = {p.executors: float(np.concatenate(p.waves()).mean()) for p in stage.profiles}
        means[place] = [found[max((n for n in found if n <= point), default=min(found))] for point in points]
    tasks = np.array([stage.tasks for stage in graph.stages])
    usual = np.array([stage.mean_ms for stage in graph.stages])
    rows = np.zeros((len(graph.stages), 2, len(points)), np.float32)
    rows[:, 0] = np.log(means / usual[:, None])
    rows[:, 1] = np.log(tasks @ means / (tasks @ usual))
    return rows
