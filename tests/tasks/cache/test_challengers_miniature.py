"""A cache that follows miniatures: whom it follows, what it holds when it changes, what it remembers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tasks.cache.reference.workloads import workloads

from unseat.core.outcome import Limits
from unseat.core.policy import Artefact, View
from unseat.tasks.cache.challengers.miniature import Miniature
from unseat.tasks.cache.engine import miniature, mixture
from unseat.tasks.cache.engine.trace import Trace, from_raw
from unseat.tasks.cache.generators import generate
from unseat.tasks.cache.incumbents import FUSED
from unseat.tasks.cache.incumbents.random_eviction import draw
from unseat.tasks.cache.problem import Problem, fused, serve
from unseat.tasks.cache.task import CacheTask

NO_SIZES = np.empty(0, np.int64)
ORDER = ("s3fifo", "lru", "sieve", "arc", "lirs", "wtinylfu")
MARGIN = 0.1
"""Small, so that short tests see switches."""


def begin(n_objects: int, capacity: int, seed: int = 0, least: int = 8) -> Any:
    """A cache with a small miniature that changes its policy often."""
    state = miniature.init(n_objects, capacity, seed, least)
    state[1][2] = MARGIN * capacity
    return state


def switch(arm: int, capacity: int, state: Any) -> None:
    """What `run` does when another policy takes over."""
    scalars, arms = state[0], state[9]
    held = miniature.switch(arm, scalars, state[2], state[3], arms, state[10])
    mixture.advance(arm, state[3], NO_SIZES, 0, held, capacity, arms, np.zeros(4, np.int64))


class Alone:
    """One published policy in a cache of its own, asked for one request at a time."""

    def __init__(self, arm: int, n_objects: int, capacity: int) -> None:
        one = FUSED[ORDER[arm]]
        self.run, self.state, self.capacity = one.run, one.init(n_objects, capacity), capacity

    def ask(self, x: int) -> tuple[bool, list[int]]:
        """Whether the request missed, and what was evicted."""
        counts = np.zeros(8, np.int64)
        self.run(np.array([x], np.int32), NO_SIZES, 0, 1, self.capacity, self.state, counts)
        return bool(counts[1]), counts[5 : 5 + counts[4]].tolist()


def plain(ids: list[int], capacity: int, seed: int, least: int) -> tuple[list[bool], list[list[int]], list[int]]:
    """The method in plain Python: misses, evictions and leaders by request; LIRS forgets nothing in so short a time."""
    n_objects = max(ids) + 1
    share = min(1.0, max(least / capacity, miniature.LEAST_SHARE))
    small, block = max(1, round(share * capacity)), round(miniature.SAMPLED_BLOCK / share)
    sample = [x for x in range(n_objects) if draw(seed, x) < share * 2.0**63]
    memory = np.exp(-block / (miniature.SPAN * max(capacity, miniature.FLOOR)))
    miniatures = [Alone(arm, len(sample), small) for arm in range(6)]
    losses, missed, leader, real, held = [0.0] * 6, [0] * 6, 0, Alone(0, n_objects, capacity), dict[int, None]()
    misses, evictions, leaders = [], [], []
    for t, x in enumerate(ids):
        miss, gone = real.ask(x)
        held.pop(x, None)
        held[x] = None
        for y in gone:
            del held[y]
        if x in sample:
            for arm in range(6):
                missed[arm] += miniatures[arm].ask(sample.index(x))[0]
        if (t + 1) % block == 0:
            losses = [memory * losses[arm] + missed[arm] / share for arm in range(6)]
            missed = [0] * 6
            best = min(range(6), key=lambda arm: losses[arm])
            if losses[leader] - losses[best] > MARGIN * capacity:
                leader, real = best, Alone(best, n_objects, capacity)
                for y in held:
                    real.ask(y)
        misses.append(miss)
        evictions.append(gone)
        leaders.append(leader)
    return misses, evictions, leaders


@settings(max_examples=40, deadline=None)
@given(ids=workloads(900, 80), capacity=st.integers(4, 40), seed=st.integers(0, 3), least=st.sampled_from([4, 8, 64]))
def test_it_decides_as_the_plain_version(ids: list[int], capacity: int, seed: int, least: int) -> None:
    """Red: a miss, a victim or a leader is not what the method says, or a state was not made fresh at a switch."""
    misses, evictions, leaders = plain(ids, capacity, seed, least)
    state, requests = begin(max(ids) + 1, capacity, seed, least), np.array(ids, np.int32)
    for t in range(len(ids)):
        counts = np.zeros(8, np.int64)
        miniature.run(requests, NO_SIZES, t, t + 1, capacity, state, counts)
        assert (counts[0], counts[1], counts[2]) == (1, misses[t], misses[t])
        assert counts[5 : 5 + counts[4]].tolist() == evictions[t] and counts[3] == len(evictions[t])
        assert state[0][miniature.LEADER] == leaders[t]


@settings(max_examples=25, deadline=None)
@given(ids=workloads(600, 60), capacity=st.integers(2, 30), arms=st.lists(st.integers(0, 5), min_size=1, max_size=8))
def test_a_switch_keeps_the_contents(ids: list[int], capacity: int, arms: list[int]) -> None:
    """Red: after a switch an object is held that was not, one is lost, or more are held than there are places."""
    state, requests, held = begin(max(ids) + 1, capacity), np.array(ids, np.int32), set[int]()
    state[1][2] = np.inf
    for t in range(len(ids)):
        counts = np.zeros(8, np.int64)
        miniature.run(requests, NO_SIZES, t, t + 1, capacity, state, counts)
        assert counts[1] == (ids[t] not in held)
        held = held - set(counts[5 : 5 + counts[4]].tolist()) | {ids[t]}
        if t % 37 == 36:
            switch(arms[t % len(arms)], capacity, state)
        arm = state[0][miniature.LEADER]
        assert {x for x in range(max(ids) + 1) if mixture.holds(arm, x, mixture.marks(state[9]))} == held
        assert len(held) <= capacity


@pytest.mark.parametrize("least", [8, 64])
def test_stopping_changes_nothing(least: int) -> None:
    """Red: a block that is cut in two is judged otherwise, so warm-up and judged part are not one run."""
    ids = generate("phases", 8_000, 500, 1).keys.astype(np.int64)
    trace, found = from_raw(ids), []
    for stops in ((8_000,), (1, 63, 64, 65, 2_000, 5_003, 8_000)):
        state, counts, start = begin(trace.n_objects, 60, 1, least), np.zeros(5 + 8_000, np.int64), 0
        for stop in stops:
            miniature.run(trace.ids, NO_SIZES, start, stop, 60, state, counts)
            start = stop
        found.append((counts.tolist(), state[0].tolist(), state[6].tolist()))
    assert found[0] == found[1]
    assert found[0][1][miniature.SWITCHES] > 0


def test_what_lirs_remembers_is_bounded() -> None:
    """Red: LIRS keeps every object of the trace on its stack, at full size or in miniature."""
    requests = np.arange(20_000, dtype=np.int32)
    state = begin(requests.size, 20)
    state[1][2] = np.inf
    switch(mixture.LIRS, 20, state)
    miniature.run(requests, NO_SIZES, 0, requests.size, 20, state, np.zeros(4, np.int64))
    for arms, capacity in ((state[9], 20), (state[11], int(state[0][miniature.SMALL]))):
        on_stack = int((arms[mixture.LIRS][1][:-1, 0] >= 0).sum())
        assert on_stack <= (1 + mixture.GHOSTS) * capacity + state[0][miniature.BLOCK]
        assert on_stack >= mixture.GHOSTS * capacity


def test_it_leaves_a_policy_that_fails() -> None:
    """Red: S3-FIFO goes on where it always misses: objects that return once, too late for its small queue."""
    fresh = np.arange(60_000)
    ids = np.stack([fresh, np.maximum(fresh - 400, 0)], 1).ravel()
    case = Problem(from_raw(ids), 1_000, 0)
    session = Miniature().start(case.view(), 0)
    served = serve(case, session, fused(case, session))
    assert session.kernel is not None and session.kernel[1][0][miniature.SWITCHES] > 0
    assert served.judged.misses < 0.6 * ids.size
    alone = np.zeros(4, np.int64)
    FUSED["s3fifo"].run(case.trace.ids, NO_SIZES, 0, ids.size, 1_000, FUSED["s3fifo"].init(60_000, 1_000), alone)
    assert alone[1] > 0.9 * ids.size


def test_the_sample_is_small_and_drawn_by_the_seed() -> None:
    """Red: a large cache is simulated at full size, the share is not what was asked for, or the seed does nothing."""
    states = [miniature.init(100_000, 10_000, seed) for seed in (0, 1, 1)]
    sizes = [state[13][1].size for state in states]
    share = states[0][1][0]
    assert share == miniature.LEAST_SHARE and states[0][0][miniature.SMALL] == round(share * 10_000)
    assert abs(sizes[0] - share * 100_000) < 6 * (share * 100_000) ** 0.5
    assert not np.array_equal(states[0][4], states[1][4]) and np.array_equal(states[1][4], states[2][4])
    assert miniature.init(500, miniature.MINIATURE // 2)[13][1].size == 500


def test_equal_pasts_give_equal_decisions() -> None:
    """Red: a decision before request 25,000 depends on what is asked for after it."""
    first = generate("drift", 40_000, 900, 1).keys.astype(np.int64)
    cut = 25_000
    second = np.concatenate([first[:cut], generate("drift", 15_000, 900, 2).keys.astype(np.int64)])
    space, found = int(max(first.max(), second.max())) + 1, []
    for keys in (first, second):
        trace = Trace(keys.astype(np.int32), None, space, "x")
        session = Miniature().start(View("evict", {"id_space": space, "capacity": 80}), 0)
        evicted = np.zeros(5 + cut, np.int64)
        assert session.kernel is not None
        run, state = session.kernel
        run(trace.ids, NO_SIZES, 0, cut, 80, state, evicted)
        found.append(evicted.tolist())
    assert found[0] == found[1]


def test_a_saved_policy_decides_the_same(tmp_path: Any) -> None:
    """Red: what is saved is not JSON and arrays, or something that decides is not saved."""
    Miniature().artefact.save(tmp_path)
    case = Problem(from_raw(generate("drift", 12_000, 800, 1).keys.astype(np.int64)), 300, 0)
    found = []
    for one in (Miniature(), Artefact.load(tmp_path).restore()):
        session = one.start(case.view(), 7)
        found.append(serve(case, session, fused(case, session)).judged)
    assert found[0] == found[1]


def test_memory_is_counted_and_less_than_that_of_full_simulations() -> None:
    """Red: what it holds besides the objects is not reported, or grows with what is not held."""
    case = Problem(from_raw(np.arange(60_000) % 30_000), 2_000, 0)
    found = CacheTask(False).run(case, Miniature(), seed=0, limits=Limits()).metrics["metadata_bytes"]
    full = mixture.metadata_bytes(mixture.init(30_000, 2_000, 0, 0), 2_000, 30_000)
    assert 0 < found < full
