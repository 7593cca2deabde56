"""What a run measured, against a slow count of its log, and what a failed run counts with."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.tasks.schedule import small
from tests.tasks.schedule.small_task import SmallSchedule

from unseat.core.errors import ContractError
from unseat.core.outcome import Limits
from unseat.tasks.schedule.engine.graphs import LONGEST_MS, Arrivals
from unseat.tasks.schedule.engine.memory import Machines, logged
from unseat.tasks.schedule.policies import RULES, RuleOf
from unseat.tasks.schedule.problem import SENSIBLE, Problem
from unseat.tasks.schedule.suites import Source
from unseat.tasks.schedule.task import ScheduleTask

SEEDS = st.integers(0, 2**32 - 1)
TASK = SmallSchedule()


def times(problem: Problem, log: list[list[int]]) -> list[float]:
    """Each job's time from its arrival to the end of its last task, in seconds."""
    job_of = [job for job, (graph, _) in enumerate(problem.arrivals) for _ in graph.stages]
    ends = [0] * len(problem.arrivals.jobs)
    for _, stage, _, _, end in log:
        ends[job_of[stage]] = max(ends[job_of[stage]], end)
    return [(end - arrived) / 1000 for end, arrived in zip(ends, problem.arrivals.at_ms, strict=True)]


def percentile(values: list[float], share: float) -> float:
    """By hand: the values in order lie evenly from 0 to 1, and between two of them in proportion."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def idle(problem: Problem, log: list[list[int]]) -> float:
    """The share of executor milliseconds without a task, counted one by one until the last job is done."""
    makespan = max(end for *_, end in log)
    works = np.zeros((problem.machines.executors, makespan), bool)
    for executor, _, _, begin, end in log:
        for moment in range(begin, end):
            assert not works[executor, moment]
            works[executor, moment] = True
    return 1 - int(works.sum()) / works.size


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.sampled_from(sorted(RULES)))
@example(0, "random")
def test_metrics_are_those_of_the_log(seed: int, rule: str) -> None:
    """Red: the tail or the idle share of the table is not that of what the executors did."""
    problem = Problem(*small.some_cluster(seed, jobs=9))
    m = problem.cluster.begin(seed, log=True)
    RuleOf(rule, rule).play(m, problem.cluster)
    outcome, log = problem.outcome(m), logged(m).tolist()
    took = times(problem, log)
    assert outcome.value == pytest.approx(sum(took) / len(took))
    assert outcome.metrics["p95_completion_s"] == pytest.approx(percentile(took, 0.95))
    assert outcome.metrics["makespan_s"] == max(end for *_, end in log) / 1000
    assert outcome.metrics["idle_share"] == pytest.approx(idle(problem, log), abs=1e-9)


def test_the_tail_by_hand() -> None:
    """Red: as above, on jobs whose times anybody can see: one executor, twenty jobs of a second one after the other."""
    arrivals = Arrivals((small.steady("a", (1, (), 1000)),), (0,) * 20, (0,) * 20)
    problem = Problem(arrivals, Machines((1,), moving_ms=0, warm_up_ms=0))
    m = problem.cluster.begin(0, log=True)
    RuleOf("FIFO", "FIFO").play(m, problem.cluster)
    metrics = problem.outcome(m).metrics
    # They end at 1, 2, ... 20 s; of the 19 gaps between them 0.95 are 18.05.
    assert metrics["p95_completion_s"] == pytest.approx(19.05)
    assert metrics["makespan_s"] == 20.0
    assert metrics["idle_share"] == pytest.approx(0.0)


# What a failed run counts with.


def values(problem: Problem) -> dict[str, float]:
    """Every rule's mean completion time by the draws of seed 0."""
    found = {}
    for rule in RULES:
        m = problem.cluster.begin(0)
        RuleOf(rule, rule).play(m, problem.cluster)
        found[rule] = problem.outcome(m).value
    return found


def test_a_failure_is_twice_the_worst_sensible_rule() -> None:
    """Red: a failed run counts for less than a rule that anybody would use, or with another value each time."""
    for instance in TASK.instances():
        problem = TASK.load(instance)
        found = values(problem)
        assert problem.worst_s == 2 * max(found[rule] for rule in SENSIBLE)
        assert problem.worst_s > found["random"]
        assert problem.worst_s == TASK.sources[instance.id].problem().worst_s
        assert TASK.objective.failure(problem, Limits()) == problem.worst_s
        assert problem.worst_s < problem.serial_s


def test_one_failure_does_not_drown_the_others() -> None:
    """Red: one timeout on a long stream counts for so much that the mean over all instances is that of the one."""
    source = ScheduleTask().sources["made-stream-test-0"]
    assert isinstance(source, Source)
    problem = replace(source, jobs=200).problem()
    assert problem.worst_s < 25 * values(problem)["fair"]


def test_where_no_rule_comes_to_an_end_there_is_a_value_all_the_same() -> None:
    """Red: the failure of a run that cannot end has no value, and with it the experiment ends."""
    problem = Problem(Arrivals((small.steady("a", (40, (), LONGEST_MS)),), (0,), (0,)), Machines((1,), moving_ms=0))
    with pytest.raises(ContractError, match="than the simulator numbers"):
        values(problem)
    assert problem.worst_s == problem.serial_s > 40 * LONGEST_MS / 1000
