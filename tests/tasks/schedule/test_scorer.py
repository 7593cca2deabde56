"""The compact scorer: its loop against a plain form of its network, and its fit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tasks.schedule import small
from tests.tasks.schedule.reference.simulator import measured_points
from tests.tasks.schedule.small_task import SmallSchedule

from unseat.core.learner import Study
from unseat.core.outcome import Limits
from unseat.core.policy import Artefact
from unseat.lab.study import LocalStudy
from unseat.tasks.schedule import generators
from unseat.tasks.schedule.challengers import network, scorer
from unseat.tasks.schedule.challengers.budget import Budget
from unseat.tasks.schedule.challengers.network import LIMIT, OVER, SCORE, SLOWER, UNDER, WAVES
from unseat.tasks.schedule.challengers.scorer import Scorer, ScorerByEvolution, valued
from unseat.tasks.schedule.challengers.workloads import redrawn
from unseat.tasks.schedule.engine import features as of
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.cluster import advance, answer
from unseat.tasks.schedule.engine.features import FEATURES, F
from unseat.tasks.schedule.engine.graphs import Arrivals, Stage
from unseat.tasks.schedule.engine.layout import Float32, Float64, Memory
from unseat.tasks.schedule.engine.memory import Machines, logged
from unseat.tasks.schedule.policies import RuleOf
from unseat.tasks.schedule.problem import Problem
from unseat.tasks.schedule.task import ScheduleTask

SEEDS = st.integers(0, 2**32 - 1)
TASK = SmallSchedule()
COLUMN = {name: place for place, name in enumerate(FEATURES)}


def drawn(seed: int, hidden: int) -> Float32:
    """Weights of which none is zero, about a scorer that schedules sensibly and minds how much slower tasks are."""
    noise = np.random.default_rng(seed).standard_normal(network.size(hidden))
    theta = (network.begin(hidden, seed) + 0.3 * noise).astype(np.float32)
    theta[F * (hidden + network.OUTPUTS) + hidden + SLOWER] += 5.0
    return theta


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 20), SEEDS)
def test_weights_are_one_vector(hidden: int, seed: int) -> None:
    """Red: a policy is saved with other weights than those that were searched."""
    theta = np.random.default_rng(seed).standard_normal(network.size(hidden)).astype(np.float32)
    weights = network.Weights(*network.unpacked(theta, hidden))
    width = hidden + network.OUTPUTS
    assert [part.shape for part in weights] == [(F, width), (width,), (hidden, network.OUTPUTS), (2,)]
    assert np.array_equal(network.packed(weights), theta)
    made = scorer.scorer("a", theta, hidden)
    assert np.array_equal(network.packed(network.Weights(made.inputs, made.bias, made.outputs, made.prices)), theta)
    theta[:] = 0.0  # what the search goes on with
    assert made.inputs.any()


# Its loop.


def forward(weights: network.Weights, row: Float64) -> Float64:
    """The four outputs for one candidate."""
    hidden = len(weights.outputs)
    into = row @ weights.inputs + weights.bias
    return np.asarray(into[hidden:] + np.maximum(into[:hidden], 0.0) @ weights.outputs)


def slow_answer(weights: network.Weights, problem: Problem, m: Memory) -> tuple[int, int, float]:
    """Place of the best candidate, the limit, and by how much the choice of both was the better one."""
    rows = np.zeros((m[at.CANDIDATES], F), np.float32)
    of.describe(m, problem.cluster.static, rows)
    told = [forward(weights, row) for row in rows.astype(float)]
    scores = []
    for row, out in zip(rows, told, strict=True):
        over = row[COLUMN["log executors held"]] - out[LIMIT]
        scores.append(out[SCORE] - (weights.prices[OVER] * over if over > 0 else weights.prices[UNDER] * over))
    best = int(np.argmax(scores))
    costs = [cost(problem, m, best, told[best], limit) for limit in range(1, problem.machines.executors + 1)]
    if told[best][LIMIT] > math.log(network.MOST_LIMITS):
        return best, int(min(math.exp(min(told[best][LIMIT], 20.0)), problem.machines.executors)), margin(scores)
    return best, 1 + int(np.argmin(costs)), min(margin(scores), margin([-one for one in costs]))


def margin(scores: Sequence[float]) -> float:
    """The best over the next best that is not the same."""
    others = [one for one in scores if one != max(scores)]
    return float(max(scores) - max(others)) if others else math.inf


def cost(problem: Problem, m: Memory, candidate: int, out: Float64, limit: int) -> float:
    """What a limit costs: its distance to the wish, slower tasks, and parts of waves that are not used."""
    stage = m[m[at.CANDIDATE_LIST] + candidate]
    job = m[stage + at.OF_JOB]
    graph, first = problem.arrivals.graphs[problem.arrivals.jobs[m[job + at.JOB_NUMBER]]], m[job + at.FIRST_STAGE]
    own = graph.stages[(stage - first) // at.STAGE]
    slower = 0.0
    for weigh, stages in ((False, (own,)), (True, graph.stages)):
        weights = [one.tasks if weigh else 1 for one in stages]
        usual = sum(w * one.mean_ms for w, one in zip(weights, stages, strict=True))
        for point, share in mixture(measured_points(problem.arrivals.graphs), limit, problem):
            took = sum(w * mean_with(one, point) for w, one in zip(weights, stages, strict=True))
            slower += share * math.log(took / usual)
    held = int(m[job + at.HELD]) - (int(m[at.OFFERED]) if job == m[at.SOURCE_JOB] else 0)
    unclaimed, sent = int(m[stage + at.TASKS] - m[stage + at.CLAIMED]), max(limit - held, 1)
    waves = math.log(-(-unclaimed // sent) * sent / unclaimed)
    return float((math.log(limit) - out[LIMIT]) ** 2 + out[SLOWER] * slower + out[WAVES] * waves)


@cache
def mean_with(stage: Stage, point: int) -> float:
    """Mean duration with so many executors, or with the next fewer that were measured."""
    measured = [one for one in stage.profiles if one.executors <= point] or [stage.profiles[0]]
    return float(np.concatenate(measured[-1].waves()).mean())


def mixture(points: Sequence[int], count: int, problem: Problem) -> list[tuple[int, float]]:
    """Measured numbers of executors, and how often each is met with so many."""
    if count in points or count < points[0] or count > points[-1]:
        return [(max((one for one in points if one <= count), default=points[0]), 1.0)]
    lower, upper = max(p for p in points if p < count), min(p for p in points if p > count)
    share = (count - lower) / (upper - lower)
    if problem.machines.published_levels:
        share = 1 - share
    return [(lower, 1 - share), (upper, share)]


def assert_decision_by_decision(problem: Problem, seed: int, hidden: int) -> None:
    """Hold a run to the plain form."""
    theta = drawn(seed, hidden)
    compiled = problem.cluster.begin(seed, log=True)
    scorer.scorer("a", theta, hidden).play(compiled, problem.cluster)
    weights = network.Weights(*network.unpacked(theta, hidden))
    m, closest = problem.cluster.begin(seed, log=True), math.inf
    while advance(m, problem.cluster.durations):
        best, limit, better = slow_answer(weights, problem, m)
        closest = min(closest, better)
        answer(m, problem.cluster.durations, int(m[m[at.CANDIDATE_LIST] + best]), limit)
    if closest > 1e-4:  # else rounding decides
        assert logged(m).tolist() == logged(compiled).tolist()


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.sampled_from((0, 3)))
def test_the_loop_is_the_network_decision_by_decision(seed: int, hidden: int) -> None:
    """Red: the compiled scorer takes another stage or another number of executors than its network says."""
    assert_decision_by_decision(Problem(*small.some_cluster(seed)), seed, hidden)


@pytest.mark.parametrize("published", [True, False])
@pytest.mark.parametrize("executors", [13, 29])
def test_limits_lie_between_measured_numbers(published: bool, executors: int) -> None:
    """Red: how much slower tasks are between two measured numbers is not what the simulator makes of it."""
    graphs = tuple(generators.generate(template, 5.0) for template in range(3))
    for seed in range(4):
        machines = Machines((executors,), published_levels=published)
        assert_decision_by_decision(Problem(generators.batch(graphs, 3, seed), machines), seed, 3)


@pytest.mark.parametrize(("wish", "expected"), [(5.0, 148), (5.5, 245), (5.6, 270), (7.0, 300), (99.0, 300)])
def test_large_limits(wish: float, expected: int) -> None:
    """Red: on a large cluster no job may hold more than the limits that are compared, or a wish overflows."""
    arrivals = Arrivals((small.steady("a", (1000, (), 10)),), (0,), (0,))
    problem = Problem(arrivals, Machines((300,)))
    bias = np.array([0.0, wish, 0.0, 0.0], np.float32)
    policy = Scorer("a", np.zeros((F, 4), np.float32), bias, np.zeros((0, 4), np.float32), np.zeros(2, np.float32))
    m = problem.cluster.begin(0, log=True)
    policy.play(m, problem.cluster)
    rows = logged(m)
    assert (rows[:, at.LOG_START] == rows[0, at.LOG_START]).sum() == expected


def test_it_begins_as_a_rule_that_schedules() -> None:
    """Red: the search begins with a policy that is worse than the plainest rule."""
    logs = []
    for instance in TASK.instances():
        values = [TASK.run(TASK.load(instance), policy, seed=0, limits=Limits()).value
                  for policy in (scorer.scorer("a", network.begin(14, 0), 14), RuleOf("FIFO", "FIFO"))]  # fmt: skip
        logs.append(math.log(values[0] / values[1]))
    assert np.mean(logs) < 0


def test_random_search_begins_where_the_scorer_does() -> None:
    """Red: the random search of the same limits begins with another policy, so that it is no comparison."""
    policy = scorer.linear(scorer.BEGIN)
    for name in ("batch-test-0", "stream-test-0"):
        problem = TASK.load(TASK.instance(name))
        values = {TASK.run(problem, one, seed=0, limits=Limits()).value
                  for one in (policy, scorer.scorer("a", network.begin(14, 0), 14))}  # fmt: skip
        assert len(values) == 1


# Its fit.


def test_values_are_those_of_runs() -> None:
    """Red: what the search compares is not the objective, or belongs to another problem, seed or vector."""
    problems = [TASK.load(instance) for instance in TASK.instances()]
    hidden, count = 3, 2 * len(problems)
    thetas = np.stack([drawn(seed, hidden) for seed in range(count)])
    problems = [*problems, *reversed(problems)]
    seeds = np.array([one.cluster.begin(place)[at.SEED] for place, one in enumerate(problems)])
    expected = [1000 * TASK.run(problem, scorer.scorer("a", theta, hidden), seed=place, limits=Limits()).value
                for place, (problem, theta) in enumerate(zip(problems, thetas, strict=True))]  # fmt: skip
    for threads in (1, 2):
        with ThreadPoolExecutor(threads) as pool:
            assert valued(thetas, hidden, problems, seeds, pool).tolist() == pytest.approx(expected)
    assert len(set(expected)) > count // 2


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_redrawn_workloads_are_of_the_same_kind(seed: int) -> None:
    """Red: a learner meets graphs of other splits, other machines or another load than its instances have."""
    arrivals, machines = small.some_cluster(seed)
    problem, rng = Problem(arrivals, machines), np.random.default_rng(seed)
    found = redrawn(problem, rng)
    assert found.arrivals.graphs is arrivals.graphs and found.machines is machines
    assert len(found.arrivals.jobs) == len(arrivals.jobs)
    gaps, own = ([b - a for a, b in zip(x.at_ms, x.at_ms[1:], strict=False)] for x in (arrivals, found.arrivals))
    assert set(own) <= set(gaps) and found.arrivals.at_ms[0] == 0
    many = [redrawn(problem, rng).arrivals.jobs for _ in range(60)]
    assert len(arrivals.graphs) == 1 or len(set(many)) > 1
    assert {graph for jobs in many for graph in jobs} == set(range(len(arrivals.graphs)))


def study(limits: Limits, seed: int = 0, workloads: int = 4) -> LocalStudy:
    parts = {split: [one for one in TASK.instances() if one.split == split] for split in ("train", "valid")}
    return LocalStudy(TASK, parts["train"][:workloads], parts["valid"][:workloads], limits, seed)


def fitted(limits: Limits, seed: int = 0, **options: Any) -> Artefact:
    made = {"hidden": 2, "pairs": 6, "rate": 0.05, **options}
    policy = ScorerByEvolution("scorer", **made).fit(study(limits, seed))
    return replace(policy.artefact, fit=None)


def on_valid(policy: Any) -> float:
    """The mean logarithm of the value on the validation instances."""
    given = study(Limits())
    values = [TASK.run(given.load(one), policy, seed=0, limits=Limits()).value for one in given.valid]
    return float(np.log(values).mean())


def test_a_fit_gets_better() -> None:
    """Red: the search goes nowhere, or gives back something worse than it began with."""
    found = fitted(Limits(runs=2500), pairs=16)
    assert on_valid(found.restore()) < on_valid(scorer.scorer("begin", network.begin(2, 0), 2)) - 0.01


@pytest.mark.parametrize("runs", [2, 7, 60])
def test_a_fit_never_ends_worse_than_it_began(runs: int) -> None:
    """Red: the first policy is not scored, so that the first mean that is takes its place however bad it is."""
    given = study(Limits(runs=runs))
    # Steps so long that every mean is worse than where it began.
    found = ScorerByEvolution("scorer", hidden=2, pairs=4, rate=300.0).fit(given)
    begun = scorer.scorer("scorer", network.begin(2, 0), 2)
    assert on_valid(found) == on_valid(begun)
    assert given.last is not None and given.last.hash == begun.artefact.hash


def test_equal_fits_are_equal_with_any_number_of_threads() -> None:
    """Red: a fit cannot be had again, or depends on how many threads value the samples."""
    one = fitted(Limits(runs=300, threads=1))
    assert one.hash == fitted(Limits(runs=300, threads=1)).hash == fitted(Limits(runs=300, threads=2)).hash
    assert one.hash != fitted(Limits(runs=300, threads=1), seed=1).hash


@pytest.mark.parametrize("runs", [1, 7, 40, 333])
def test_a_fit_keeps_its_limit_in_runs(runs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: simulated runs of a search are not counted, so that a challenger gets more than a tuned incumbent."""
    counted = [0]

    def counting(thetas: Any, hidden: int, problems: Sequence[Problem], *rest: Any) -> Float64:
        counted[0] += len(problems)
        return valued(thetas, hidden, problems, *rest)

    monkeypatch.setattr(scorer, "valued", counting)
    given = study(Limits(runs=runs))
    ScorerByEvolution("scorer", hidden=2).fit(given)
    assert counted[0] == given.spent()["runs"] <= runs
    assert given.last is not None
    assert counted[0] >= 0.5 * runs or runs < 10


@pytest.mark.parametrize("limits", [Limits(wall_s=50.0), Limits(cpu_s=50.0)])
def test_a_limit_in_seconds_ends_a_fit(limits: Limits, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: a fit goes on after its time and is killed, or leaves most of it unused."""
    now = [0.0]  # a clock that only the simulated runs move

    def timed(thetas: Any, hidden: int, problems: Sequence[Problem], *rest: Any) -> Float64:
        now[0] += 0.1 * len(problems)
        return valued(thetas, hidden, problems, *rest)

    clock = SimpleNamespace(monotonic=lambda: now[0], process_time=lambda: now[0])
    monkeypatch.setattr("unseat.tasks.schedule.challengers.budget.time", clock)
    monkeypatch.setattr(scorer, "valued", timed)
    given = study(limits)
    ScorerByEvolution("scorer", hidden=2, pairs=4).fit(given)
    assert 40 < now[0] <= 50
    assert given.last is not None


class Counted:
    """Limits and a bill, which is all that a budget needs."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self.charged = limits, 0

    def charge(self, runs: int) -> None:
        self.charged += runs


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 400), st.integers(0, 9), st.integers(1, 30), st.integers(1, 60))
def test_a_budget_is_spent_and_not_overdrawn(runs: int, looks: int, each: int, generations: int) -> None:
    """Red: a learner gets more generations than its study pays for, or none is looked at in the end."""
    given = Counted(Limits(runs=runs))
    spent, shares, looked = 0, list[float](), list[bool]()
    for share, look in Budget(cast(Study, given), looks, each, generations):
        spent += each + looks * look
        assert given.charged == spent
        shares.append(share)
        looked.append(look)
    assert spent <= runs and len(shares) <= generations
    assert shares == sorted(shares) and all(0 <= share <= 1 for share in shares)
    assert bool(shares) == (each + looks * looked_first(runs, each, generations) <= runs)
    assert not looked or looked[-1]


@given(st.integers(1, 100), st.integers(0, 120), st.integers(1, 30))
def test_what_comes_before_the_first_generation_is_paid_first(runs: int, first: int, each: int) -> None:
    """Red: a search has more runs than its study pays for because it scores where it begins."""
    given = Counted(Limits(runs=runs))
    budget = Budget(cast(Study, given), 0, each, 50)
    assert budget.begin(first) == (first <= runs)
    generations = len(list(budget))
    assert given.charged == (first if first <= runs else 0) + each * generations <= runs
    assert not generations or first <= runs


def looked_first(runs: int, each: int, generations: int) -> bool:
    """Whether the first generation is the last, or a fiftieth of what there is."""
    share = each / runs
    return 2 * share >= 1 or generations == 1 or share >= 0.02


def test_a_policy_is_saved_whole(tmp_path: Any) -> None:
    """Red: a fitted scorer that is saved and read again decides otherwise."""
    policy = scorer.scorer("scorer", drawn(1, 3), 3)
    policy.artefact.save(tmp_path / "a")
    problem = TASK.load(TASK.instance("batch-test-0"))
    again = Artefact.load(tmp_path / "a").restore()
    values = {TASK.run(problem, one, seed=1, limits=Limits()).value for one in (policy, again)}
    assert len(values) == 1 and ScheduleTask().contenders()["scorer"].make().name == "scorer"
