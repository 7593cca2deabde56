"""The rules: each held to a slow form of its definition, and FIFO and fair to the simulator that was published."""

from __future__ import annotations

import os
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tasks.schedule import small
from tests.tasks.schedule.reference import rules
from tests.tasks.schedule.reference.simulator import Decide, Question, Simulator, Task, bits

from unseat.data import load_manifest, status
from unseat.tasks.schedule.data import tpch
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.graphs import Arrivals, JobGraph
from unseat.tasks.schedule.engine.layout import Float64, Memory
from unseat.tasks.schedule.engine.memory import Cluster, Machines, lay_out, logged, table
from unseat.tasks.schedule.generators import generate, poisson
from unseat.tasks.schedule.incumbents import graphene
from unseat.tasks.schedule.incumbents.play import FAIR, FIFO, GRAPHENE, HEFT, SJF, SJF_CP, TETRIS, play
from unseat.tasks.schedule.incumbents.shared import NO_CAP
from unseat.tasks.schedule.policies import RULES, ranks

SEEDS = st.integers(0, 2**32 - 1)


def ranked(rule: int, cluster: Cluster) -> Float64:
    """The ranks that a rule's policy gives it."""
    return ranks(next(one.ranks for one in RULES.values() if one.number == rule), cluster)


CASES = [
    (FIFO, (), rules.fifo),
    (FAIR, (0.0,), rules.fair(0.0)),
    (FAIR, (1.0,), rules.fair(1.0)),
    (FAIR, (-1.3,), rules.fair(-1.3)),
    (FAIR, (0.5, 1.0), rules.conserving(0.5, False)),
    (FAIR, (-1.0, 1.0), rules.conserving(-1.0, False)),
    (FAIR, (0.0, 1.0, 1.0), rules.conserving(0.0, True)),
    (FAIR, (1.2, 1.0, 1.0), rules.conserving(1.2, True)),
    (SJF, (), rules.sjf),
    (SJF_CP, (), rules.sjf_cp),
    (TETRIS, (NO_CAP, 0.25, 1.0), rules.tetris(None, 0.25, 1.0)),
    (TETRIS, (0.0, 0.0, 0.0), rules.tetris(0.0, 0.0, 0.0)),
    (TETRIS, (-0.5, 0.8, 3.0), rules.tetris(-0.5, 0.8, 3.0)),
    (HEFT, (NO_CAP,), rules.heft(None)),
    (HEFT, (0.3,), rules.heft(0.3)),
]


@pytest.mark.parametrize(("rule", "parameters", "slow"), CASES)
@settings(max_examples=8, deadline=None)
@given(seed=SEEDS)
def test_rules_are_their_definitions(rule: int, parameters: tuple[float, ...], slow: rules.Rule, seed: int) -> None:
    """Red: a rule takes another stage or another number of executors than its definition."""
    compare(seed, rule, parameters, slow)


@settings(max_examples=15, deadline=None)
@given(SEEDS, st.sampled_from((None, 0.0, -1.0)), st.sampled_from((0.0, 0.5, 1.0)))
def test_graphene_is_its_definition(seed: int, cap: float | None, short: float) -> None:
    """Red: the score that packs and finishes jobs is another, or a job's own order is left."""
    orders = ranked(GRAPHENE, lay_out(*small.some_cluster(seed))).tolist()
    compare(seed, GRAPHENE, (NO_CAP if cap is None else cap, short), rules.graphene(cap, short, orders))


def compare(seed: int, rule: int, parameters: tuple[float, ...], slow: rules.Rule) -> None:
    arrivals, machines = small.some_cluster(seed)
    cluster = lay_out(arrivals, machines)
    m = cluster.begin(seed, log=True)
    play(m, cluster.durations, rule, padded(*parameters), ranked(rule, cluster), at.NEVER_MS)
    reference = Simulator(arrivals, machines, int(m[at.SEED]), small.anything(0))
    rules.play(reference, slow)
    assert [Task(*row) for row in logged(m)[:, 1:].tolist()] == reference.tasks
    assert (int(m[at.DECISIONS]), int(m[at.MOVES])) == (len(reference.questions), reference.moves)


def padded(*parameters: float) -> Float64:
    return np.array([*parameters, *[0.0] * (4 - len(parameters))])


def test_random_takes_any_candidate_and_any_number() -> None:
    """Red: the baseline never tries some candidates, or always sends one or all executors."""
    graph = small.steady("a", (30, (), 10))
    sent = []
    for seed in range(40):
        cluster = lay_out(Arrivals((graph,), (0, 0, 0), (0, 0, 0)), Machines((6,)))
        m = cluster.begin(seed, log=True)
        play(m, cluster.durations, 7, padded(), padded(), at.NEVER_MS)
        begun = [row[1] for row in logged(m).tolist() if row[3] == logged(m)[0, 3]]
        sent.append(tuple(begun.count(stage) for stage in range(3)))
    assert {count for counts in sent for count in counts} == set(range(7))
    assert len(set(sent)) > 12


# Graphene's order.


def schedules(graph: JobGraph, executors: int, monkeypatch: pytest.MonkeyPatch) -> list[graphene._Space]:
    """All virtual schedules that are tried, complete."""
    tried: list[graphene._Space] = []
    original = graphene._Space.order

    def recorded(space: graphene._Space) -> tuple[int, ...]:
        tried.append(space)
        return original(space)

    with monkeypatch.context() as patched:
        patched.setattr(graphene._Space, "order", recorded)
        graphene.order.__wrapped__(graph, executors)
    return tried


def block(graph: JobGraph, place: int, executors: int) -> tuple[int, int]:
    """Length and width of a stage as one block."""
    stage = graph.stages[place]
    return round(1000 * stage.mean_ms) * -(-stage.tasks // executors), min(stage.tasks, executors)


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.integers(1, 7))
def test_virtual_schedules_are_schedules(seed: int, executors: int) -> None:
    """Red: a stage is placed before its parents, or more executors are taken than there are."""
    graph = small.some_graph(np.random.default_rng(seed), "a", 9)
    with pytest.MonkeyPatch.context() as patch:
        tried = schedules(graph, executors, patch)
    for space in tried:
        assert sorted(space.spans) == list(range(len(graph.stages)))
        for place, (begin, end) in space.spans.items():
            length, _ = block(graph, place, executors)
            assert end - begin == length
            assert all(space.spans[parent][1] <= begin for parent in graph.stages[place].parents)
            at_begin = [other for other, (b, e) in space.spans.items() if b <= begin < e]
            assert sum(block(graph, other, executors)[1] for other in at_begin) <= executors
    best = min(tried, key=lambda space: (space.length, space.order()))
    assert graphene.order(graph, executors) == best.order()
    assert sorted(best.order()) == list(range(len(graph.stages)))
    known: set[int] = set()
    for place in best.order():  # an order that can be worked off
        assert set(graph.stages[place].parents) <= known
        known.add(place)
    assert best.length <= listed(graph, executors, graph.order)


def listed(graph: JobGraph, executors: int, order: tuple[int, ...]) -> int:
    """How long the schedule is that places stages in an order, each as early as it fits."""
    spans: dict[int, tuple[int, int]] = {}
    for place in order:
        length, width = block(graph, place, executors)
        earliest = max((spans[parent][1] for parent in graph.stages[place].parents), default=0)
        for begin in sorted({earliest, *(end for _, end in spans.values() if end > earliest)}):
            moments = [begin, *(other for other, _ in spans.values() if begin < other < begin + length)]
            used = [sum(block(graph, o, executors)[1] for o, (b, e) in spans.items() if b <= t < e) for t in moments]
            if max(used) + width <= executors:
                spans[place] = begin, begin + length
                break
    return max(end for _, end in spans.values())


@settings(max_examples=15, deadline=None)
@given(SEEDS, st.integers(2, 5))
def test_no_virtual_schedule_beats_the_optimum(seed: int, executors: int) -> None:
    """Red: a virtual schedule is shorter than any that can be, or far from what was searched for."""
    graph = small.some_graph(np.random.default_rng(seed), "a", 5)
    places = range(len(graph.stages))
    feasible = [
        order
        for order in permutations(places)
        if all(order.index(parent) < order.index(place) for place in places for parent in graph.stages[place].parents)
    ]
    optimum = min(listed(graph, executors, order) for order in feasible)
    with pytest.MonkeyPatch.context() as patch:
        lengths = [space.length for space in schedules(graph, executors, patch)]
    assert optimum <= min(lengths) <= 1.5 * optimum


# Pinned: what the generated workload takes, in ms over all jobs.

GOLDEN: dict[str, tuple[int, tuple[float, ...], int]] = {
    "FIFO": (FIFO, (), 370_218),
    "fair": (FAIR, (0.0,), 340_663),
    "weighted fair": (FAIR, (-1.0,), 318_043),
    "weighted fair, conserving": (FAIR, (-1.0, 1.0), 345_794),
    "weighted fair, shortest": (FAIR, (-1.0, 1.0, 1.0), 342_734),
    "SJF": (SJF, (), 391_980),
    "SJF-CP": (SJF_CP, (), 386_225),
    "Tetris": (TETRIS, (NO_CAP, 0.25, 1.0), 375_825),
    "HEFT": (HEFT, (0.0,), 462_496),
    "Graphene": (GRAPHENE, (0.0, 1.0), 347_162),
}


def generated() -> Cluster:
    """Ten jobs of four templates on twelve executors of two classes."""
    graphs = [generate(template, size, memory=True) for template, size in ((0, 2), (1, 5), (2, 10), (3, 2))]
    return lay_out(poisson(graphs, 10, 20_000, 1), Machines((8, 4), (0.5, 1.0)))


def test_golden_completions() -> None:
    """Red: the simulator, a rule or the generator changed its behaviour: that is a new version of the task."""
    cluster = generated()
    found = {}
    for name, (rule, parameters, _) in GOLDEN.items():
        m = cluster.begin(1)
        play(m, cluster.durations, rule, padded(*parameters), ranked(rule, cluster), at.NEVER_MS)
        found[name] = total_ms(m)
    assert found == {name: expected for name, (_, _, expected) in GOLDEN.items()}


# Sums of the jobs' completion times in ms, as the simulator of H. Mao et al. itself gave them (github.com/hongzimao/
# decima-sim at c010dd7, unchanged), for its own draws of jobs (`Environment.seed`), 20 jobs at the start or 40 in a
# stream at 25 s: SparkAgent without a limit, DynamicPartitionAgent, and `odd` below. Only the random numbers that pick
# from the measured durations were replaced, by those of `moves.duration`, so that both meet the same durations.
PUBLISHED_MS = {
    ("batch", 10, 0): (14_389_618, 10_403_770, 18_228_835),
    ("batch", 10, 1): (10_020_023, 7_143_727, 18_450_060),
    ("batch", 10, 2): (27_599_724, 20_089_570, 51_765_096),
    ("stream", 10, 0): (36_005_215, 28_947_014, 75_648_636),
    ("stream", 10, 1): (37_087_216, 26_791_145, 72_543_422),
    ("stream", 10, 2): (45_602_364, 33_123_751, 75_885_247),
    ("batch", 50, 0): (5_224_946, 2_125_717, 5_300_989),
    ("batch", 50, 1): (3_920_772, 1_723_123, 4_141_654),
    ("batch", 50, 2): (8_670_171, 4_225_910, 11_248_205),
    ("stream", 50, 0): (2_145_121, 1_598_918, 2_377_116),
    ("stream", 50, 1): (5_640_072, 2_244_730, 3_916_225),
    ("stream", 50, 2): (9_984_847, 2_605_206, 5_952_800),
}


def published_jobs(kind: str, seed: int) -> Arrivals:
    """Jobs as the published simulator draws them, from the generator whose draws NumPy keeps as they are."""
    draws = np.random.RandomState(seed)
    jobs, at_ms, now = [], [], 0
    for _ in range(20 if kind == "batch" else 40):
        if kind == "batch":
            query, size = draws.randint(22), draws.randint(7)
        else:
            now += int(draws.exponential(25_000))
            size, query = draws.randint(7), draws.randint(22)
        jobs.append(22 * size + query)
        at_ms.append(now)
    graphs = tuple(tpch.tpch(size, query) for size in tpch.SIZES for query in tpch.QUERIES)
    return Arrivals(graphs, tuple(jobs), tuple(at_ms))


def odd(seed: int, executors: int) -> Decide:
    """A policy that takes any candidate and any limit, so that promises are void, late or to stages far ahead."""
    asked = iter(range(1 << 41, 1 << 42))

    def decide(question: Question) -> tuple[int | None, int]:
        drawn = bits(seed, next(asked))
        return question.stages[(drawn >> 8) % len(question.stages)], (drawn >> 24) % (executors + 2)

    return decide


@pytest.mark.skipif(not os.environ.get("UNSEAT_DATA"), reason="UNSEAT_DATA names no folder with the published jobs")
def test_the_published_simulator_gives_the_same() -> None:
    """Red: on the published jobs, some job's completion time is not what the published simulator says, to the ms."""
    states = status([load_manifest(Path(tpch.__file__).parents[1] / "data.toml")])
    if any(state.where not in ("found", "cached") for state in states):
        pytest.skip("UNSEAT_DATA has not all of the published jobs")
    for (kind, executors, seed), expected in PUBLISHED_MS.items():
        cluster = lay_out(published_jobs(kind, seed), Machines((executors,)))
        found = []
        for rule in (FIFO, FAIR):
            m = cluster.begin(seed)
            play(m, cluster.durations, rule, padded(), padded(), at.NEVER_MS)
            found.append(total_ms(m))
        m, _ = small.run(cluster, seed, odd(int(m[at.SEED]), executors))
        assert (*found, total_ms(m)) == expected, (kind, executors, seed)


def total_ms(m: Memory) -> int:
    jobs = table(m, at.ALL_JOBS)
    return int((jobs[:, at.DONE_AT] - jobs[:, at.ARRIVAL]).sum())
