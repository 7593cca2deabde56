"""Rollouts: what they may know, what they compare, and that it helps."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tasks.schedule import small
from tests.tasks.schedule.small_task import SmallSchedule

from unseat.core.outcome import Limits
from unseat.lab.study import LocalStudy
from unseat.tasks.schedule import generators
from unseat.tasks.schedule.challengers import network, rollout
from unseat.tasks.schedule.challengers.rollout import Rollout, RolloutOf, Room, ScorerRollout, ahead
from unseat.tasks.schedule.challengers.scorer import Scorer, ScorerByEvolution, scorer
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine import moves
from unseat.tasks.schedule.engine.cluster import advance, answer
from unseat.tasks.schedule.engine.graphs import Told
from unseat.tasks.schedule.engine.layout import NONE, Int32, Memory
from unseat.tasks.schedule.engine.memory import Cluster, Machines, table
from unseat.tasks.schedule.policies import RuleOf
from unseat.tasks.schedule.problem import Problem, completion_s

SEEDS = st.integers(0, 2**32 - 1)
TASK = SmallSchedule()
SRPT = RuleOf("srpt", "weighted-fair-srpt", {"alpha": -0.5})


def bases() -> Iterator[tuple[str, Scorer | RuleOf]]:
    yield "scorer", scorer("base", network.begin(3, 0), 3)
    yield "rule", SRPT


BASES = dict(bases())


def decided(policy: Rollout, m: Memory, cluster: Cluster) -> tuple[int, int]:
    """What a policy answers to the open question."""
    seeds = list(range(7, 7 + policy.simulations))
    return policy.decide(m, cluster, policy.fast(m, cluster), seeds, Room(m))


def questions(problem: Problem, seed: int, every: int = 3) -> Iterator[Memory]:
    """States of a run in which a question is open; candidates are taken in turn."""
    m, asked = problem.cluster.begin(seed), 0
    while advance(m, problem.cluster.durations):
        if asked % every == 0:
            yield m.copy()
        stage = m[m[at.CANDIDATE_LIST] + asked % m[at.CANDIDATES]]
        answer(m, problem.cluster.durations, int(stage), int(m[m[stage + at.OF_JOB] + at.HELD] + 1 + asked % 3))
        asked += 1


@pytest.mark.parametrize("base", BASES)
def test_nothing_of_the_future_is_known(base: str) -> None:
    """Red: a simulation sees when running tasks end, how long later ones take, or which jobs come."""
    graphs = tuple(generators.generate(template, 5.0) for template in range(4))
    problem = Problem(generators.poisson(graphs, 6, 4000.0, 1), Machines((8,)))
    policy = ahead("a", BASES[base], simulations=3, horizon_s=20.0, errors=0.0)
    changed = running = coming = 0
    for m in questions(problem, 3):
        other = m.copy()
        other[at.SEED] += 12345
        for place in range(m[at.EVENTS]):
            executor = m[m[at.HEAP] + 2 * place + 1]
            if m[executor + at.TARGET] == NONE:
                running += 1
                other[m[at.HEAP] + 2 * place] += 7_000_000 << at.SEQUENCE_BITS
        jobs = table(other, at.ALL_JOBS)
        jobs[m[at.NEXT_ARRIVAL] :, at.ARRIVAL] += 99_000
        jobs[m[at.NEXT_ARRIVAL] :, at.JOB_LEFT] *= 3
        coming += m[at.NEXT_ARRIVAL] < m[at.JOBS]
        one, two = (decided(policy, each.copy(), problem.cluster) for each in (m, other))
        assert one == two
        changed += one != policy.fast(m, problem.cluster).choose(m)
    assert running > 20 and coming > 5 and changed > 3


def recorded(m: Memory, durations: Int32, executor: int) -> list[Int32]:
    """All durations that the task of an executor can have, in ms, by the coin between measured counts."""
    waves, wave, count = m[m[executor + at.AT_STAGE] + at.WAVES], m[executor + at.TASK_WAVE], m[executor + at.WITH]
    found = []
    for coin in (0, 2**64 - 1):
        span, added = moves.measured(m, durations, np.uint64(coin), waves, count, wave)
        first, many = durations[span : span + 2]
        found.append(durations[first : first + many] + added)
    return found


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.integers(0, 2**40))
def test_running_tasks_are_drawn_from_what_was_recorded(seed: int, own: int) -> None:
    """Red: a simulated task ends before it has run as long as it did, or takes what no task of its wave took."""
    problem = Problem(*small.some_cluster(seed))
    durations = problem.cluster.durations
    for m in questions(problem, seed, every=2):
        imagined = Room(m).imagine(m, durations, own)
        assert imagined[at.EVENTS] == m[at.EVENTS] and imagined[at.JOBS] == m[at.NEXT_ARRIVAL]
        before, after = (
            {int(x[x[at.HEAP] + 2 * k + 1]): int(x[x[at.HEAP] + 2 * k] >> at.SEQUENCE_BITS)
             for k in range(x[at.EVENTS])} for x in (m, imagined)
        )  # fmt: skip
        assert before.keys() == after.keys()
        for executor, end in after.items():
            if m[executor + at.TARGET] != NONE:
                assert end == before[executor]
                continue
            assert end >= m[at.NOW]
            known = m[executor + at.BEGAN] + np.concatenate(recorded(m, durations, executor))
            assert end in known and before[executor] in known
        keys = imagined[imagined[at.HEAP] :][: 2 * imagined[at.EVENTS] : 2].tolist()
        assert all(keys[(place - 1) // 2] <= key for place, key in enumerate(keys) if place)


def test_a_coin_that_nobody_saw_is_tossed_anew() -> None:
    """Red: a simulation knows which of two measured numbers of executors a running task was drawn from."""
    problem = Problem(
        generators.poisson(tuple(generators.generate(t, 5.0) for t in range(4)), 6, 4000.0, 1), Machines((8,))
    )
    durations, tossed = problem.cluster.durations, 0
    for m in questions(problem, 3):
        for place in range(m[at.EVENTS]):
            executor = m[m[at.HEAP] + 2 * place + 1]
            if m[executor + at.TARGET] == NONE:
                likely = recorded(m, durations, executor)
                drawn = {rollout.longer(m, durations, executor, 0, seed) for seed in range(200)}
                both = [set(part.tolist()) - set(other.tolist()) for part, other in (likely, likely[::-1])]
                if all(both):
                    tossed += 1
                    assert all(drawn & only for only in both)
    assert tossed > 10


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.integers(0, 3))
def test_a_room_follows_the_run(seed: int, base: int) -> None:
    """Red: a simulation begins where an earlier one has left jobs, pools or promises, and not where the run is."""
    problem = Problem(*small.some_cluster(seed))
    durations, fast = problem.cluster.durations, SRPT.fast(problem.cluster.memory, problem.cluster)
    room = None
    for number, m in enumerate(questions(problem, seed, every=1 + base)):
        room = room or Room(m)
        until = int(m[at.NOW]) + 3000
        for again in range(number % 3):
            ends = []
            for own in (room, Room(m)):
                imagined = own.imagine(m, durations, again)
                stage = int(m[m[at.CANDIDATE_LIST] + again % m[at.CANDIDATES]])
                answer(imagined, durations, stage, 1 + again)
                fast.play(imagined, until)
                ends.append((table(imagined, at.ALL_JOBS).tolist(), imagined[: at.HEADER].tolist(),
                             rollout.total_until(imagined, room.first, until)))  # fmt: skip
            assert ends[0] == ends[1]


def slowly(policy: Rollout, m: Memory, cluster: Cluster) -> dict[tuple[int, int], float]:
    """Every answer that may be tried, and the sum of the times at which jobs are done after it, in one simulation."""
    fast = policy.fast(m, cluster)
    found: dict[tuple[int, int], float] = {}
    rest, until = m.copy(), m[at.NOW] + round(1000 * policy.horizon_s)
    for tried in range(min(policy.stages, m[at.CANDIDATES])):
        stage, limit = fast.choose(rest)
        job = m[stage + at.OF_JOB]
        own = m[at.OFFERED] if job == m[at.SOURCE_JOB] else 0
        held = m[job + at.HELD] - own
        usual = max(1, min(limit - held, m[stage + at.TASKS] - m[stage + at.CLAIMED], m[at.OFFERED]))
        amounts = {usual} | ({max(1, usual // 2), max(1, usual * 3 // 4)} if tried < rollout.SHARES_OF else set())
        for amount in amounts:
            after = Room(m).imagine(m, cluster.durations, 7)
            answer(after, cluster.durations, stage, held + amount)
            while advance(after, cluster.durations) and after[at.NOW] < until:
                answer(after, cluster.durations, *fast.choose(after))
            jobs = table(after, at.ALL_JOBS)
            ends = np.where(jobs[:, at.STATE] == at.DONE, np.minimum(jobs[:, at.DONE_AT], until), until)
            found[stage, amount] = float(ends.sum())
        # The next choice is among the others.
        listed = rest[rest[at.CANDIDATE_LIST] :][: rest[at.CANDIDATES]]
        listed[: len(listed) - 1] = [other for other in listed if other != stage]
        rest[at.CANDIDATES] -= 1
    return found


@settings(max_examples=15, deadline=None)
@given(SEEDS, st.sampled_from(sorted(BASES)), st.integers(1, 4))
def test_the_best_of_one_simulation_is_taken(seed: int, base: str, stages: int) -> None:
    """Red: an answer is taken that does worse than another one that was to be tried, or is none of them."""
    problem = Problem(*small.some_cluster(seed))
    policy = ahead("a", BASES[base], stages=stages, simulations=1, horizon_s=0.5, errors=0.0)
    for m in questions(problem, seed):
        found = slowly(policy, m, problem.cluster)
        stage, limit = decided(policy, m, problem.cluster)
        job = m[stage + at.OF_JOB]
        held = m[job + at.HELD] - (m[at.OFFERED] if job == m[at.SOURCE_JOB] else 0)
        sent = max(1, min(limit - held, m[stage + at.TASKS] - m[stage + at.CLAIMED], m[at.OFFERED]))
        assert found[stage, sent] == min(found.values())


def test_the_luckiest_is_not_taken() -> None:
    """Red: an answer that looked better by less than its standard errors takes the place of the fast policy's."""
    saved = np.array([[0.0] * 4, [4.0, -2.0, 4.0, -2.0], [0.5, 1.0, 0.5, 1.0]])  # means 1 and .75, errors 1.5 and .125
    assert rollout.surely_best(saved, [1, 2], 0.0) == 1
    assert rollout.surely_best(saved, [1, 2], 2.0) == 2
    assert rollout.surely_best(saved, [1, 2], 20.0) == 0
    assert rollout.surely_best(saved, [1], 2.0) == 0


def test_simulations_draw_from_what_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: where a history tells a stage's means, simulations know how long this job's own tasks take."""
    graph = generators.generate(0, 5.0)
    graph = replace(graph, stages=tuple(replace(one, told=Told(900, 1500, 900, 800)) for one in graph.stages))
    problem = Problem(generators.batch((graph,), 4, 0), Machines((8,)))
    library, drawn, original = problem.cluster.library, [], Room.imagine

    def imagine(room: Room, m: Memory, durations: Int32, seed: int) -> Memory:
        drawn.append(durations)
        return original(room, m, durations, seed)

    monkeypatch.setattr(Room, "imagine", imagine)
    ahead("a", BASES["scorer"], simulations=2, horizon_s=5.0).play(problem.cluster.begin(0), problem.cluster)
    assert len(drawn) > 10 and library.known is not library.durations
    assert all(one is library.known for one in drawn)


@pytest.mark.parametrize("base", BASES)
def test_looking_ahead_helps(base: str) -> None:
    """Red: runs are no shorter with rollouts than with the policy that they look ahead with."""
    graphs = tuple(generators.generate(template, 10.0) for template in range(6))
    logs = []
    for seed in range(6):
        problem = Problem(generators.batch(graphs, 8, seed), Machines((20,)))
        ends = []
        for policy in (BASES[base], ahead("a", BASES[base])):
            m = problem.cluster.begin(seed)
            policy.play(m, problem.cluster)
            assert m[at.DONE_JOBS] == m[at.JOBS]
            ends.append(completion_s(m).mean())
        logs.append(math.log(ends[1] / ends[0]))
    assert np.mean(logs) < -0.01


def test_the_log_is_the_runs_own() -> None:
    """Red: simulated tasks are in the log of a run, or a logged run goes another way."""
    problem = TASK.load(TASK.instance("stream-test-0"))
    policy = ahead("a", BASES["scorer"], horizon_s=20.0)
    ends = []
    for log in (False, True):
        m = problem.cluster.begin(0, log)
        policy.play(m, problem.cluster)
        ends.append(completion_s(m).tolist())
    assert ends[0] == ends[1] and m[at.LOGGED] == problem.cluster.tasks


def test_the_fit_is_the_fast_policys() -> None:
    """Red: what a fit puts forward before it is killed does not look ahead, or has other weights."""
    parts = {split: [one for one in TASK.instances() if one.split == split][:2] for split in ("train", "valid")}
    given = LocalStudy(TASK, parts["train"], parts["valid"], Limits(runs=40), 0)
    made = RolloutOf("ahead", ScorerByEvolution("base", hidden=2, pairs=2), simulations=3).fit(given)
    fast: Any = ScorerByEvolution("base", hidden=2, pairs=2).fit(
        LocalStudy(TASK, parts["train"], parts["valid"], Limits(runs=40), 0)
    )
    assert isinstance(made, ScorerRollout) and made.simulations == 3 and made.name == "ahead"
    for name in ("inputs", "bias", "outputs", "prices"):
        assert np.array_equal(getattr(made, name), getattr(fast, name))
    assert given.last is not None and given.last.restore().artefact.hash == made.artefact.hash
