"""Generated jobs: the same for a seed everywhere, with the statistics that their docstring states."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseat.core.errors import UserError
from unseat.tasks.schedule.engine.graphs import JobGraph
from unseat.tasks.schedule.generators import (
    EXECUTORS,
    SAMPLES,
    batch,
    generate,
    lublin,
    lublin_seconds,
    poisson,
    with_memory,
)

TEMPLATES = 120


@cache
def graphs(size_gb: float) -> list[JobGraph]:
    return [generate(seed, size_gb) for seed in range(TEMPLATES)]


def content(graph: JobGraph) -> str:
    digest = hashlib.sha256(repr((graph.name, graph.template)).encode())
    for stage in graph.stages:
        digest.update(repr((stage.tasks, stage.parents, stage.memory)).encode())
        for profile in stage.profiles:
            digest.update(repr([wave.tolist() for wave in profile.waves()]).encode())
    return digest.hexdigest()


def depth(graph: JobGraph) -> int:
    found: dict[int, int] = {}
    for place in graph.order:
        found[place] = 1 + max((found[parent] for parent in graph.stages[place].parents), default=0)
    return max(found.values())


def geometric(ratios: list[float]) -> float:
    return float(np.exp(np.mean(np.log(ratios))))


def test_a_seed_is_a_graph() -> None:
    """Red: a seed gives another graph than before, here or with this NumPy: stored results are of other jobs."""
    graph = generate(3, 10)
    assert (graph.name, graph.template) == ("generated-3-10g", "generated-3")
    assert content(graph) == content(generate(3, 10))
    assert content(graph) != content(generate(4, 10))
    # Shape and counts only: durations are rounded exponentials, whose last bit a platform's library may choose.
    assert [(stage.tasks, stage.parents) for stage in graph.stages] == PINNED


@given(st.integers(0, 2**40), st.floats(0.01, 5000.0), st.booleans())
@settings(max_examples=40, deadline=None)
def test_every_seed_is_a_job(seed: int, size_gb: float, memory: bool) -> None:
    """Red: some template is no valid job, leaves the stated bounds, or has another shape at another size."""
    graph = generate(seed, size_gb, memory=memory)
    assert 2 <= len(graph.stages) <= 18
    assert sum(not children for children in graph.children) == 1
    assert [stage.parents for stage in graph.stages] == [stage.parents for stage in generate(seed, 2).stages]
    for stage in graph.stages:
        assert tuple(profile.executors for profile in stage.profiles) == EXECUTORS
        assert all(sum(wave.size for wave in one.waves()) == min(stage.tasks, SAMPLES) for one in stage.profiles)
        assert (0.1 <= stage.memory <= 1.0) if memory else stage.memory == 0.0


def test_statistics_are_those_of_the_published_graphs() -> None:
    """Red: generated jobs are no longer like TPC-H on Spark, for which the numbers in the middle were measured."""
    small, large = graphs(2), graphs(100)
    stages = [stage for size in (2, 10, 100) for graph in graphs(size) for stage in graph.stages]
    waves = [profile for stage in stages for profile in stage.profiles]

    def mean(measure: Callable[[JobGraph], float], of: list[JobGraph]) -> float:
        return float(np.mean([measure(graph) for graph in of]))

    rest = {(id(stage), one.executors): float(one.rest.mean())
            for stage in stages for one in stage.profiles if one.rest.size}  # fmt: skip

    def inflation(executors: int) -> float:
        pairs = [(rest.get((id(stage), executors)), rest.get((id(stage), 5))) for stage in stages]
        return geometric([more / few for more, few in pairs if more and few])

    for low, measured, high in (
        (8.3, mean(lambda graph: len(graph.stages), small), 10.1),  # 9.2
        (5.3, mean(depth, small), 6.5),  # 5.9
        (3.2, mean(lambda graph: sum(not stage.parents for stage in graph.stages), small), 3.9),  # 3.5
        (820, mean(lambda graph: graph.tasks, small), 1000),  # 910
        (1420, mean(lambda graph: graph.tasks, large), 1730),  # 1580
        (140, mean(lambda graph: graph.work_ms / 1000, small), 200),  # 170
        (280, mean(lambda graph: graph.work_ms / 1000, graphs(10)), 420),  # 350
        (1700, mean(lambda graph: graph.work_ms / 1000, large), 2600),  # 2140
        (2.9, geometric([one.first.mean() / one.rest.mean() for one in waves if one.first.size and one.rest.size]),
         4.0),  # 3.5
        (1.2, inflation(20), 1.4),  # 1.3
        (1.75, inflation(50), 2.1),  # 1.9
        (2.6, inflation(100), 3.2),  # 2.9
        (0.22, float(np.mean([one.fresh.size > 0 for one in waves])), 0.30),  # 0.27
        (0.60, float(np.mean([one.rest.size > 0 for one in waves])), 0.70),  # 0.65
    ):  # fmt: skip
        assert low < measured < high


def test_memory_makes_every_class_matter() -> None:
    """Red: of executors with memory 0.25, 0.5 and 1 one class serves all stages or none, or needs change with size."""
    needs = [stage.memory for seed in range(TEMPLATES) for stage in generate(seed, 2, memory=True).stages]
    shares = np.histogram(needs, [0.0, 0.25, 0.5, 1.0])[0] / len(needs)
    assert (shares > (0.33, 0.23, 0.23)).all()
    assert [stage.memory for stage in generate(5, 2, memory=True).stages] == [
        stage.memory for stage in generate(5, 100, memory=True).stages
    ]
    plain = generate(5, 2)
    assert content(with_memory(plain, 1)) == content(with_memory(plain, 1)) != content(with_memory(plain, 2))
    assert content(generate(5, 2, memory=True)) == content(with_memory(plain, 5))


def test_a_batch_is_there_at_the_start() -> None:
    """Red: jobs of a batch arrive later, or graphs are not drawn evenly."""
    drawn = batch(graphs(2)[:4], 2000, 7)
    assert set(drawn.at_ms) == {0}
    assert min(np.bincount(drawn.jobs)) > 400
    assert batch(graphs(2)[:4], 50, 7).jobs == batch(graphs(2)[:4], 50, 7).jobs != batch(graphs(2)[:4], 50, 8).jobs


def test_poisson_gaps_are_exponential() -> None:
    """Red: arrivals have another mean or spread than a Poisson process, or do not begin at 0."""
    drawn = poisson(graphs(2)[:2], 5000, 400.0, 1)
    gaps = np.diff(drawn.at_ms)
    assert drawn.at_ms[0] == 0
    assert gaps.mean() == pytest.approx(400, rel=0.05) and gaps.std() == pytest.approx(400, rel=0.07)


def slow_lublin(gaps_s: list[float], start_hour: int) -> list[float]:
    """The published process, gap by gap and half hour by half hour."""
    from scipy.stats import gamma

    weights = [0.0] * 48
    for half_hour in range(11, 59):
        below, above = gamma.cdf([half_hour - 0.5, half_hour + 0.5], 8.1737, scale=3.9631)
        weights[(half_hour - 1) % 48] = above - below
    weights = [weight * 48 / sum(weights) for weight in weights]
    at, points, remainder, now = [], 0.0, 0.0, start_hour * 2
    clock = 0.0
    for gap in gaps_s:
        points += gap / 1800
        while points > weights[now]:
            points -= weights[now]
            now = (now + 1) % 48
            clock += 1800
        clock += 1800 * (points / weights[now] - remainder)
        remainder = points / weights[now]
        at.append(clock)
    return at


@pytest.mark.parametrize("start_hour", [0, 13])
def test_lublin_against_the_process_step_by_step(start_hour: int) -> None:
    """Red: gaps are not gamma variates' exponentials, or the cycle of the day is not the published one."""
    from scipy.stats import gamma

    uniforms = np.random.Generator(np.random.PCG64(0)).random(500)
    arrivals = gamma(10.2303 * 1.0225, scale=0.4871)
    gaps = np.exp(arrivals.ppf(uniforms * arrivals.cdf(13)))
    assert lublin_seconds(uniforms, start_hour) == pytest.approx(slow_lublin(gaps.tolist(), start_hour), abs=1e-3)


def test_lublin_has_bursts_and_the_mean_that_is_asked_for() -> None:
    """Red: the load of an experiment is another one than asked for, or arrivals are as even as Poisson's."""
    drawn = lublin(graphs(2)[:2], 1000, 250.0, 3)
    assert drawn.at_ms[0] == 0 and drawn.at_ms[-1] == round(999 * 250.0)
    gaps = np.diff(drawn.at_ms)
    assert gaps.std() > 1.5 * gaps.mean()
    assert lublin(graphs(2)[:1], 1, 250.0, 3).at_ms == (0,)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: generate(-1, 2), "templates count from 0"),
        (lambda: generate(0, 0), "at 0 GB"),
        (lambda: generate(0, float("nan")), "at nan GB"),
        (lambda: with_memory(generate(0, 2), -1), "seeds count from 0"),
        (lambda: batch([], 1, 0), "no job graphs"),
        (lambda: batch([generate(0, 2)], 0, 0), "at least one job"),
        (lambda: poisson([generate(0, 2)], 5, 0.0, 0), "mean interval of 0"),
        (lambda: poisson([generate(0, 2)], 5, float("inf"), 0), "mean interval of inf"),
        (lambda: lublin([generate(0, 2)], 5, float("nan"), 0), "mean interval of nan"),
        (lambda: lublin([generate(0, 2)], 5, 1.0, 0, start_hour=25), "a day has 0 to 24"),
    ],
)
def test_wrong_requests_are_told(call: Callable[[], object], message: str) -> None:
    """Red: a number out of its range ends in a traceback or an endless draw."""
    with pytest.raises(UserError, match=message):
        call()


PINNED: list[tuple[int, tuple[int, ...]]] = [
    (56, ()),
    (2, ()),
    (8, ()),
    (200, (1, 2)),
    (200, (0,)),
    (200, (3, 4, 2)),
    (200, (5,)),
    (200, (6,)),
    (3, (7,)),
]
