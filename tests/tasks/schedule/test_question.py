"""The question: what is shown, what may be answered, what is paid, and that compiled and Python policies run alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tasks.schedule import small
from tests.tasks.schedule.reference import simulator as slow
from tests.tasks.schedule.small_task import SmallSchedule

from unseat.core.jit import jit
from unseat.core.outcome import Limits, Outcome, Status
from unseat.core.policy import Form, InvalidAnswer, Policy, Session, View
from unseat.lab.attempt import attempt
from unseat.tasks.schedule import question
from unseat.tasks.schedule.engine import features as of
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.cluster import advance, answer
from unseat.tasks.schedule.engine.graphs import Arrivals
from unseat.tasks.schedule.engine.layout import Float32
from unseat.tasks.schedule.engine.memory import Machines, table
from unseat.tasks.schedule.problem import Problem
from unseat.tasks.schedule.question import ACTIONS, LEVELS, ROWS, observe, take
from unseat.tasks.schedule.task import ScheduleTask

SEEDS = st.integers(0, 2**32 - 1)
TASK = ScheduleTask()

Choose = Callable[[dict[str, Any]], int]


@dataclass(frozen=True)
class Chooser(Policy):
    """Answers by a function, and notes what it was shown and paid."""

    choose: Choose
    name: str = "chooser"
    seen: list[dict[str, Any]] = field(default_factory=list)
    paid: list[tuple[int, float]] = field(default_factory=list)

    def start(self, view: View, seed: int) -> Session:
        policy = self

        class Choosing(Session):
            def decide(self, observation: dict[str, Any]) -> int:
                policy.seen.append(observation)
                return policy.choose(observation)

            def reward(self, amount: float) -> None:
                policy.paid.append((len(policy.seen), amount))

        return Choosing()


def run(problem: Problem, policy: Policy, seed: int) -> Outcome:
    return TASK.run(problem, policy, seed=seed, limits=Limits())


# What is shown.


def log_s(micros: int) -> float:
    return math.log(max(micros, 1000) / 1e6)


@cache
def mean_of(stage: slow.Stage, wave: int | None = None) -> float:
    """Of all that was measured, or of all that was measured in one wave; the former where there is none."""
    profiles = stage.graph.profiles
    waves = [one for profile in profiles for one in (profile.waves() if wave is None else [profile.waves()[wave]])]
    found = [int(ms) for one in waves for ms in one]
    return sum(found) / len(found) if found else mean_of(stage)


def micros(ms: float) -> int:
    return max(1000, round(1000 * ms))


@cache
def path(stage: slow.Stage) -> float:
    return mean_of(stage) + max((path(child) for child in stage.children), default=0.0)


@cache
def below(stage: slow.Stage) -> frozenset[slow.Stage]:
    return frozenset(stage.children).union(*map(below, stage.children))


@cache
def depth(stage: slow.Stage) -> int:
    return 1 + max(map(depth, stage.children), default=0)


def work(stages: Sequence[slow.Stage], left: bool = False) -> int:
    return sum(round(1000 * mean_of(one)) * (one.graph.tasks - left * one.started) for one in stages)


@cache
def at_point(stage: slow.Stage, point: int) -> float:
    """Mean duration with so many executors, or with the next fewer that were measured."""
    counts = [one.executors for one in stage.graph.profiles]
    profile = stage.graph.profiles[max((n for n, count in enumerate(counts) if count <= point), default=0)]
    return float(np.concatenate(profile.waves()).mean())


@cache
def slower(points: tuple[int, ...], executors: int, stages: tuple[slow.Stage, ...], weigh: bool) -> list[float]:
    """How much slower tasks of some stages are at shares of the executors, as logarithms."""
    weights = [one.graph.tasks if weigh else 1 for one in stages]
    usual = sum(w * mean_of(one) for w, one in zip(weights, stages, strict=True))
    logs = [math.log(sum(w * at_point(one, point) for w, one in zip(weights, stages, strict=True)) / usual)
            for point in points]  # fmt: skip
    return [float(np.interp(share * executors, points, logs)) for share in (0.1, 0.2, 0.4, 0.8)]


def described(sim: slow.Simulator, asked: slow.Question) -> list[dict[str, float]]:
    """Every column by its name, of each candidate, by looking at everything."""
    executors, found = sim.machines.executors, []
    left = {job: work(job.stages, left=True) for job in sim.active}
    unfinished = [job for job in sim.active if any(not stage.all_started for stage in job.stages)]
    for stage in (stage for job in sim.active for stage in job.stages if stage.number in asked.stages):
        job = stage.job
        held = sim.held(job) - (asked.offered if job.number == asked.source else 0)
        first, rest = micros(mean_of(stage, 1)), micros(mean_of(stage, 2))
        row: dict[str, float] = {
            "log tasks unclaimed": math.log(stage.graph.tasks - sim.claimed(stage)),
            "ready": stage.runnable,
            "log executors at the stage": math.log(1 + sum(one.stage is stage for one in sim.executors)),
            "log mean task": log_s(round(1000 * mean_of(stage))),
            "log path to the end": log_s(round(1000 * path(stage))),
            "log work below": log_s(sum(round(1000 * one.graph.tasks * mean_of(one)) for one in below(stage))),
            "stages to the end": depth(stage) / 10,
            "log fresh over mean": math.log(micros(mean_of(stage, 0)) / micros(mean_of(stage))),
            "log first over rest": math.log(first / rest),
            "memory": stage.graph.memory,
            "log work left": log_s(left[job]),
            "log work": log_s(work(job.stages)),
            "log longest path": log_s(round(1000 * max(map(path, job.stages)))),
            "log executors held": math.log(1 + held),
            "holds none": held == 0,
            "source's job": job.number == asked.source,
            "log stages left": math.log(sum(not one.done for one in job.stages)),
            "log age": math.log(1 + (sim.now - job.arrival) / 1000),
            "log jobs": math.log(len(sim.active)),
            "log all work left": log_s(sum(left.values())),
            "log mean work left": log_s(sum(left.values())) - math.log(len(sim.active)),
            "log least work left": log_s(min(left[one] for one in unfinished)),
            "log executors offered": math.log(asked.offered),
            "log executors": math.log(executors),
        }
        by_stage = slower(tuple(sim.points), executors, (stage,), weigh=False)
        by_job = slower(tuple(sim.points), executors, tuple(job.stages), weigh=True)
        for share, own, whole in zip((10, 20, 40, 80), by_stage, by_job, strict=True):
            row[f"log slower at {share}% of executors"] = own
            row[f"job's log slower at {share}% of executors"] = whole
        found.append(row)
    return found


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.sampled_from((0.0, 0.2, 1.0)))
def test_features_are_what_they_say(seed: int, waits: float) -> None:
    """Red: a column of an observation is not what its name says, so that every policy is misled."""
    arrivals, machines = small.some_cluster(seed)
    decide, shown, expected = small.anything(seed, waits), list[Float32](), list[Float32]()
    problem = Problem(arrivals, machines)
    m = problem.cluster.begin(seed)
    while advance(m, problem.cluster.durations):
        asked = small.question(m)
        seen = observe(m, problem.cluster.static)
        assert TASK.questions["assign"].observation.contains(seen)  # type: ignore[union-attr]
        assert not seen["stages"][len(asked.stages) :].any()
        shown.append(seen["stages"][: len(asked.stages)])
        stage, limit = decide(asked)
        answer(m, problem.cluster.durations, at.NONE if stage is None else small.address(m, stage), limit)
    again = small.anything(seed, waits)
    sim = slow.Simulator(arrivals, machines, int(m[at.SEED]), again)

    def noted(asked: slow.Question) -> tuple[int | None, int]:
        rows = described(sim, asked)
        assert all(sorted(row) == sorted(of.FEATURES) for row in rows)
        expected.append(np.array([[row[name] for name in of.FEATURES] for row in rows], np.float32))
        return again(asked)

    sim.decide = noted
    sim.run()
    for own, wanted in zip(shown, expected, strict=True):
        np.testing.assert_allclose(own, wanted, rtol=1e-4, atol=1e-4)


def many(jobs: int, executors: int = 5) -> Problem:
    """More candidates at once than are shown."""
    graphs = tuple(small.steady(f"job-{place}", (2, (), 10 + place)) for place in range(jobs))
    return Problem(Arrivals(graphs, tuple(range(jobs)), (0,) * jobs), Machines((executors,), moving_ms=1))


def test_of_many_candidates_the_first_are_shown() -> None:
    """Red: with more candidates than rows an observation does not fit its space, or shows others than the first."""
    problem = many(ROWS + 9)
    m = problem.cluster.begin(0)
    assert advance(m, problem.cluster.durations)
    seen = observe(m, problem.cluster.static)
    assert TASK.questions["assign"].observation.contains(seen)  # type: ignore[union-attr]
    assert m[at.CANDIDATES] == ROWS + 9 and seen["action_mask"].all()
    np.testing.assert_allclose(seen["stages"][:, of.KNOWN], np.log((10 + np.arange(ROWS)) / 1000), rtol=1e-5)
    last = Chooser(lambda shown: int(np.flatnonzero(shown["action_mask"])[-1]))
    assert run(problem, last, 0).metrics["tasks"] == 2 * (ROWS + 9)


# What may be answered.


@pytest.mark.parametrize("count", [1, 5, ROWS, ROWS + 1])
@pytest.mark.parametrize("forced", [False, True])
def test_mask_is_what_may_be_answered(count: int, forced: bool) -> None:
    """Red: the mask forbids a candidate, allows one that is not there, or to wait when nothing runs any more."""
    legal = {0} - {0 if forced else -1}
    legal |= {1 + row * LEVELS + level for row in range(min(count, ROWS)) for level in range(LEVELS)}
    found = question.mask(count, forced)
    assert found.dtype == np.int8 and found.shape == (ACTIONS,)
    assert set(np.flatnonzero(found).tolist()) == legal and set(found.tolist()) <= {0, 1}


def test_actions_are_candidates_and_shares_of_the_executors() -> None:
    """Red: an action sends another number of executors than its level says, or to another candidate."""
    for executors in (1, 3, 16, 50):
        graphs = [small.steady(name, (200, (), 10)) for name in "abc"]
        problem = Problem(Arrivals(tuple(graphs), (0, 1, 2), (0, 0, 0)), Machines((executors,)))
        for row in range(3):
            for level in range(LEVELS):
                m = problem.cluster.begin(0)
                advance(m, problem.cluster.durations)
                take(m, problem.cluster.durations, 1 + row * LEVELS + level)
                claimed = [0, 0, 0]
                claimed[row] = math.ceil(executors * (level + 1) / LEVELS)
                assert table(m, at.ALL_STAGES)[:, at.CLAIMED].tolist() == claimed


@pytest.mark.parametrize("action", [0, 1 + 3 * LEVELS, 1 + 3 * LEVELS + 5, ACTIONS - 1])
def test_a_row_that_is_not_there_waits(action: int) -> None:
    """Red: an action that names no candidate reaches into memory behind the candidates, or sends an executor."""
    problem = many(3)
    m = problem.cluster.begin(0)
    advance(m, problem.cluster.durations)
    take(m, problem.cluster.durations, action)
    assert not table(m, at.ALL_STAGES)[:, at.CLAIMED].any()
    advance(m, problem.cluster.durations)
    assert m[at.FORCED] and m[at.CANDIDATES] == 3
    assert observe(m, problem.cluster.static)["action_mask"][0] == 0


@pytest.mark.parametrize("answer", [-1, ACTIONS, 0.5, float("nan"), None, "0"])
def test_answers_outside_are_refused(answer: Any) -> None:
    """Red: an answer that is no action is taken."""
    with pytest.raises(InvalidAnswer):
        run(many(2), Chooser(lambda _: answer), 0)


# What is paid.


def hashed(shown: dict[str, Any]) -> int:
    """Any action, by what is shown; sometimes to wait."""
    legal = np.flatnonzero(shown["action_mask"])
    return int(legal[int(abs(float(shown["stages"].sum(dtype=np.float64))) * 997) % len(legal)])


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_rewards_are_the_objective_as_it_comes(seed: int) -> None:
    """Red: a policy that earns more is not better, or is paid for a time at another moment than it passes."""
    problem = Problem(*small.some_cluster(seed))
    chooser = Chooser(hashed)
    outcome = run(problem, chooser, seed)
    assert sum(amount for _, amount in chooser.paid) == pytest.approx(-outcome.value)
    assert all(amount < 0 for _, amount in chooser.paid)
    m, moments = problem.cluster.begin(seed), list[int]()
    while advance(m, problem.cluster.durations):
        moments.append(int(m[at.NOW]))
        take(m, problem.cluster.durations, hashed(observe(m, problem.cluster.static)))
    jobs = table(m, at.ALL_JOBS)[:, [at.ARRIVAL, at.DONE_AT]].tolist()
    paid = [0.0] * (len(moments) + 1)  # before each question, and after the last
    for number, amount in chooser.paid:
        paid[number] += amount
    for number, (begin, end) in enumerate(zip([0, *moments], [*moments, 1 << 60], strict=True)):
        there = sum(max(0, min(end, done) - max(begin, arrival)) for arrival, done in jobs)
        assert paid[number] == pytest.approx(-there / 1000 / len(jobs), abs=1e-9)


# Compiled policies.


@jit
def choose(features: Any, weights: Any) -> Any:
    """Any candidate and level, or sometimes to wait, by what is shown; or the row and limit that the weights say."""
    count = features.shape[0]
    if weights[0] == 0.0:
        return int(weights[1] + weights[2] * count), int(weights[3])
    total = 0.0
    for row in range(count):
        for column in range(features.shape[1]):
            total += (1 + row) * features[row, column]
    drawn = int(abs(total) * 997.0)
    return drawn % (count + 1) - 1, math.ceil(weights[0] * (drawn // 64 % LEVELS + 1) / LEVELS)


@dataclass(frozen=True)
class Kernel(Policy):
    """Executors, by what is shown; or 0, and a row, what is added to it for each candidate, and a limit."""

    form = Form.KERNEL
    weights: tuple[float, ...]
    name: str = "kernel"

    def start(self, view: View, seed: int) -> Session:
        session = Session()
        session.kernel = (choose, (np.array(self.weights, float),))
        return session


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_a_kernel_is_the_same_as_decide(seed: int) -> None:
    """Red: a compiled policy is shown, or sends, something else than the same one in Python."""
    problem = Problem(*small.some_cluster(seed))
    executors = problem.machines.executors
    levels = {math.ceil(executors * (level + 1) / LEVELS): level for level in range(LEVELS)}

    def same(shown: dict[str, Any]) -> int:
        count = int(shown["action_mask"][1:].sum()) // LEVELS
        row, limit = choose(shown["stages"][:count], np.array([executors], float))
        return 0 if row < 0 else 1 + row * LEVELS + levels[limit]

    asked, compiled = run(problem, Chooser(same), seed), run(problem, Kernel((executors,)), seed)
    assert (asked.value, asked.decisions, asked.metrics) == (compiled.value, compiled.decisions, compiled.metrics)


def test_a_kernel_sees_all_candidates() -> None:
    """Red: a compiled policy is shown the first candidates only, or reads behind them."""
    problem, weights = many(ROWS + 9), (0, -1, 1, 99)  # the last of all candidates
    assert run(problem, Kernel(weights), 0).metrics["jobs"] == ROWS + 9
    m = problem.cluster.begin(0)
    arrays = (np.array(weights, float),)
    assert question.play_kernel(m, problem.cluster.durations, problem.cluster.static, choose, arrays) == 0
    assert table(m, at.ALL_JOBS)[:, at.DONE_AT].argmin() >= ROWS


@jit
def unlimited(rows: Any, limits: Any) -> tuple[int, float]:
    """The first candidate, with a limit that is no number of executors."""
    return 0, limits[0]


def test_a_limit_that_is_no_number_is_refused() -> None:
    """Red: a limit that is not finite is taken, and executors are lost without a word."""
    cluster = many(2).cluster
    for limit in (np.nan, np.inf):
        arrays = (np.array([limit]),)
        assert question.play_kernel(cluster.begin(0), cluster.durations, cluster.static, unlimited, arrays) == 1


WRONG = {"behind the last": ((0, 0, 1, 1), 1), "less than waiting": ((0, -2, 0, 1), 1), "later": ((0, 2, -1, 1), 2)}


@pytest.mark.parametrize(("weights", "number"), WRONG.values(), ids=WRONG.keys())
def test_a_kernel_that_answers_outside_is_refused(weights: tuple[int, ...], number: int) -> None:
    """Red: a compiled answer out of range reads memory that is no candidate, or the message counts wrongly."""
    with pytest.raises(InvalidAnswer, match=f"answer {number} of the kernel is neither a candidate nor -1"):
        run(many(2), Kernel(weights), 0)


def test_a_wrong_kernel_counts_as_the_worst() -> None:
    """Red: a run whose policy answered outside is left out, or ends the experiment."""
    task = SmallSchedule()
    instance = next(one for one in task.instances() if one.split == "test")
    outcome = attempt(task, instance, Kernel((0, 0, 1, 1)), seed=0, limits=Limits())
    assert outcome.status is Status.INVALID
    assert outcome.value == task.load(instance).worst_s


@pytest.mark.parametrize("limit", [-(1 << 40), -1, 0])
def test_any_limit_sends_one_executor_at_least(limit: int) -> None:
    """Red: a limit that the job has reached sends nobody, so that a question never ends."""
    problem = many(2, 3)
    outcome = run(problem, Kernel((0, 0, 0, limit)), 0)
    assert outcome.metrics["tasks"] == 4
    assert outcome.value == run(problem, Kernel((0, 0, 0, 1)), 0).value
