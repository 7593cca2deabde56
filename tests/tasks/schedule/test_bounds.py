"""The relaxation: held to a search over everything that a policy can do, and each of its parts to a slow form."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tasks.schedule import small
from tests.tasks.schedule.reference.simulator import Simulator, bits

from unseat.core.jit import jit
from unseat.core.outcome import Limits
from unseat.tasks.schedule.bounds import Relaxation, least
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.cluster import advance, answer
from unseat.tasks.schedule.engine.graphs import Arrivals, JobGraph, Stage, profile
from unseat.tasks.schedule.engine.memory import Machines, lay_out
from unseat.tasks.schedule.policies import RULES, RuleOf
from unseat.tasks.schedule.problem import Problem, completion_s

SEEDS = st.integers(0, 2**32 - 1)


@jit
def spent(m: Any) -> int:
    """Milliseconds that jobs have spent in the system so far."""
    total = 0
    for job in range(m[at.ALL_JOBS], m[at.ALL_JOBS] + m[at.JOBS] * at.JOB, at.JOB):
        if m[job + at.STATE] == at.DONE:
            total += m[job + at.DONE_AT] - m[job + at.ARRIVAL]
        elif m[job + at.STATE] == at.RUNS:
            total += m[at.NOW] - m[job + at.ARRIVAL]
    return total


@jit
def optimum(begun: Any, durations: Any, most: int) -> Any:
    """The least time in the system that any answers lead to, in ms over all jobs, and how many were tried.

    Depth first over every candidate, every number of executors, and waiting; what is over the best so far is left. A
    search over more than `most` answers ends early, with what some answers lead to.
    """
    depth, tried, best = 0, 0, 1 << 62
    states, options = np.zeros((400, begun.size), np.int64), np.zeros(400, np.int64)
    states[0] = begun
    advance(states[0], durations)
    while depth >= 0 and tried < most:
        m, option = states[depth], options[depth]
        options[depth] += 1
        stage, limit = at.NONE, 0
        for place in range(m[at.CANDIDATE_LIST], m[at.CANDIDATE_LIST] + m[at.CANDIDATES]):
            other = m[place]
            job = m[other + at.OF_JOB]
            choices = min(m[at.OFFERED], m[other + at.TASKS] - m[other + at.CLAIMED])
            if 0 <= option < choices:
                stage = other
                limit = m[job + at.HELD] - (m[at.OFFERED] if job == m[at.SOURCE_JOB] else 0) + option + 1
            option -= choices
        if stage == at.NONE and (option > 0 or m[at.FORCED] != 0):
            depth -= 1
            continue
        tried += 1
        later = states[depth + 1]
        later[:] = m
        answer(later, durations, stage, limit)
        asks = advance(later, durations)
        if spent(later) < best:
            if asks:
                depth += 1
                options[depth] = 0
            else:
                best = spent(later)
    return best, tried


def bound_ms(problem: Problem, seed: int) -> float:
    """The relaxation, as milliseconds over all jobs."""
    return 1000 * len(problem.arrivals.jobs) * Relaxation().solve(problem, seed=seed, limits=Limits()).value


def optimum_ms(problem: Problem, seed: int, most: int = 60_000) -> tuple[int, bool]:
    """The best that can be done, and whether all was searched."""
    best, tried = optimum(problem.cluster.begin(seed), problem.cluster.durations, most)
    return int(best), tried < most


def tiny(seed: int) -> Problem:
    """Two or three jobs of up to three stages on up to three executors, of one class or two.

    In two of three, tasks take the same time on whatever executor, so that the bound comes near.
    """
    rng = np.random.default_rng(seed)
    memory = bool(rng.random() < 0.3)
    graphs = tuple(small.some_graph(rng, f"job-{place}", 3, 3, memory) for place in range(2))
    if seed % 3:
        graphs = tuple(replace(graph, stages=tuple(steady(rng, stage) for stage in graph.stages)) for graph in graphs)
    jobs = int(rng.integers(2, 4))
    gaps = rng.choice((0, 0, 3, 20, 60), jobs)
    arrivals = Arrivals(graphs, tuple(rng.integers(0, 2, jobs).tolist()), tuple(np.cumsum(gaps).tolist()))
    if memory:
        return Problem(arrivals, Machines((1, 1), (0.5, 1.0), moving_ms=int(rng.choice((0, 5, 30))), reoffer=True))
    moving, warm_up = int(rng.choice((0, 5, 30))), int(rng.choice((0, 10)))
    return Problem(arrivals, Machines((int(rng.integers(1, 4)),), moving_ms=moving, warm_up_ms=warm_up))


def steady(rng: np.random.Generator, stage: Stage) -> Stage:
    took = [int(rng.integers(1, 40))]
    return replace(stage, profiles=(profile(1, took, took, took),))


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_nothing_that_a_policy_can_do_beats_it(seed: int) -> None:
    """Red: the "relaxation" is above what some policy reaches, so that a gap is closed beyond its end."""
    problem = tiny(seed)
    assert bound_ms(problem, seed) <= optimum_ms(problem, seed)[0] + 1e-6


def test_the_search_comes_to_its_end_and_the_bound_comes_near() -> None:
    """Red: the search above ends early nearly always, or the bound is so loose that nothing could beat it."""
    whole, near = 0, []
    for seed in range(40):
        best, complete = optimum_ms(tiny(seed), seed)
        whole += complete
        if complete:
            near.append(bound_ms(tiny(seed), seed) / best)
    assert whole >= 20
    assert max(near) == pytest.approx(1.0) and float(np.median(near)) > 0.7


TIGHT = {
    "one executor, shortest first": ([(1, (), 30)], [(1, (), 10)], (0, 0), 1),
    "one executor, the short job comes while it is idle": ([(1, (), 30)], [(1, (), 10)], (0, 500), 1),
    "as many executors as jobs, longest paths": ([(1, (), 30), (1, (0,), 7)], [(1, (), 10)], (0, 3), 2),
    "one stage on all executors": ([(3, (), 20)], [(3, (), 5)], (0, 900), 3),
}


@pytest.mark.parametrize(("one", "other", "at_ms", "executors"), TIGHT.values(), ids=TIGHT.keys())
def test_some_schedules_reach_it(one: Any, other: Any, at_ms: tuple[int, int], executors: int) -> None:
    """Red: the bound leaves out work, a path or the way to a job, though all of it must be done."""
    arrivals = Arrivals((small.steady("a", *one), small.steady("b", *other)), (0, 1), at_ms)
    problem = Problem(arrivals, Machines((executors,), moving_ms=4))
    best, complete = optimum_ms(problem, 0)
    assert complete and best == pytest.approx(bound_ms(problem, 0))


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_no_rule_beats_it(seed: int) -> None:
    """Red: on larger workloads, with classes of memory and durations by number of executors, some rule beats it."""
    problem = Problem(*small.some_cluster(seed))
    bound = Relaxation().solve(problem, seed=seed, limits=Limits()).value
    for name in RULES:
        m = problem.cluster.begin(seed)
        RuleOf(name, name).play(m, problem.cluster)
        assert bound <= completion_s(m).mean() + 1e-9


# Its parts.


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.booleans())
def test_least_is_the_least_of_all_that_can_be(seed: int, published: bool) -> None:
    """Red: a task can take less than the bound counts, or always takes more, between two measured numbers too."""
    rng = np.random.default_rng(seed)
    arrivals = small.some_arrivals(rng, 4)
    # The numbers of some clusters are measured, those of most lie between two, or above all.
    machines = Machines((int(rng.integers(1, 13)),), warm_up_ms=int(rng.choice((0, 10))), published_levels=published)
    cluster = lay_out(arrivals, machines)
    m = cluster.begin(seed)
    longest, work = np.zeros(m[at.STAGES]), np.zeros(m[at.JOBS])
    least(m, cluster.durations, longest, work)
    simulator = Simulator(arrivals, machines, int(m[at.SEED]), small.anything(0))
    number, tasks_before = 0, 0
    for job, (graph, _) in enumerate(arrivals):
        of_job = 0
        for stage in graph.stages:
            took = [shortest(simulator, stage, tasks_before + task) for task in range(stage.tasks)]
            assert longest[number] == max(took)
            number, tasks_before, of_job = number + 1, tasks_before + stage.tasks, of_job + sum(took)
        assert work[job] == of_job


def shortest(simulator: Simulator, stage: Stage, task: int) -> int:
    """The least time of a task, over every number of executors at its job and every wave."""
    drawn, found = bits(simulator.seed, task), list[int]()
    for count in range(1, simulator.machines.executors + 1):
        point = simulator.point(count, drawn >> 32)
        measured = [one for one in stage.profiles if one.executors <= point] or [stage.profiles[0]]
        fresh, first, rest = (wave.tolist() for wave in measured[-1].waves())
        extra = 0 if fresh else simulator.machines.warm_up_ms
        for durations, more in ((fresh or first, extra), (first or fresh, 0), (rest or first or fresh, 0)):
            found.append(durations[((drawn & 0xFFFFFFFF) * len(durations)) >> 32] + more)
    return min(found)


def test_two_measured_numbers_of_which_one_is_never_met() -> None:
    """Red: on a cluster that lies between two measured numbers, the bound takes what only a larger one could give."""
    profiles = tuple(profile(count, [ms], [ms], [ms]) for count, ms in ((2, 100), (5, 40), (9, 1)))
    graph = JobGraph("a", "a", (Stage(200, (), profiles),))
    found = []
    for executors in (2, 4, 5, 7, 8, 9):
        cluster = lay_out(Arrivals((graph,), (0,), (0,)), Machines((executors,), published_levels=False))
        m = cluster.begin(3)
        longest, work = np.zeros(1), np.zeros(1)
        least(m, cluster.durations, longest, work)
        found.append((float(longest[0]), float(work[0])))
    assert found[0] == (100, 200 * 100) and found[2] == (40, 200 * 40) and found[5] == (1, 200)
    for place, upper, lower, share in ((1, 100, 40, 2 / 3), (3, 40, 1, 1 / 2), (4, 40, 1, 3 / 4)):
        most, of_all = found[place]
        assert most == upper and abs((200 * upper - of_all) / (upper - lower) / 200 - share) < 0.1
