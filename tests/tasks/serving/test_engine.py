"""The engine keeps its promises, whatever a policy does: nothing is lost, nothing is used twice, nobody starves."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as some

from unseat.tasks.serving.cluster import Serving
from unseat.tasks.serving.engine import layout as at
from unseat.tasks.serving.engine.cluster import (
    advance,
    answer_admit,
    answer_batch,
    answer_preempt,
    answer_route,
)
from unseat.tasks.serving.engine.layout import State
from unseat.tasks.serving.problem import Problem, Requests

PATIENCE_S = 3.0


def requests(rng: np.random.Generator, count: int, hashed: bool) -> Requests:
    """Any requests; of some the beginnings are alike, some come together, some are larger than the memory."""
    prompt = rng.choice([1, 15, 16, 31, 32, 33, 64, 200, 500, 5000], count).astype(np.int64)
    output = rng.choice([1, 2, 5, 40, 120], count).astype(np.int64)
    chains = [[int(rng.integers(3)) * 100 + place for place in range(min(tokens // 32, 12))] for tokens in prompt]
    chains = [chain if hashed else [] for chain in chains]
    _, flat = np.unique(np.array([one for chain in chains for one in chain], np.int64), return_inverse=True)
    first = np.concatenate([[0], np.cumsum([len(chain) for chain in chains])]).astype(np.int64)
    at_s = np.cumsum(rng.choice([0.0, 0.001, 0.05, 1.0], count))
    return Requests(at_s + np.linspace(0, 1e-6, count), prompt, output, first, flat.astype(np.int64))


def problem(seed: int) -> Problem:
    """Any cluster with little memory."""
    rng = np.random.default_rng(seed)
    replicas, hashed = int(rng.integers(1, 4)), bool(rng.random() < 0.6)
    serving = Serving(
        replicas=replicas, prefillers=int(rng.integers(0, replicas)), ttft_s=0.2, tpot_s=0.02,
        seats=int(rng.integers(1, 9)), tokens=int(rng.choice([128, 512, 2048])), chunk=32 if hashed else 0,
        swaps=bool(rng.random() < 0.5), drafts=int(rng.choice([0, 0, 3])), patience_s=PATIENCE_S,
        memory=int(rng.choice([14, 30, 64])),
    )  # fmt: skip
    return Problem(requests(rng, int(rng.integers(2, 40)), hashed), serving)


def check_blocks(s: State) -> None:
    """Every block has one owner, and the lists of blocks say what the owners say."""
    for r in range(s.rep.shape[0]):
        owners = s.block[r, :, at.OWNER]
        free, b = set(), int(s.rep[r, at.FREE])
        while b != at.NONE:
            assert b not in free
            free.add(b)
            b = int(s.block[r, b, at.NEXT_BLOCK])
        assert free == set(np.flatnonzero(owners == at.NONE).tolist())
        assert len(free) == s.rep[r, at.N_FREE]
        running = s.run[r, : s.rep[r, at.N_RUN], 0]
        for i in running:
            assert (owners == i).sum() == s.q[i, at.OWN]
            have = s.q[i, at.OWN] * s.g[at.BLOCK] + s.q[i, at.SHARED] * s.g[at.CHUNK]
            assert have >= s.q[i, at.DONE]
        assert set(owners[owners >= 0].tolist()) <= set(running.tolist())
        if s.g[at.CHUNK]:
            used = np.zeros(s.node.shape[1], np.int64)
            for i in running:
                first = s.fixed[i, at.HASH_FROM]
                used[s.hashes[first : first + s.q[i, at.SHARED]]] += 1
            there = s.node[r, :, at.REF] != at.NONE
            assert (s.node[r, there, at.REF] == used[there]).all()
            assert (owners < -1).sum() == there.sum() * (s.g[at.CHUNK] // s.g[at.BLOCK])
            assert s.rep[r, at.N_IDLE] == (s.node[r, :, at.REF] == 0).sum()


def check_end(s: State) -> None:
    """Everybody has come to an end, with as many tokens as were asked for, and all memory is back."""
    state = s.q[:, at.STATE]
    assert np.isin(state, [at.ENDED, at.REFUSED_STATE, at.TOO_LARGE]).all()
    ended = state == at.ENDED
    assert (s.q[ended, at.GENERATED] == s.fixed[ended, at.OUTPUT]).all()
    assert (s.q[:, at.OWN] == 0).all()
    assert (s.q[:, at.SHARED] == 0).all()
    assert (s.rep[:, [at.N_RUN, at.N_WAIT, at.QUEUED, at.CONTEXT, at.FILLING]] == 0).all()
    when = s.when[ended]
    assert (when[:, at.ARRIVAL] <= when[:, at.ADMITTED]).all()
    assert (when[:, at.FIRST] > when[:, at.ARRIVAL]).all()
    assert (when[:, at.END] >= when[:, at.FIRST] - 1e-9).all()
    late = ended & (s.when[:, at.FIRST] - s.when[:, at.ARRIVAL] > s.f[at.TTFT])
    assert s.g[at.MISSED] >= late.sum() + (~ended).sum()


@settings(max_examples=60, deadline=None)
@given(some.integers(0, 2**32 - 1))
def test_conservation_and_aging(seed: int) -> None:
    """Red: a token or a block is lost or used twice, or one who has waited for too long is passed."""
    rng = np.random.default_rng(seed)
    one = problem(seed)
    s = one.begin(seed, one.requests.rate)
    admitted = np.zeros(len(s.when), bool)
    for _ in range(200_000):
        asked = advance(s)
        check_blocks(s)
        if asked == at.OVER:
            break
        now_in = ~np.isnan(s.when[:, at.ADMITTED])
        _check_aging(s, now_in & ~admitted, ~now_in)
        admitted = now_in
        if asked == at.BATCH:
            s.when[:, at.SCORE] = rng.normal(size=len(s.when))
            answer_batch(s, int(rng.integers(3)), int(rng.choice([0, 100, 100_000])))
        elif asked == at.ROUTE:
            answer_route(s, int(rng.integers(16)))
        elif asked == at.ADMIT:
            answer_admit(s, bool(rng.random() < 0.95))
        else:
            answer_preempt(s, int(rng.integers(-1, 9)))
    assert asked == at.OVER
    assert s.g[at.FAULT] == 0
    check_end(s)


def _check_aging(s: State, new: np.ndarray, waiting: np.ndarray) -> None:
    """Nobody was let in while one that came sooner had been waiting at the same replica beyond the patience."""
    for i in np.flatnonzero(new):
        at_s = s.when[i, at.ADMITTED]
        passed = (
            waiting & (s.q[:, at.STATE] == at.WAITS) & (s.q[:, at.AT] == s.q[i, at.AT])
            & (s.when[:, at.ARRIVAL] < s.when[i, at.ARRIVAL]) & (at_s - s.when[:, at.ARRIVAL] > PATIENCE_S + 1e-9)
        )  # fmt: skip
        assert not passed.any()


def test_last_come_first_served_starves_nobody() -> None:
    """Red: aging is not the engine's: the last to come goes first, for ever, and an early one never ends in time."""
    count = 400
    first, none = np.zeros(count + 1, np.int64), np.zeros(0, np.int64)
    some_requests = Requests(
        np.linspace(0.0, 0.02 * (count - 1), count),
        np.full(count, 400, np.int64),
        np.full(count, 50, np.int64),
        first,
        none,
    )
    one = Problem(some_requests, Serving(replicas=1, seats=4, patience_s=PATIENCE_S, ttft_s=1.0))
    waits = {}
    for patience in (PATIENCE_S, 1e9):
        s = one.begin(0, some_requests.rate)
        s.f[at.PATIENCE] = patience
        while (asked := advance(s)) != at.OVER:
            if asked == at.BATCH:
                s.when[:, at.SCORE] = s.when[:, at.ARRIVAL]
                answer_batch(s, at.MIXED, 512)
            else:
                answer_admit(s, True)
        waits[patience] = s.when[:, at.ADMITTED] - s.when[:, at.ARRIVAL]
    order = np.argsort(np.argsort(waits[PATIENCE_S] + one.requests.at_s))
    aged = waits[PATIENCE_S] > PATIENCE_S
    # Whoever waits beyond the patience is served in order of coming.
    assert aged.any()
    assert (np.diff(order[aged]) > 0).all()
    # The first that had to wait, without aging, would be the last.
    assert waits[1e9][4] > 5 * waits[PATIENCE_S][4]


def test_request_larger_than_memory_is_an_outcome() -> None:
    """Red: a prompt that never fits blocks the queue, or ends the run, instead of being counted as a miss."""
    sizes = np.array([100, 100_000, 100], np.int64)
    first, none = np.zeros(4, np.int64), np.zeros(0, np.int64)
    one = Problem(Requests(np.arange(3.0), sizes, np.full(3, 5, np.int64), first, none), Serving(replicas=1, memory=64))
    s = one.begin(0, 1.0)
    while (asked := advance(s)) != at.OVER:
        if asked == at.BATCH:
            answer_batch(s, at.MIXED, 512)
        else:
            answer_admit(s, True)
    assert s.q[:, at.STATE].tolist() == [at.ENDED, at.TOO_LARGE, at.ENDED]
    assert s.g[at.MISSED] == 1
