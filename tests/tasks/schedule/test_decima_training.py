"""Decima's training: PyTorch against the compiled network, the gradient, returns and baseline, and the fit."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tasks.schedule import small
from tests.tasks.schedule.reference.decima import LAYERS, Plain, log_softmax, recorded, weights
from tests.tasks.schedule.small_task import SmallSchedule

from unseat.core.outcome import Limits
from unseat.lab.study import LocalStudy
from unseat.tasks.schedule.challengers.decima import layout, network
from unseat.tasks.schedule.challengers.decima.layout import PARTS
from unseat.tasks.schedule.challengers.decima.network import CHOSEN
from unseat.tasks.schedule.challengers.decima.policy import Decima
from unseat.tasks.schedule.challengers.decima.training import DecimaByGradient, Judged, Rates
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.cluster import advance, answer
from unseat.tasks.schedule.engine.graphs import Arrivals
from unseat.tasks.schedule.engine.layout import Float64, Memory
from unseat.tasks.schedule.engine.memory import Cluster, Machines, lay_out, table
from unseat.tasks.schedule.policies import RuleOf
from unseat.tasks.schedule.problem import Problem

SEEDS = st.integers(0, 2**32 - 1)
TASK = SmallSchedule()

needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="needs PyTorch: pip install 'unseat[torch]'")


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Small tensors are slower on several threads, more so beside other work."""
    if find_spec("torch") is not None:
        import torch

        torch.set_num_threads(1)


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
        runs = [rng.uniform(0, 9, (int(rng.integers(1, 8)), 2)) for _ in range(2)]
        times = [np.cumsum(np.concatenate([[[3.0, 5.0]], steps]), axis=0) for steps in runs]
        rates.add(times)
        for steps in runs:
            seconds, spent = 0.99 * seconds + steps[:, 0].sum(), 0.99 * spent + steps[:, 1].sum()
        rate = spent / seconds
        for own, steps in zip(times, runs, strict=True):
            plain = [-sum(one[1] for one in steps[place:]) / 100 for place in range(len(steps))]
            np.testing.assert_allclose(Rates().returns(own, stream=False), plain)
            differential = [-sum(one[1] - rate * one[0] for one in steps[place:]) / 100 for place in range(len(steps))]
            np.testing.assert_allclose(rates.returns(own, stream=True), differential, atol=1e-9)


@needs_torch
def test_runs_of_one_iteration_are_measured_by_one_rate() -> None:
    """Red: the rate changes from run to run, so that a run has an advantage for being the last."""
    from unseat.tasks.schedule.challengers.decima.gradient import Network

    like, used = TASK.load(TASK.instance("stream-train-0")), list[float]()

    class Noting(Rates):
        def returns(self, times: Float64, stream: bool) -> Float64:
            found = super().returns(times, stream)
            # What a second costs beside what was spent in it.
            plain, passed = Rates.returns(Rates(), times, stream=False), times[-1, 0] - times[0, 0]
            used.append(float((found - plain)[0] * 100 / passed))
            return found

    learner, rates = DecimaByGradient("a", runs=4, horizon_s=(1e6, 1e6)), Noting()
    for iteration in range(2):
        used.clear()
        learner._collect(Network(weights(0), True), like, np.random.default_rng(iteration), 0.0, rates)
        assert len(used) == 4 and used[0] > 0
        assert used == pytest.approx([used[0]] * 4)


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

    def counting_rules(policy: RuleOf, m: Memory, cluster: Cluster) -> None:
        counted[0] += 1
        policy.fast(m, cluster).play(m, at.NEVER_MS)

    monkeypatch.setattr(network, "play", counting)
    given = study(Limits(runs=runs, threads=1))
    monkeypatch.setattr(RuleOf, "play", counting_rules)
    DecimaByGradient("a", runs=4).fit(given)
    assert counted[0] == given.spent()["runs"] <= runs
    assert given.last is not None and (counted[0] >= 0.5 * runs or runs < 10)


@needs_torch
def test_a_fit_never_ends_worse_than_it_began() -> None:
    """Red: the first weights are not scored, so that the first that are take their place however bad they are."""
    given = study(Limits(runs=30, threads=1))
    # Steps so long that all weights are worse than those that it began with.
    found = DecimaByGradient("a", runs=4, rate=300.0).fit(given)
    assert isinstance(found, Decima)
    judged = Judged([given.load(one) for one in given.valid], True, 0)
    assert judged(found.theta) <= judged(layout.begin(0))
    assert found.curve[0].tolist() == pytest.approx([0.0, *[judged(layout.begin(0))] * 2])


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
