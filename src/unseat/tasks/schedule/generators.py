"""Seeded job graphs with the statistics of TPC-H on Spark, and arrival processes.

A template stands for one query: its seed fixes the shape of the graph, what its scans read, how its stages grow with
the input, and what memory they need. The model was fitted to the 154 published graphs (`data/tpch.py`):

- Most graphs are in-trees. Leaves scan tables; a table has a number of partitions that grows with the input, or two.
  Joins mostly add one more table to the last join. After the last join come aggregations in a row. A shuffle has
  Spark's 200 partitions, the last stage often one or a few. One graph in three has a stage that two others read.
- A scan's task takes 1.9 s, whatever the input. A task after a shuffle takes a base of some 15 or 20 ms, and for each
  gigabyte of input what its stage's share of the data adds, so that a few stages hold most of the work at 100 GB.
- The first task of an executor in a stage takes longer by 90 ms (aggregations) to 290 ms (scans), log-normal; a fresh
  executor's by 1 to 2 s more. With more executors tasks take longer: at 50, scans 1.16 times, joins 2 times,
  aggregations 2.5 times what they take at 5. Within a wave, durations are log-normal.

Statistics of 300 templates beside those of the 22 queries, each at 7 sizes of 2 to 100 GB:

| | generated | published |
|---|---|---|
| stages of a job, mean | 8.9 | 9.2 |
| longest path, mean in stages | 6.1 | 5.9 |
| scans of a job, mean | 3.5 | 3.5 |
| tasks of a job at 2, 100 GB, mean | 920, 1550 | 910, 1580 |
| work of a job at 2, 10, 100 GB, mean in s | 160, 340, 2110 | 170, 350, 2140 |
| task of the median stage at 2, 100 GB, in ms | 220, 590 | 250, 460 |
| first over rest wave, geometric mean | 3.3 | 3.5 |
| rest wave with 20, 50, 100 over 5 executors, geometric mean | 1.3, 1.9, 3.0 | 1.3, 1.9, 2.9 |
| profiles with a fresh, a first, a rest wave | 25 %, 88 %, 65 % | 27 %, 89 %, 65 % |

All draws are raw uniforms of NumPy's PCG64, so that a seed gives the same graph with every NumPy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import UserError
from unseat.tasks.schedule.engine.graphs import LONGEST_MS, Arrivals, JobGraph, Profile, Stage

Doubles = NDArray[np.float64]
Waves = tuple[Doubles, Doubles, Doubles]

SIZES_GB = (2, 5, 10, 20, 50, 80, 100)
"""The published sizes of the input."""

EXECUTORS = (2, 5, 10, 20, 40, 50, 60, 80, 100)
"""Numbers of executors for which durations are generated: the published ones."""

SAMPLES = 32
"""Durations of a profile, over its waves in the proportion in which they would be measured."""

_SHUFFLE = 200
_MOST = 18
_LARGEST_GB = 100_000

# Of a scan: partitions a gigabyte, as lineitem, orders, partsupp, customer or part, and tables that do not grow.
# A query reads one large table at least.
_LARGE = ((5.93, 0.75), (1.33, 0.10), (0.91, 0.15))
_RATES = ((5.93, 0.06), (1.33, 0.18), (0.91, 0.07), (0.19, 0.33), (0.0, 0.36))
_LEAVES = ((1, 0.18), (2, 0.22), (3, 0.18), (4, 0.11), (5, 0.10), (6, 0.13), (8, 0.08))
_ROW = ((0, 0.25), (1, 0.20), (2, 0.30), (3, 0.25))
_LAST = ((1, 0.45), (3, 0.10), (5, 0.16), (7, 0.09), (46, 0.05), (_SHUFFLE, 0.15))


class _Kind(NamedTuple):
    """What a class of stages has in common.

    Attributes:
        overhead_ms, overhead_spread: Of a first task over later ones: median, and standard deviation of its logarithm.
        warm_up_ms: Of a fresh executor's task over a later one.
        slope, bend: A task takes 1 + slope x + bend x**2 times as long with x executors more than 5.
        spread: Standard deviation of the logarithm of the durations within a wave.
    """

    overhead_ms: float
    overhead_spread: float
    warm_up_ms: float
    slope: float
    bend: float
    spread: float


_SCAN = _Kind(290.0, 1.0, 2000.0, 0.0016, 0.00003, 0.13)
_TABLE = _Kind(700.0, 1.0, 1900.0, 0.005, 0.0, 0.13)
_JOIN = _Kind(220.0, 0.7, 900.0, 0.021, 0.0, 0.33)
_AGGREGATION = _Kind(65.0, 0.6, 1400.0, 0.031, 0.0, 0.35)
_FINAL = _Kind(150.0, 0.15, 1400.0, 0.012, 0.0, 0.28)


@dataclass(frozen=True)
class _Plan:
    """A stage of a template: `tasks` of it, or `rate` a gigabyte; a task takes `base_ms`, and `growth_ms` a gigabyte.

    `volume` is the partitions a gigabyte of the largest table below it; `opens` and `warm` say that its waves were
    measured while executors came to the job, and that none of them came to the stage from another one.
    """

    kind: _Kind
    parents: tuple[int, ...]
    base_ms: float
    volume: float
    growth_ms: float = 0.0
    tasks: int = 0
    rate: float = 0.0
    opens: bool = False
    warm: bool = True

    def count(self, size_gb: float) -> int:
        """Tasks at a size of the input."""
        return self.tasks or max(2, round(self.rate * size_gb))


class _Draws:
    """Draws of one purpose from one seed."""

    def __init__(self, *seed: int) -> None:
        self._rng = np.random.Generator(np.random.PCG64([*seed]))

    def uniform(self) -> float:
        return float(self._rng.random())

    def uniforms(self, count: int) -> Doubles:
        return self._rng.random(count)

    def below(self, count: int) -> int:
        return int(self.uniform() * count)

    def one_of(self, weighted: Sequence[tuple[float, float]]) -> float:
        """A value by its weight; weights sum to 1."""
        at = self.uniform()
        for value, weight in weighted:
            at -= weight
            if at < 0:
                return value
        return weighted[-1][0]

    def normals(self, count: int) -> Doubles:
        """By Box and Muller: NumPy's own method may change between versions."""
        drawn: Doubles = np.sqrt(-2 * np.log1p(-self._rng.random(count))) * np.cos(2 * np.pi * self._rng.random(count))
        return drawn

    def lognormal(self, spread: float) -> float:
        """Of median 1."""
        return math.exp(spread * float(self.normals(1)[0]))


def generate(template_seed: int, size_gb: float, *, memory: bool = False) -> JobGraph:
    """A job of a template at a size of its input.

    Args:
        template_seed: Which template, 0 or more. Jobs of one template differ in their size only.
        size_gb: Size of the input in gigabytes, such as one of SIZES_GB.
        memory: Whether tasks need memory (`with_memory`, by the template's seed); if not, they need none.

    Raises:
        UserError: A number is out of its range.
    """
    if template_seed < 0 or not 0 < size_gb <= _LARGEST_GB:
        raise UserError(f"template {template_seed} at {size_gb} GB; templates count from 0, sizes end at {_LARGEST_GB}")
    draws = _Draws(template_seed, round(size_gb * 1000), 2)
    stages = tuple(_stage(plan, size_gb, draws) for plan in _template(template_seed))
    graph = JobGraph(f"generated-{template_seed}-{size_gb:g}g", f"generated-{template_seed}", stages)
    return with_memory(graph, template_seed) if memory else graph


def with_memory(graph: JobGraph, seed: int) -> JobGraph:
    """The graph with tasks that need memory: each stage a share between 0.1 and 1, spread evenly over its logarithm.

    Graphs of one template and as many stages get the same. With executors of memory 0.25, 0.5 and 1, two stages of five
    fit on every one, and three of ten only on the largest.

    Raises:
        UserError: The seed is negative.
    """
    if seed < 0:
        raise UserError(f"seed {seed}; seeds count from 0")
    draws = _Draws(seed, crc32(graph.template.encode()), 3)
    stages = (replace(stage, memory=round(10.0 ** (-draws.uniform()), 3)) for stage in graph.stages)
    return replace(graph, stages=tuple(stages))


def _template(seed: int) -> list[_Plan]:
    """Its stages, parents first."""
    draws = _Draws(seed, 1)
    plans: list[_Plan] = []
    leaves = [_add(plans, _scan(draws, _LARGE))]
    leaves += [_add(plans, _scan(draws, _RATES)) for _ in range(int(draws.one_of(_LEAVES)) - 1)]
    trees = list(leaves)
    last = -1
    while len(trees) > 1:
        left = trees.pop(trees.index(last) if last in trees and draws.uniform() < 0.7 else draws.below(len(trees)))
        right = trees.pop(draws.below(len(trees)))
        sides = [_aggregated(plans, side, _MOST - 2 - len(trees), draws) for side in (left, right)]
        last = _add(plans, _join(plans, sides, draws))
        trees.append(last)
    top = trees[0]
    for _ in range(min(int(draws.one_of(_ROW)), _MOST - 1 - len(plans))):
        top = _add(plans, _aggregation(plans, top, 0.02, draws))
    base = 25.0 * draws.lognormal(0.2)
    _add(plans, _Plan(_FINAL, (top,), base, plans[top].volume, tasks=int(draws.one_of(_LAST))))
    _share(plans, leaves, draws)
    return plans


def _add(plans: list[_Plan], plan: _Plan) -> int:
    plans.append(plan)
    return len(plans) - 1


def _scan(draws: _Draws, rates: Sequence[tuple[float, float]]) -> _Plan:
    rate = draws.one_of(rates) * draws.lognormal(0.1)
    opens = draws.uniform() < 0.5
    warm = not opens or draws.uniform() < 0.5
    if not rate:
        return _Plan(_TABLE, (), 50.0 * draws.lognormal(0.6), 0.01, tasks=2, opens=opens, warm=warm)
    return _Plan(_SCAN, (), 1900.0 * draws.lognormal(0.19), rate, rate=rate, opens=opens, warm=warm)


def _join(plans: list[_Plan], sides: list[int], draws: _Draws) -> _Plan:
    volume = max(plans[side].volume for side in sides)
    growth = 0.62 * volume**0.8 * draws.lognormal(1.0)
    return _Plan(_JOIN, tuple(sorted(sides)), 22.0 * draws.lognormal(0.5), volume, growth, tasks=_SHUFFLE,
                 opens=draws.uniform() < 0.17)  # fmt: skip


def _aggregated(plans: list[_Plan], side: int, most: int, draws: _Draws) -> int:
    """A side of a join, sometimes aggregated before it is joined: a subquery. So there are less than `most` plans."""
    if draws.uniform() >= 0.1 or len(plans) >= most:
        return side
    return _add(plans, _aggregation(plans, side, 3.0, draws))


def _aggregation(plans: list[_Plan], below: int, weight: float, draws: _Draws) -> _Plan:
    volume = plans[below].volume
    growth = weight * volume * draws.lognormal(1.0)
    tasks = 1 if draws.uniform() < 0.04 else _SHUFFLE
    return _Plan(_AGGREGATION, (below,), 13.0 * draws.lognormal(0.5), volume, growth, tasks=tasks,
                 opens=draws.uniform() < 0.06)  # fmt: skip


def _share(plans: list[_Plan], leaves: list[int], draws: _Draws) -> None:
    """In one graph of three, a scan is read by one more join than the tree has for it."""
    leaf = leaves[draws.below(len(leaves))]
    joins = [place for place, plan in enumerate(plans) if plan.kind is _JOIN and leaf not in plan.parents]
    if joins and draws.uniform() < 0.5:
        at = joins[draws.below(len(joins))]
        plans[at] = replace(plans[at], parents=(*plans[at].parents, leaf))


def _stage(plan: _Plan, size_gb: float, draws: _Draws) -> Stage:
    kind, tasks = plan.kind, plan.count(size_gb)
    overhead = kind.overhead_ms * draws.lognormal(kind.overhead_spread)
    warm_up = max(300.0, kind.warm_up_ms * (1.0 + 0.35 * float(draws.normals(1)[0])))
    steep = draws.lognormal(0.4)
    mean = plan.base_ms + plan.growth_ms * size_gb
    noise = np.exp(kind.spread * draws.normals(SAMPLES * len(EXECUTORS)) - kind.spread**2 / 2)
    profiles = []
    for place, executors in enumerate(EXECUTORS):
        x = executors - 5
        slower = 1.0 + steep * (kind.slope * x + kind.bend * x * x)
        fresh, first, rest = _split(noise[SAMPLES * place : SAMPLES * (place + 1)], tasks, executors, plan)
        later = mean * slower
        waves = (np.sqrt(fresh) * (later + warm_up), first * (later + overhead * slower**0.6), rest * later)
        profiles.append(Profile(executors, *(_whole(wave) for wave in waves)))
    return Stage(tasks, plan.parents, tuple(profiles))


def _split(noise: Doubles, tasks: int, executors: int, plan: _Plan) -> Waves:
    """The draws of a profile by wave: as many firsts as there are executors, or tasks, in proportion."""
    count = min(tasks, SAMPLES)
    firsts = max(1, round(count * min(1.0, executors / tasks)))
    begin, rest = noise[:firsts], noise[firsts:count]
    nothing = noise[:0]
    if not plan.opens:
        return nothing, begin, rest
    if not plan.warm or firsts == 1:
        return begin, nothing, rest
    return begin[: firsts // 2], begin[firsts // 2 :], rest


def _whole(durations: Doubles) -> NDArray[np.int32]:
    return np.clip(np.rint(durations), 1, LONGEST_MS).astype(np.int32)


def batch(graphs: Sequence[JobGraph], count: int, seed: int) -> Arrivals:
    """Jobs that are all there at the start, each a graph drawn evenly.

    Raises:
        UserError: There are no graphs, or a number is out of its range; so for the others.
    """
    return _arrivals(graphs, np.zeros(count), _checked(graphs, count, seed))


def poisson(graphs: Sequence[JobGraph], count: int, interval_ms: float, seed: int) -> Arrivals:
    """Jobs with exponential gaps, in whole milliseconds; the first is there at the start.

    The mean gap is that of the distribution: a draw's own mean differs from it.
    """
    draws = _checked(graphs, count, seed, interval_ms)
    gaps = -interval_ms * np.log1p(-draws.uniforms(count))
    return _arrivals(graphs, np.cumsum(gaps) - gaps[0], draws)


def lublin(
    graphs: Sequence[JobGraph], count: int, interval_ms: float, seed: int, *, start_hour: float = 0.0
) -> Arrivals:
    """Jobs in bursts and with a daily cycle, as on parallel supercomputers; the first is there at the start.

    The arrival process of U. Lublin and D. G. Feitelson, "The workload on parallel supercomputers: modeling the
    characteristics of rigid jobs", Journal of Parallel and Distributed Computing 63(11), 2003, with its constants for
    batch and interactive jobs together. The exponential of a gamma variate is a gap in rush-hour seconds; these seconds
    pass faster or slower in each half hour of the day, in proportion to another gamma density. Single gaps are heavy
    tailed (at most exp(13) s), so that the mean of a draw says little; therefore the clock is scaled, its days too,
    until the gaps of this draw have the mean that is asked for.

    Args:
        graphs, count, seed: As for `batch`.
        interval_ms: Mean gap of the jobs drawn.
        start_hour: Hour of the day at which the process starts, from 0 to 24.
    """
    draws = _checked(graphs, count, seed, interval_ms)
    if not 0 <= start_hour <= 24:
        raise UserError(f"start at hour {start_hour}; a day has 0 to 24")
    at = lublin_seconds(draws.uniforms(count), start_hour)
    at -= at[0]
    scale = interval_ms * (count - 1) / at[-1] if count > 1 else 1.0
    return _arrivals(graphs, at * scale, draws)


def lublin_seconds(uniforms: Doubles, start_hour: float = 0.0) -> Doubles:
    """Arrivals in seconds after the start, for one uniform variate of [0, 1) a job."""
    from scipy import special

    shape, scale = 10.2303 * 1.0225, 0.4871  # AARR * ARAR, BARR
    most = special.gammainc(shape, 13.0 / scale)  # larger ones are drawn again, so that uniforms end here
    gaps = np.exp(special.gammaincinv(shape, uniforms * most) * scale)
    # Half hours 11 to 58 of a gamma density (ANUM, BNUM), one after the other around the day, the first at place 10.
    half_hours = np.arange(11, 59)
    weights = np.empty(48)
    weights[(half_hours - 1) % 48] = np.diff(special.gammainc(8.1737, np.arange(10.5, 59.0) / 3.9631))
    clock = np.concatenate(([0.0], np.cumsum(weights / weights.mean())))
    # Points, of 1800 rush-hour seconds, are spent on half hours; a day costs 48 of them.
    points = np.cumsum(gaps) / 1800 + np.interp(start_hour * 2, np.arange(49), clock)
    days, rest = np.divmod(points, 48)
    seconds: Doubles = (days * 48 + np.interp(rest, clock, np.arange(49)) - start_hour * 2) * 1800
    return seconds


def _checked(graphs: Sequence[JobGraph], count: int, seed: int, interval_ms: float = 1.0) -> _Draws:
    if not graphs:
        raise UserError("no job graphs to draw from; give at least one")
    if count < 1 or seed < 0:
        raise UserError(f"{count} jobs by seed {seed}; give at least one job, and a seed from 0")
    if not 0 < interval_ms * count <= LONGEST_MS**2:
        raise UserError(f"{count} jobs at a mean interval of {interval_ms} ms; give a number above 0")
    return _Draws(seed, 4)


def _arrivals(graphs: Sequence[JobGraph], at_ms: Doubles, draws: _Draws) -> Arrivals:
    jobs = np.minimum((draws.uniforms(len(at_ms)) * len(graphs)).astype(np.int64), len(graphs) - 1)
    return Arrivals(tuple(graphs), tuple(jobs.tolist()), tuple(np.rint(at_ms).astype(np.int64).tolist()))
