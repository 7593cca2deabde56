"""Small job graphs and clusters, and the engine's loop around any Python function."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import numpy as np
from tests.tasks.schedule.reference.simulator import Decide, Question

from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.cluster import advance, answer
from unseat.tasks.schedule.engine.graphs import Arrivals, JobGraph, Profile, Stage, profile
from unseat.tasks.schedule.engine.layout import Memory
from unseat.tasks.schedule.engine.memory import Cluster, Machines

MEMORY = (0.0, 0.3, 0.5, 1.0)
POINTS = (1, 2, 5, 9)


def steady(name: str, *stages: tuple[int, tuple[int, ...], int], memory: Sequence[float] = ()) -> JobGraph:
    """Stages as (tasks, parents, duration of each task in ms, fresh ones too)."""
    needs = memory or [0.0] * len(stages)
    made = (
        Stage(tasks, parents, (profile(1, [ms], [ms], [ms]),), need)
        for (tasks, parents, ms), need in zip(stages, needs, strict=True)
    )
    return JobGraph(name, name, tuple(made))


def some_graph(rng: np.random.Generator, name: str, stages: int = 6, tasks: int = 5, memory: bool = False) -> JobGraph:
    """Up to so many stages in any order, of up to so many tasks; durations are few, so that events meet in time."""
    count = int(rng.integers(1, stages + 1))
    rank = rng.permutation(count)
    edges = {(int(rng.integers(place)), place) for place in range(1, count)}  # a tree links all, in any direction
    for _ in range(int(rng.integers(0, count))):
        one, other = rng.integers(0, count, 2).tolist()
        if one != other:
            edges.add((one, other))
    directed = {(one, other) if rank[one] < rank[other] else (other, one) for one, other in edges}
    return JobGraph(
        name, name,
        tuple(
            Stage(
                int(rng.integers(1, tasks + 1)), tuple(sorted(one for one, other in directed if other == place)),
                tuple(some_profiles(rng)), float(rng.choice(MEMORY)) if memory else 0.0,
            )
            for place in range(count)
        ),
    )  # fmt: skip


def some_profiles(rng: np.random.Generator) -> Iterator[Profile]:
    """Profiles for the first few of `POINTS`, or with gaps; each wave but one of the first two may be empty."""
    counts = POINTS[: int(rng.integers(1, len(POINTS) + 1))]
    if rng.random() < 0.2:
        counts = tuple(sorted(rng.choice(POINTS, len(counts), replace=False).tolist()))
    for executors in counts:
        waves = [rng.integers(1, 9, int(rng.integers(0, 4))) * int(rng.choice((1, 5, 40))) for _ in range(3)]
        if not waves[0].size and not waves[1].size:
            waves[int(rng.integers(2))] = np.array([7])
        yield Profile(executors, *(wave.astype(np.int32) for wave in waves))


def some_arrivals(rng: np.random.Generator, jobs: int = 6, memory: bool = False, stages: int = 6) -> Arrivals:
    """Up to so many jobs of up to as many graphs; some arrive together, some long after all others are done."""
    graphs = tuple(some_graph(rng, f"job-{place}", stages, memory=memory) for place in range(int(rng.integers(1, 5))))
    count = int(rng.integers(1, jobs + 1))
    gaps = rng.choice((0, 0, 3, 20, 60, 400), count)
    gaps[0] = rng.choice((0, 5))
    return Arrivals(graphs, tuple(rng.integers(0, len(graphs), count).tolist()), tuple(np.cumsum(gaps).tolist()))


def some_machines(rng: np.random.Generator, classes: int = 3, most: int = 8) -> Machines:
    """Up to so many executors in up to so many classes, the largest of which is any."""
    count = int(rng.integers(1, classes + 1))
    counts = rng.multinomial(int(rng.integers(count, most + 1)) - count, [1 / count] * count) + 1
    memory = rng.permutation([1.0, *rng.choice((0.3, 0.5, 0.75), count - 1)])
    return Machines(
        tuple(counts.tolist()), tuple(memory.tolist()), moving_ms=int(rng.choice((0, 1, 5, 30))),
        warm_up_ms=int(rng.choice((0, 10))), published_levels=bool(rng.random() < 0.7),
        reoffer=bool(rng.random() < 0.4),
    )  # fmt: skip


def some_cluster(seed: int, jobs: int = 6) -> tuple[Arrivals, Machines]:
    """Any of the above."""
    rng = np.random.default_rng(seed)
    machines = some_machines(rng)
    return some_arrivals(rng, jobs, memory=len(machines.counts) > 1), machines


def anything(seed: int, waits: float = 0.1) -> Decide:
    """A policy that takes any candidate and any limit, and sometimes waits."""
    draws = random.Random(seed)

    def decide(question: Question) -> tuple[int | None, int]:
        stage = draws.choice(question.stages)
        limit = draws.choice((0, draws.randrange(0, 10), 1 << 40))
        return (None if draws.random() < waits else stage), limit

    return decide


def address(m: Memory, number: int) -> int:
    """Of a stage's record."""
    return int(m[at.ALL_STAGES]) + number * at.STAGE


def question(m: Memory) -> Question:
    """The engine's open question."""
    stages = m[m[at.CANDIDATE_LIST] :][: m[at.CANDIDATES]]
    job = m[at.SOURCE_JOB]
    return Question(
        int(m[at.NOW]), tuple(m[stages + at.STAGE_NUMBER].tolist()),
        -1 if job == at.NONE else int(m[job + at.JOB_NUMBER]), int(m[at.SOURCE_CLASS]), int(m[at.OFFERED]),
        tuple(m[m[stages + at.OF_JOB] + at.HELD].tolist()),
    )  # fmt: skip


def run(cluster: Cluster, seed: int, decide: Decide) -> tuple[Memory, list[Question]]:
    """The engine, asking a Python function: its last state, with a log, and all questions."""
    m, asked = cluster.begin(seed, log=True), list[Question]()
    while advance(m, cluster.durations):
        asked.append(question(m))
        stage, limit = decide(asked[-1])
        answer(m, cluster.durations, at.NONE if stage is None else address(m, stage), limit)
    return m, asked
