"""Decima's compiled network: against a plain form of it, and what it must not depend on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tasks.schedule import small
from tests.tasks.schedule.reference.decima import LAYERS, Plain, gap, log_softmax, noise, recorded, weights
from tests.tasks.schedule.small_task import SmallSchedule

from unseat.core.outcome import Limits
from unseat.tasks.schedule.challengers.decima import layout, network
from unseat.tasks.schedule.challengers.decima.layout import PARTS, WIDTH
from unseat.tasks.schedule.challengers.decima.network import CHOSEN, LEAST, MOST
from unseat.tasks.schedule.challengers.decima.policy import untrained
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.cluster import advance, answer
from unseat.tasks.schedule.engine.graphs import Arrivals, JobGraph
from unseat.tasks.schedule.engine.layout import Float32
from unseat.tasks.schedule.engine.memory import Machines, lay_out, table

SEEDS = st.integers(0, 2**32 - 1)
TASK = SmallSchedule()


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
    space = np.zeros(network.size(m), np.float32)
    network.embed(m, theta, LAYERS, messages, space)
    rows = space[network.ROWS :][: count * network.ROW].reshape(count, network.ROW)
    job = space[network.sum_of(m, 0) :][:WIDTH]
    return rows[:, network.EMBEDDED : network.TOLD], np.concatenate([job, space[network.WHOLE :][:WIDTH]])


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
    within = int((whole.times[:count, 0] * 1000 < until).sum())
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


def test_an_untrained_policy_runs() -> None:
    """Red: random weights end in a policy that the engine cannot run to its end."""
    for seed in range(3):
        for name in ("batch-test-0", "stream-test-0", "memory"):
            outcome = TASK.run(TASK.load(TASK.instance(name)), untrained("a", seed), seed=0, limits=Limits())
            assert outcome.metrics["jobs"] == 3 and outcome.value > 0
