"""Policies that learn or choose as they run: what they hold, what they follow, and that they see no future."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tasks.cache.reference.workloads import workloads

from unseat.core.outcome import Limits
from unseat.core.policy import Artefact, Policy, View
from unseat.tasks.cache.challengers import lrb
from unseat.tasks.cache.challengers.linear import make
from unseat.tasks.cache.challengers.lrb import Apprentice, Recipe, RelaxedBelady
from unseat.tasks.cache.challengers.mixture import LearningMixture, Mixture
from unseat.tasks.cache.engine import mixture, sampled_trees
from unseat.tasks.cache.engine.trace import Trace
from unseat.tasks.cache.generators import generate
from unseat.tasks.cache.incumbents import s3fifo
from unseat.tasks.cache.problem import Problem, fused, serve
from unseat.tasks.cache.task import CacheTask

NO_SIZES = np.empty(0, np.int64)
POLICIES: list[Policy] = [RelaxedBelady(), Mixture(), LearningMixture()]


def problem(ids: list[int] | np.ndarray[Any, Any], capacity: int) -> Problem:
    """Requests whose objects are numbered by first appearance."""
    from unseat.tasks.cache.engine.trace import from_raw

    return Problem(from_raw(np.asarray(ids)), capacity, 0)


@settings(max_examples=25, deadline=None)
@given(
    ids=workloads(500, 40), capacity=st.integers(2, 10), forests=st.integers(0, 2), memory=st.sampled_from([64, 5_000])
)
def test_the_real_cache_is_honest(ids: list[int], capacity: int, forests: int, memory: int) -> None:
    """Red: a hit on an object that was not fetched, more objects than places, or a surplus that is not what it says."""
    held: set[int] = set()
    state = mixture.init(max(ids) + 1, capacity, 1, forests, memory)
    for t, x in enumerate(ids):
        counts = np.zeros(8, np.int64)
        mixture.run(np.array(ids, np.int32), NO_SIZES, t, t + 1, capacity, state, counts)
        assert counts[1] == (x not in held)
        held = held - set(counts[5 : 5 + counts[4]].tolist()) | {x}
        assert len(held) <= capacity and set(np.flatnonzero(state[1]).tolist()) == held
        leader, surplus = state[0][mixture.LEADER], state[3][: state[0][mixture.SURPLUS]].tolist()
        assert sorted(surplus) == [y for y in sorted(held) if not keeps(leader, y, state)]


def keeps(arm: int, x: int, state: Any) -> bool:
    """Whether a policy's cache holds an object."""
    return mixture.keeps(arm, x, mixture.marks(state[9]), (state[13][0][2], state[13][1][2]))


@settings(max_examples=25, deadline=None)
@given(ids=workloads(600, 60), capacity=st.integers(10, 30))
def test_following_one_policy_is_that_policy(ids: list[int], capacity: int) -> None:
    """Red: as long as S3-FIFO leads, the real cache is not S3-FIFO's, to the miss."""
    state, counts = mixture.init(max(ids) + 1, capacity, 1, 0), np.zeros((2, 4), np.int64)
    alone = s3fifo.init(max(ids) + 1, capacity)
    requests = np.array(ids, np.int32)
    for t in range(len(ids)):
        s3fifo.run(requests, NO_SIZES, t, t + 1, capacity, alone, counts[1])
        mixture.run(requests, NO_SIZES, t, t + 1, capacity, state, counts[0])
        if state[0][mixture.SWITCHES]:
            return
        assert counts[0, 1] == counts[1, 1]


@pytest.mark.parametrize("forests", [0, 2])
def test_stopping_changes_nothing(forests: int) -> None:
    """Red: a block that is cut in two is judged otherwise, so warm-up and judged part are not one run."""
    ids = generate("phases", 8_000, 500, 1).keys.astype(np.int64)
    case = problem(ids, 60)
    found = []
    for stops in ((8_000,), (1, 63, 64, 65, 2_000, 5_003, 8_000)):
        state, counts, start = mixture.init(case.trace.n_objects, 60, 1, forests), np.zeros(4, np.int64), 0
        for stop in stops:
            mixture.run(case.trace.ids, NO_SIZES, start, stop, 60, state, counts)
            start = stop
        found.append((counts.tolist(), state[0].tolist(), np.flatnonzero(state[1]).tolist()))
    assert found[0] == found[1]


@settings(max_examples=10, deadline=None)
@given(ids=workloads(900, 60), capacity=st.integers(10, 30))
def test_blocks_are_served_as_requests_are(ids: list[int], capacity: int) -> None:
    """Red: the short way while the real cache is the followed one leads to other contents or evictions."""
    requests = np.array(ids, np.int32)
    states = [mixture.init(max(ids) + 1, capacity, 1, 1, 64) for _ in range(2)]
    counts = np.zeros((2, 5 + 2 * len(ids)), np.int64)
    mixture.run(requests, NO_SIZES, 0, requests.size, capacity, states[0], counts[0])
    for t in range(requests.size):
        before = counts[1, 4]
        if t % 3:
            mixture.run(requests, NO_SIZES, t, t + 1, capacity, states[1], counts[1])
        else:
            singly(t, requests, capacity, states[1], counts[1])
            counts[1, 0] += 1
        assert counts[1, 4] - before <= 1
    assert counts[0].tolist() == counts[1].tolist()
    assert np.array_equal(states[0][1], states[1][1])


def singly(t: int, requests: Any, capacity: int, state: Any, counts: Any) -> None:
    """What `run` does for one request, the long way whether the real cache is the followed one or not."""
    scalars, held, place, surplus, missed, losses, step, ring, pushed, arms, spans, leaders, costs, trees = state
    kept = mixture.marks(arms), (trees[0][2], trees[1][2])
    leader = int(scalars[mixture.LEADER])
    for arm in range(scalars[mixture.PLAYERS]):
        step[:] = 0
        if arm < mixture.CLASSICAL:
            mixture.advance(arm, requests, NO_SIZES, t, t + 1, capacity, arms, step)
        else:
            sampled_trees.run(requests, NO_SIZES, t, t + 1, capacity, trees[arm - mixture.CLASSICAL], step)
        missed[arm] += step[1]
        if arm == leader:
            mixture.serve(int(requests[t]), capacity, scalars, held, place, surplus, step, *kept, counts)
        if arm == mixture.LIRS:
            mixture.trim(scalars[mixture.PUSHED : mixture.PUSHED + 1], step, ring, pushed, arms[mixture.LIRS])
    if (t + 1) % mixture.BLOCK == 0:
        leader = mixture.judge(scalars, missed, losses, spans, leaders, costs)
        if leader != scalars[mixture.LEADER]:
            mixture.follow(leader, scalars, held, place, surplus, *kept)


def test_what_lirs_remembers_is_bounded() -> None:
    """Red: LIRS keeps every object of the trace on its stack, so metadata grows with the trace."""
    requests = np.arange(5_000, dtype=np.int32)
    state = mixture.init(requests.size, 20, 1, 0)
    mixture.run(requests, NO_SIZES, 0, requests.size, 20, state, np.zeros(4, np.int64))
    on_stack = int((state[9][mixture.LIRS][1][:5_000, 0] >= 0).sum())
    assert on_stack <= (1 + mixture.GHOSTS) * 20 + mixture.BLOCK


def test_it_leaves_a_policy_that_fails() -> None:
    """Red: on a loop larger than the cache, where recency misses always, nobody else is ever followed."""
    ids = np.tile(np.arange(300), 40)
    case = problem(ids, 100)
    session = Mixture().start(case.view(), 0)
    served = serve(case, session, fused(case, session))
    assert served.warm.misses + served.judged.misses < 0.8 * ids.size


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_a_saved_policy_decides_the_same(policy: Policy, tmp_path: Any) -> None:
    """Red: what is saved is not JSON and arrays, or something that decides is not saved."""
    policy.artefact.save(tmp_path)
    again = Artefact.load(tmp_path).restore()
    case = problem(generate("drift", 12_000, 800, 1).keys.astype(np.int64), 80)
    found = []
    for one in (policy, again):
        session = one.start(case.view(), 7)
        served = serve(case, session, fused(case, session))
        found.append((served.warm, served.judged))
    assert found[0] == found[1]


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_equal_pasts_give_equal_decisions(policy: Policy) -> None:
    """Red: a decision before request 25,000 depends on what is asked for after it."""
    first = generate("drift", 40_000, 900, 1).keys.astype(np.int64)
    cut = 25_000
    second = np.concatenate([first[:cut], generate("drift", 15_000, 900, 2).keys.astype(np.int64)])
    space, found = int(max(first.max(), second.max())) + 1, []
    for keys in (first, second):
        trace = Trace(keys.astype(np.int32), None, space, "x")
        session = policy.start(View("evict", {"id_space": space, "capacity": 80}), 0)
        evicted = np.zeros(5 + cut, np.int64)
        case = Problem(trace, 80, 0)
        for stop in range(5_000, cut + 1, 5_000):
            assert session.kernel is not None
            run, state = session.kernel
            run(trace.ids, NO_SIZES, stop - 5_000, stop, 80, state, evicted)
            session.learn(case.seen(stop))
        found.append(evicted.tolist())
    assert found[0] == found[1]


def test_rows_whose_label_is_still_open_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: moments within two capacities of the present are learned from as if their object would never return."""
    ids = np.random.default_rng(0).integers(0, 300, 30_000).astype(np.int32)
    cache = sampled_trees.init(300, 50)
    sampled_trees.run(ids, NO_SIZES, 0, ids.size, 50, cache, np.zeros(4, np.int64))
    seen: list[Any] = []
    monkeypatch.setattr(lrb, "fit_forest", lambda rows, waits, *rest: seen.append(waits.size))
    Apprentice(Recipe(rows=10**9), 50, 0).learn(cache, ids.size)
    moments = cache[8]
    assert seen == [int(((moments[:, 0] >= 0) & (moments[:, 1] <= ids.size - 100)).sum())]
    assert seen[0] < int((moments[:, 0] >= 0).sum())


def test_trees_learn_what_recency_cannot_see() -> None:
    """Red: learning does not help on a workload of popular objects and one-time visitors, where LRU is poor."""
    rng = np.random.default_rng(0)
    popular, fresh = rng.integers(0, 100, 80_000), np.arange(1_000, 81_000)
    ids = np.where(rng.random(80_000) < 0.5, popular, fresh)
    case = problem(ids, 100)
    session = RelaxedBelady().start(case.view(), 0)
    served = serve(Problem(case.trace, 100, 40_000), session, fused(case, session))
    assert served.judged.misses / served.judged.requests < 0.56


@pytest.mark.parametrize("policy", [*POLICIES, make({"age": 1.0})], ids=lambda policy: policy.name)
def test_memory_is_counted_in_every_outcome(policy: Policy) -> None:
    """Red: what a learned policy holds besides the objects is not reported, or is out of bounds."""
    found = CacheTask(False).run(problem(np.arange(3_000) % 700, 100), policy, seed=0, limits=Limits())
    assert 0 < found.metrics["metadata_bytes"] < 8 * 2**20
