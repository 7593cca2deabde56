"""Decima: its compiled network against a plain form and against PyTorch, its gradient, its returns and its training."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tasks.schedule import small
from tests.tasks.schedule.reference.simulator import bits
from tests.tasks.schedule.small_task import SmallSchedule

from unseat.core.outcome import Limits
from unseat.lab.study import LocalStudy
from unseat.tasks.schedule.challengers.decima import layout, network
from unseat.tasks.schedule.challengers.decima.layout import PARTS, SLOPE, STAGE_INPUTS, WIDTH
from unseat.tasks.schedule.challengers.decima.network import CHOSEN, LEAST, MOST
from unseat.tasks.schedule.challengers.decima.policy import Decima, untrained
from unseat.tasks.schedule.challengers.decima.training import DecimaByGradient, Judged, Rates
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.cluster import advance, answer
from unseat.tasks.schedule.engine.graphs import Arrivals, JobGraph
from unseat.tasks.schedule.engine.layout import Float32, Float64, Memory
from unseat.tasks.schedule.engine.memory import Cluster, Machines, lay_out, table
from unseat.tasks.schedule.policies import RuleOf
from unseat.tasks.schedule.problem import Problem

SEEDS = st.integers(0, 2**32 - 1)
TASK = SmallSchedule()
LAYERS = layout.layers()


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Small tensors are slower on several threads, more so beside other work."""
    if find_spec("torch") is not None:
        import torch

        torch.set_num_threads(1)


needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="needs PyTorch: pip install 'unseat[torch]'")


def weights(seed: int) -> Float32:
    """Glorot's, with biases that are not zero, and for which it matters much what the limit is."""
    noise = 0.1 * np.random.default_rng(seed).standard_normal(layout.size())
    theta = (layout.begin(seed) + noise).astype(np.float32)
    end, outputs = LAYERS[layout.LIMIT_HEAD, 0, 1], LAYERS[layout.LIMIT_HEAD, 0, 3]
    theta[end - outputs : end] *= 20  # the limit is the head's last input
    return theta


# A plain form.


class Plain:
    """The network over one question, by names and recursion; ``float64``."""

    def __init__(self, theta: Float32, messages: bool, m: Memory) -> None:
        self.theta, self.messages, self.m = theta.astype(float), messages, m
        self.known: dict[int, Float64] = {}
        self.open = [stage for stage in self.stages() if m[stage + at.FINISHED] < m[stage + at.TASKS]]
        self.jobs = {job: self.job(job) for job in m[m[at.ACTIVE] :][: m[at.ACTIVE_JOBS]].tolist()}
        self.whole = np.sum([self.part("cluster", one) for one in self.jobs.values()], axis=0)

    def part(self, name: str, shown: Any) -> Float64:
        place, values, part = 0, np.concatenate([np.atleast_1d(one) for one in shown], dtype=float), PARTS[name]
        for other, one in PARTS.items():
            if other == name:
                break
            place += sum(i * o + o for i, o in zip(one.sizes, one.sizes[1:], strict=False))
        for layer, (inputs, outputs) in enumerate(zip(part.sizes, part.sizes[1:], strict=False)):
            matrix = self.theta[place : place + inputs * outputs].reshape(inputs, outputs)
            place += inputs * outputs
            values = values @ matrix + self.theta[place : place + outputs]
            place += outputs
            if layer < len(part.sizes) - 2 or part.active:
                values = np.where(values > 0, values, SLOPE * values)
        return values

    def stages(self) -> list[int]:
        active = self.m[self.m[at.ACTIVE] :][: self.m[at.ACTIVE_JOBS]].tolist()
        return [stage for job in active
                for stage in range(self.m[job + at.FIRST_STAGE], self.m[job + at.END_STAGE], at.STAGE)]  # fmt: skip

    def inputs(self, stage: int) -> Float64:
        m, job = self.m, self.m[stage + at.OF_JOB]
        left = m[stage + at.TASKS] - m[stage + at.STARTED]
        source = 2.0 if job == m[at.SOURCE_JOB] else -2.0
        return np.array(
            [m[job + at.HELD] / 20, source, m[at.OFFERED] / 20, left * m[stage + at.MEAN_US] / 1e8, left / 200]
        )

    def embedded(self, stage: int) -> Float64:
        if stage not in self.known:
            own = self.part("prepare", [self.inputs(stage)])
            children = self.m[self.m[stage + at.CHILDREN] : self.m[stage + at.CHILDREN_END]].tolist()
            if self.messages and children:
                told = [self.part("message", [self.embedded(child)]) for child in children]
                own = own + self.part("gather", [np.sum(told, axis=0)])
            self.known[stage] = own
        return self.known[stage]

    def job(self, job: int) -> Float64:
        own = [stage for stage in self.open if self.m[stage + at.OF_JOB] == job]
        told = [self.part("job", [self.inputs(stage), self.embedded(stage)]) for stage in own]
        return np.asarray(np.sum(told, axis=0)) if told else np.zeros(WIDTH)

    def least(self, stage: int) -> int:
        job = self.m[stage + at.OF_JOB]
        return 1 + int(self.m[job + at.HELD]) - (int(self.m[at.OFFERED]) if job == self.m[at.SOURCE_JOB] else 0)

    def candidates(self) -> list[int]:
        """Those whose job may hold one more."""
        listed = self.m[self.m[at.CANDIDATE_LIST] :][: self.m[at.CANDIDATES]].tolist()
        return [stage for stage in listed if self.least(stage) <= self.m[at.EXECUTORS]]

    def scores(self) -> Float64:
        return np.array([
            self.part("stage head", [self.inputs(s), self.embedded(s), self.jobs[self.m[s + at.OF_JOB]], self.whole])[0]
            for s in self.candidates()
        ])  # fmt: skip

    def limits(self, stage: int) -> Float64:
        job = self.jobs[self.m[stage + at.OF_JOB]]
        return np.array([
            self.part("limit head", [self.inputs(stage)[:3], job, self.whole, limit / 50])[0]
            for limit in range(self.least(stage), int(self.m[at.EXECUTORS]) + 1)
        ])  # fmt: skip


def log_softmax(scores: Float64) -> Float64:
    return np.asarray(scores - scores.max() - math.log(np.exp(scores - scores.max()).sum()))


def noise(seed: int, number: int, count: int) -> Float64:
    """Gumbel's, with which the largest score is a draw from the softmax; none for a seed below zero."""
    if seed < 0:
        return np.zeros(count)
    uniforms = [((bits(seed, number + place) >> 11) + 0.5) / 2**53 for place in range(count)]
    return np.array([-math.log(-math.log(one)) for one in uniforms])


def gap(scores: Float64, chosen: int) -> float:
    """By how much another score is higher than the chosen one."""
    return float(scores.max() - scores[chosen])


def recorded(
    cluster: Cluster, theta: Float32, seed: int, drawn: int, messages: bool = True, room: int = 400
) -> network.Record:
    kept = network.record(room, room * 100)
    m = cluster.begin(seed)
    network.play(m, cluster.durations, theta, LAYERS, messages, 0, drawn, kept)
    return kept


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.booleans(), st.sampled_from((-1, 5)))
def test_the_loop_is_the_network_decision_by_decision(seed: int, messages: bool, drawn: int) -> None:
    """Red: the compiled network scores a stage or a limit otherwise than the paper's, or records what it did not do."""
    cluster = lay_out(*small.some_cluster(seed, jobs=4))
    theta = weights(seed)
    kept = recorded(cluster, theta, seed, drawn, messages)
    m, rows, row, number = cluster.begin(seed), kept.decisions[: kept.counts[0]], 0, 0
    while advance(m, cluster.durations):
        plain = Plain(theta, messages, m)
        if not plain.candidates():
            answer(m, cluster.durations, at.NONE, 0)
            continue
        decision = rows[row]
        stage = small.address(m, int(kept.stages[decision[CHOSEN]]))
        shown = slice(decision[network.FIRST_ROW], decision[network.END_ROW])
        assert kept.stages[shown].tolist() == [int(m[one + at.STAGE_NUMBER]) for one in plain.open]
        np.testing.assert_allclose(kept.inputs[shown], [plain.inputs(one) for one in plain.open], rtol=1e-5)
        listed = [int(m[one + at.STAGE_NUMBER]) for one in plain.candidates()]
        assert kept.stages[shown][kept.candidates[shown]].tolist() == listed
        assert (decision[LEAST], decision[MOST]) == (plain.least(stage), m[at.EXECUTORS])
        # Each score has noise of its own, those of candidates that cannot be chosen too.
        every, executors = [*m[m[at.CANDIDATE_LIST] :][: m[at.CANDIDATES]].tolist()], int(m[at.EXECUTORS])
        places = [every.index(one) for one in plain.candidates()]
        scores = plain.scores() + noise(drawn, number, len(every))[places]
        assert gap(scores, plain.candidates().index(stage)) < 1e-5
        limits = plain.limits(stage) + noise(drawn, number + len(every), executors + 1 - plain.least(stage))
        assert gap(limits, int(decision[network.LIMIT] - decision[LEAST])) < 1e-5
        number += len(every) + executors + 1
        assert kept.times[row, 0] == m[at.NOW] / 1000
        answer(m, cluster.durations, stage, int(decision[network.LIMIT]))
        row += 1
    assert row == len(rows) and kept.times[row, 0] == m[at.NOW] / 1000
    jobs = table(m, at.ALL_JOBS)
    assert kept.times[row, 1] == pytest.approx((jobs[:, at.DONE_AT] - jobs[:, at.ARRIVAL]).sum() / 1000)


def test_drawn_actions_follow_the_softmax() -> None:
    """Red: the policy that is trained draws from another distribution than the one whose gradient is taken."""
    graphs = tuple(small.steady(name, (tasks, (), ms)) for name, tasks, ms in (("a", 9, 5000), ("b", 30, 100)))
    cluster = lay_out(Arrivals(graphs, (0, 1), (0, 0)), Machines((12,)))
    theta, many = 2 * layout.begin(8), 4000
    m = cluster.begin(0)
    assert advance(m, cluster.durations)
    plain = Plain(theta, True, m)
    expected = np.exp(log_softmax(plain.scores()))[:, None] * np.exp(
        [log_softmax(plain.limits(s)) for s in plain.candidates()]
    )
    counts = np.zeros((2, 12))
    for seed in range(many):
        decision = recorded(cluster, theta, 0, seed, room=1).decisions[0]
        counts[decision[CHOSEN], decision[network.LIMIT] - 1] += 1
    deviations = (counts - many * expected) / np.sqrt(many * expected * (1 - expected))
    assert np.abs(deviations).max() < 4
    assert many * expected.min() > 10 and expected.max() > 5 * expected.min()  # an even draw would be told apart


@pytest.mark.parametrize("messages", [True, False])
def test_numbering_of_stages_is_irrelevant(messages: bool) -> None:
    """Red: a stage hears from its children before they have heard from theirs, where children come first in a file."""
    rng, theta = np.random.default_rng(0), weights(1)
    for _ in range(10):
        graph = small.some_graph(rng, "a", 9)
        order = rng.permutation(len(graph.stages)).tolist()  # place i holds stage order[i]
        place = {stage: new for new, stage in enumerate(order)}
        stages = [graph.stages[stage] for stage in order]
        moved = JobGraph("a", "a", tuple(
            replace(stage, parents=tuple(sorted(place[parent] for parent in stage.parents))) for stage in stages
        ))  # fmt: skip
        one, other = (embedded(theta, each, messages) for each in (graph, moved))
        np.testing.assert_allclose(other[0], one[0][order], atol=1e-5)
        np.testing.assert_allclose(other[1], one[1], atol=1e-5)


def embedded(theta: Float32, graph: JobGraph, messages: bool) -> tuple[Float32, Float32]:
    """What the compiled network makes of each stage, and of the cluster, when a job arrives."""
    cluster = lay_out(Arrivals((graph,), (0,), (0,)), Machines((3,)))
    m, count = cluster.begin(0), len(graph.stages)
    assert advance(m, cluster.durations)
    rows, told, jobs = (np.zeros((size, WIDTH), np.float32) for size in (count, count, 1))
    shown, whole, rooms = (
        np.zeros((count, STAGE_INPUTS), np.float32),
        np.zeros(WIDTH, np.float32),
        np.zeros((2, 32), np.float32),
    )
    network.embed(m, theta, LAYERS, messages, shown, rows, told, jobs, whole, rooms)
    return rows, np.concatenate([jobs[0], whole])


def test_without_messages_a_stage_knows_itself_only() -> None:
    """Red: the ablation still hears from below, or Decima does not, so that the comparison tells nothing."""
    short = small.steady("a", (2, (), 10), (2, (0,), 10), (2, (1,), 10), (2, (0,), 10))
    long = small.steady("a", (2, (), 10), (2, (0,), 10), (2, (1,), 90_000), (2, (0,), 10))
    heard = [embedded(weights(0), graph, True)[0] for graph in (short, long)]
    alone = [embedded(weights(0), graph, False)[0] for graph in (short, long)]
    assert [bool(np.array_equal(a, b)) for a, b in zip(*alone, strict=True)] == [True, True, False, True]
    assert [bool(np.array_equal(a, b)) for a, b in zip(*heard, strict=True)] == [False, False, False, True]
    assert np.array_equal(alone[0][0], alone[0][1]) and not np.array_equal(heard[0][0], heard[0][1])


def test_a_run_is_cut_at_a_time_or_when_the_room_is_full() -> None:
    """Red: a stream's training run goes on to its end, or a full record is written past."""
    problem = TASK.load(TASK.instance("stream-test-0"))
    cluster, theta = problem.cluster, weights(0)
    whole = recorded(cluster, theta, 0, 3)
    count = int(whole.counts[0])
    for room in (1, count // 2):
        kept = recorded(cluster, theta, 0, 3, room=room)
        assert kept.counts[0] == room
        assert np.array_equal(kept.decisions, whole.decisions[:room]) and np.array_equal(
            kept.times, whole.times[: room + 1]
        )
    until = int(1000 * whole.times[count // 2, 0])
    kept = network.record(400, 40_000)
    network.play(cluster.begin(0), cluster.durations, theta, LAYERS, True, until, 3, kept)
    within = int((whole.times[:count, 0] * 1000 <= until).sum())
    assert kept.counts[0] == within < count
    assert np.array_equal(kept.times[: within + 1], whole.times[: within + 1])


def test_weights_lie_one_behind_the_other() -> None:
    """Red: two layers share weights, or some weight is nobody's."""
    used = np.zeros(layout.size(), int)
    for number, part in enumerate(PARTS.values()):
        for layer, (inputs, outputs) in enumerate(zip(part.sizes, part.sizes[1:], strict=False)):
            place, bias, i, o = LAYERS[number, layer].tolist()
            assert (i, o) == (inputs, outputs) and bias == place + i * o
            used[place : bias + o] += 1
    assert (used == 1).all()
    begun = layout.begin(0)
    assert np.array_equal(begun, layout.begin(0)) and not np.array_equal(begun, layout.begin(1))
    assert 0.5 < (begun != 0).mean() < 1 and np.abs(begun).max() < 1.0


# PyTorch.


@needs_torch
@settings(max_examples=12, deadline=None)
@given(SEEDS, st.booleans(), st.sampled_from((-1, 2)))
def test_pytorch_is_the_compiled_network(seed: int, messages: bool, drawn: int) -> None:
    """Red: training follows the gradient of another network than the one that takes the decisions."""
    from unseat.tasks.schedule.challengers.decima.gradient import Batch, Graphs, Network

    cluster = lay_out(*small.some_cluster(seed, jobs=4))
    theta = weights(seed)
    kept = recorded(cluster, theta, seed, drawn, messages)
    if not kept.counts[0]:
        return
    logs, entropy = (one.detach().numpy() for one in Network(theta, messages)(Batch(kept, Graphs(cluster))))
    m, expected, spread = cluster.begin(seed), list[float](), list[float]()
    while advance(m, cluster.durations):
        plain = Plain(theta, messages, m)
        if not plain.candidates():
            answer(m, cluster.durations, at.NONE, 0)
            continue
        decision = kept.decisions[len(expected)]
        stage, limit = small.address(m, int(kept.stages[decision[CHOSEN]])), int(decision[network.LIMIT])
        stages, limits = log_softmax(plain.scores()), log_softmax(plain.limits(stage))
        expected.append(float(stages[plain.candidates().index(stage)] + limits[limit - plain.least(stage)]))
        spread.append(-float((np.exp(stages) * stages).sum() + (np.exp(limits) * limits).sum()))
        answer(m, cluster.durations, stage, limit)
    np.testing.assert_allclose(logs, expected, atol=1e-4)
    np.testing.assert_allclose(entropy, spread, atol=1e-4)


def one_run(seed: int = 0, messages: bool = True) -> tuple[Cluster, network.Record]:
    """Three jobs whose graphs are larger than those of the other tests."""
    rng = np.random.default_rng(seed)
    graphs = tuple(small.some_graph(rng, f"job-{place}", 8, 20) for place in range(3))
    cluster = lay_out(Arrivals(graphs, (0, 1, 2), (0, 0, 40)), Machines((5,), moving_ms=5))
    return cluster, recorded(cluster, weights(seed), seed, 1, messages)


@needs_torch
@pytest.mark.parametrize("messages", [True, False])
def test_the_gradient_is_that_of_the_probability(messages: bool) -> None:
    """Red: a part of the network is not trained, or a weight is moved the wrong way."""
    import torch

    from unseat.tasks.schedule.challengers.decima.gradient import Batch, Graphs, Network

    cluster, kept = one_run(0, messages)
    assert kept.counts[0] > 5
    usual = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        batch = Batch(kept, Graphs(cluster))
        batch.inputs, batch.limits = batch.inputs.double(), batch.limits.double()
        net = Network(weights(0).astype(np.float64), messages)
        worth = torch.linspace(-1.0, 2.0, batch.count)
        (net(batch)[0] * worth).sum().backward()
        gradient, begun = net.theta.grad.numpy().copy(), net.theta.detach().numpy().copy()

        def value(theta: Float64) -> float:
            return float((Network(theta, messages)(batch)[0].detach() * worth).sum())  # type: ignore[arg-type]

        rng = np.random.default_rng(0)
        for _ in range(10):
            way = rng.standard_normal(begun.size)
            slope = (value(begun + 1e-7 * way) - value(begun - 1e-7 * way)) / 2e-7
            assert slope == pytest.approx(float(gradient @ way), rel=1e-3, abs=1e-4)
    finally:
        torch.set_default_dtype(usual)
    table = LAYERS.reshape(len(PARTS), 4, 4)
    touched = {name for (name, _), layers in zip(PARTS.items(), table, strict=True)
               if np.abs(gradient[layers[0, 0] : layers[0, 1]]).max() > 0}  # fmt: skip
    assert touched == set(PARTS) - (set() if messages else {"message", "gather"})


@needs_torch
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_step_makes_what_paid_more_likely(sign: float) -> None:
    """Red: training learns to do what was worse than usual."""
    import torch

    from unseat.tasks.schedule.challengers.decima.gradient import Batch, Graphs, Network

    cluster, kept = one_run(1)
    batch, net = Batch(kept, Graphs(cluster)), Network(weights(1), True)
    optimizer = torch.optim.Adam([net.theta], lr=1e-3)
    before = net(batch)[0].detach().numpy()
    advantage = np.zeros(batch.count, np.float32)
    decision = int(np.argmin(before))
    advantage[decision] = sign
    DecimaByGradient("a")._step(net, optimizer, [batch], [advantage], 0.0)
    assert sign * (net(batch)[0].detach().numpy()[decision] - before[decision]) > 0.01


@needs_torch
def test_entropy_keeps_actions_apart() -> None:
    """Red: the bonus for entropy makes the policy more certain instead of less."""
    import torch

    from unseat.tasks.schedule.challengers.decima.gradient import Batch, Graphs, Network

    cluster, kept = one_run(1)
    batch, net = Batch(kept, Graphs(cluster)), Network(weights(1), True)
    optimizer = torch.optim.Adam([net.theta], lr=1e-4)
    before = float(net(batch)[1].detach().sum())
    for _ in range(10):
        DecimaByGradient("a")._step(net, optimizer, [batch], [np.zeros(batch.count, np.float32)], 1.0)
    assert float(net(batch)[1].detach().sum()) > before


# Returns and the baseline.


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_returns_are_what_is_spent_from_then_on(seed: int) -> None:
    """Red: a decision is paid for what came before it, or a stream's mean rate is not taken off."""
    rng, rates = np.random.default_rng(seed), Rates()
    seconds = spent = 0.0
    for _ in range(3):
        steps = rng.uniform(0, 9, (int(rng.integers(1, 8)), 2))
        times = np.cumsum(np.concatenate([[[3.0, 5.0]], steps]), axis=0)
        plain = [-sum(one[1] for one in steps[place:]) / 100 for place in range(len(steps))]
        np.testing.assert_allclose(Rates().returns(times, stream=False), plain)
        seconds, spent = 0.99 * seconds + steps[:, 0].sum(), 0.99 * spent + steps[:, 1].sum()
        rate = spent / seconds
        differential = [-sum(one[1] - rate * one[0] for one in steps[place:]) / 100 for place in range(len(steps))]
        np.testing.assert_allclose(rates.returns(times, stream=True), differential, atol=1e-9)


@needs_torch
def test_equal_runs_have_no_advantage() -> None:
    """Red: the baseline is not that of the same arrivals, so that luck of the arrivals is learned."""
    from unseat.tasks.schedule.challengers.decima.gradient import Network

    # One executor and jobs of one stage that come one after the other: there is nothing to choose.
    graphs = tuple(small.steady(name, (3, (), ms)) for name, ms in (("a", 100), ("b", 700)))
    like = Problem(Arrivals(graphs, (0, 1, 1, 0), (0, 9_000, 18_000, 27_000)), Machines((1,), moving_ms=5))
    net = Network(weights(0), True)
    for shared in (True, False):
        learner = DecimaByGradient("a", input_baseline=shared, runs=4, horizon_s=(1e6, 1e6))
        batches, advantages = learner._collect(net, like, np.random.default_rng(1), 0.0, Rates())
        assert [batch.count for batch in batches] == [4] * 4
        # A stream's rate is that of the runs so far, and differs from run to run where arrivals do.
        assert (float(np.abs(np.concatenate(advantages)).max()) > 0.5) == (not shared)


@needs_torch
def test_an_advantage_is_what_a_run_has_over_the_others_at_that_time() -> None:
    """Red: runs are compared at unlike times, or a worse run has the advantage."""
    from unseat.tasks.schedule.challengers.decima import training
    from unseat.tasks.schedule.challengers.decima.gradient import Network

    like, seen = TASK.load(TASK.instance("batch-train-0")), list[tuple[Float64, Float64]]()

    class Noting(Rates):
        def returns(self, times: Float64, stream: bool) -> Float64:
            found = super().returns(times, stream)
            seen.append((times[:-1, 0].copy(), found))
            return found

    learner = training.DecimaByGradient("a", runs=3)
    _, advantages = learner._collect(Network(weights(0), True), like, np.random.default_rng(0), 0.0, Noting())
    plain = [
        [own - sum(at_time(moment, *run) for run in seen) / 3 for moment, own in zip(*one, strict=True)] for one in seen
    ]
    spread = np.std([one for run in plain for one in run])
    for found, expected in zip(advantages, plain, strict=True):
        np.testing.assert_allclose(found, np.array(expected) / spread, atol=1e-3)


def at_time(moment: float, times: Float64, values: Float64) -> float:
    """A run's value at a time, between its decisions in proportion; before the first and after the last these."""
    later = [place for place, one in enumerate(times) if one > moment]
    if not later or later[0] == 0:
        return float(values[-1] if not later else values[0])
    after, before = later[0], later[0] - 1
    share = (moment - times[before]) / (times[after] - times[before])
    return float(values[before] + share * (values[after] - values[before]))


# Training.


def study(limits: Limits, seed: int = 0) -> LocalStudy:
    parts = {split: [one for one in TASK.instances() if one.split == split] for split in ("train", "valid")}
    return LocalStudy(TASK, parts["train"], parts["valid"][:2], limits, seed)


@needs_torch
@pytest.mark.parametrize("name", ["Decima", "Decima-no-messages", "Decima-no-input-baseline"])
def test_equal_fits_are_equal_and_run_without_pytorch(name: str, tmp_path: Path) -> None:
    """Red: a fit cannot be had again, gives another policy than the best on validation, or one that needs PyTorch."""
    parts = {
        "Decima": {},
        "Decima-no-messages": {"messages": False},
        "Decima-no-input-baseline": {"input_baseline": False},
    }

    def fitted(seed: int) -> Decima:
        made = DecimaByGradient(name, runs=3, **parts[name])  # type: ignore[arg-type]
        policy = made.fit(study(Limits(runs=30, threads=1), seed))
        assert isinstance(policy, Decima)
        return policy

    policy = fitted(0)
    assert policy.artefact.hash == fitted(0).artefact.hash != fitted(1).artefact.hash
    assert not np.array_equal(policy.theta, layout.begin(0)) and policy.messages == (name != "Decima-no-messages")
    assert len(policy.curve) >= 2 and (np.diff(policy.curve[:, 0]) > 0).all()
    assert policy.curve[:, 2].tolist() == np.minimum.accumulate(policy.curve[:, 1]).tolist()
    given = study(Limits())
    judged = Judged([given.load(one) for one in given.valid], policy.messages, 0)
    assert judged(policy.theta) == pytest.approx(policy.curve[:, 1].min(), abs=1e-6)
    policy.artefact.save(tmp_path / "a")
    value = TASK.run(TASK.load(TASK.instance("batch-test-0")), policy, seed=0, limits=Limits()).value
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, str(tmp_path / "a")], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == (repr(value), 0), done.stderr


WITHOUT_TORCH = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ImportError("blocked")
sys.meta_path.insert(0, Blocked())
sys.path.insert(0, ".")
from pathlib import Path
from tests.tasks.schedule.reference.simulator import bits
from tests.tasks.schedule.small_task import SmallSchedule
from unseat.core.outcome import Limits
from unseat.core.policy import Artefact
task = SmallSchedule()
problem = task.load(task.instance("batch-test-0"))
sys.stdout.write(repr(task.run(problem, Artefact.load(Path(sys.argv[1])).restore(), seed=0, limits=Limits()).value))
"""


@needs_torch
@pytest.mark.parametrize("runs", [1, 10, 100])
def test_a_fit_keeps_its_limit_in_runs(runs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: simulated runs of the training are not counted, so that a challenger gets more than others."""
    counted, original = [0], network.play

    def counting(*given: Any) -> None:
        counted[0] += 1
        original(*given)

    monkeypatch.setattr(network, "play", counting)
    given = study(Limits(runs=runs, threads=1))
    DecimaByGradient("a", runs=4).fit(given)
    assert counted[0] + given.runs <= runs
    assert given.last is not None


@needs_torch
def test_training_learns_what_there_is_to_learn() -> None:
    """Red: the policy gets no better, though short jobs first is plainly better than long ones first."""
    graphs = tuple(small.steady(name, (4, (), ms)) for name, ms in (("short", 1_000), ("long", 60_000)))
    problem = Problem(Arrivals(graphs, (1, 0, 1, 0, 0, 1), (0,) * 6), Machines((2,), moving_ms=10))
    import torch

    from unseat.tasks.schedule.challengers.decima.gradient import Network

    learner, rng, rates = DecimaByGradient("a", runs=8), np.random.default_rng(0), Rates()
    net = Network(layout.begin(0), True)
    optimizer = torch.optim.Adam([net.theta], lr=3e-3)

    def drawn_mean() -> float:
        """Mean time in the system of what the network draws, against shortest job first."""
        theta, values = net.theta.detach().numpy(), []
        for seed in range(20):
            kept = recorded(problem.cluster, theta, 0, seed)
            values.append(kept.times[kept.counts[0], 1])
        m = problem.cluster.begin(0)
        RuleOf("SJF", "SJF").play(m, problem.cluster)
        jobs = table(m, at.ALL_JOBS)
        return float(np.mean(values) / ((jobs[:, at.DONE_AT] - jobs[:, at.ARRIVAL]).sum() / 1000))

    before = drawn_mean()
    for _ in range(40):
        batches, advantages = learner._collect(net, problem, rng, 0.0, rates)
        learner._step(net, optimizer, batches, advantages, 0.0)
    assert drawn_mean() < min(0.9 * before, 1.25)


def test_an_untrained_policy_runs() -> None:
    """Red: random weights end in a policy that the engine cannot run to its end."""
    for seed in range(3):
        for name in ("batch-test-0", "stream-test-0", "memory"):
            outcome = TASK.run(TASK.load(TASK.instance(name)), untrained("a", seed), seed=0, limits=Limits())
            assert outcome.metrics["jobs"] == 3 and outcome.value > 0
