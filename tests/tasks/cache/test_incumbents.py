"""The compiled policies against slow, obvious references, request by request."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tasks.cache.reference import policies
from tests.tasks.cache.reference.workloads import workloads

from unseat.core.errors import UserError
from unseat.core.jit import python
from unseat.tasks.cache.engine.simulate import simulate
from unseat.tasks.cache.engine.trace import Trace, from_raw
from unseat.tasks.cache.incumbents import FUSED

Reference = Callable[..., list[bool]]
REFERENCES: dict[str, tuple[Reference, dict[str, st.SearchStrategy[Any]]]] = {
    "fifo": (policies.fifo, {}),
    "lru": (policies.lru, {}),
    "clock": (policies.clock, {"bits": st.integers(1, 3)}),
    "sieve": (policies.sieve, {}),
    "s3fifo": (
        policies.s3fifo,
        {
            "small": st.sampled_from([0.1, 0.3, 0.5]),
            "ghost": st.sampled_from([0.0, 0.5, 0.9]),
            "threshold": st.integers(1, 2),
        },
    ),
    "lfu": (policies.lfu, {}),
    "arc": (policies.arc, {}),
    "lirs": (policies.lirs, {"queue": st.sampled_from([0.01, 0.3])}),
    "wtinylfu": (
        policies.wtinylfu,
        {
            "window": st.sampled_from([0.01, 0.5]),
            "step": st.sampled_from([0.0625, 0.3]),
            "sample": st.sampled_from([0.5, 2.0]),
        },
    ),
    "fifo-sized": (policies.fifo, {}),
    "lru-sized": (policies.lru, {}),
    "sieve-sized": (policies.sieve, {}),
    "s3fifo-sized": (policies.s3fifo, {"small": st.sampled_from([0.1, 0.5]), "ghost": st.sampled_from([0.0, 0.9])}),
    "gdsf": (policies.gdsf, {"cost": st.sampled_from([0.0, 0.5, 1.0])}),
}
REQUESTS = workloads(250, 40)


def trace_of(requests: list[int], sized: bool) -> Trace:
    keys = np.array(requests, np.uint64)
    return from_raw(keys, 1 + keys.astype(np.int64) * 7 % 11 if sized else None)


def served(run: Callable[..., None], trace: Trace, capacity: int, state: Any) -> list[bool]:
    """Drive a kernel one request at a time, as the streaming export does."""
    sizes = np.empty(0, np.int64) if trace.sizes is None else trace.sizes
    counts = np.zeros(4, np.int64)
    hits = []
    for t in range(trace.n_requests):
        before = int(counts[1])
        run(trace.ids, sizes, t, t + 1, capacity, state, counts)
        hits.append(int(counts[1]) == before)
    return hits


def test_every_incumbent_has_a_reference() -> None:
    """Red: a policy was added without a reference to hold it to (random policies have a test of their own)."""
    assert set(REFERENCES) | {"random", "random-sized"} == set(FUSED)


@pytest.mark.parametrize("name", REFERENCES)
@settings(max_examples=120, deadline=None)
@given(data=st.data(), requests=REQUESTS, capacity=st.integers(1, 25))
def test_kernel_equals_reference(name: str, data: st.DataObject, requests: list[int], capacity: int) -> None:
    """Red: a kernel hits or misses where the algorithm, written plainly, does not."""
    fused = FUSED[name]
    reference, choices = REFERENCES[name]
    parameters = {key: data.draw(choice, key) for key, choice in choices.items()}
    trace = trace_of(requests, fused.sized)
    if fused.sized:
        assert trace.sizes is not None
        capacity *= 5
        sizes = trace.sizes.tolist()
        expected = reference(trace.ids.tolist(), capacity, size=lambda x: sizes[x], **parameters)
    else:
        expected = reference(trace.ids.tolist(), capacity, **parameters)
    state = fused.init(trace.n_objects, capacity, **parameters)
    assert served(fused.run, trace, capacity, state) == expected


@pytest.mark.parametrize("name", FUSED)
@settings(max_examples=15, deadline=None)
@given(requests=REQUESTS, capacity=st.integers(1, 12), data=st.data())
def test_split_anywhere_and_plain_python_agree(
    name: str, requests: list[int], capacity: int, data: st.DataObject
) -> None:
    """Red: a kernel forgets something between two calls, or compiled code and its Python source differ."""
    fused = FUSED[name]
    trace = trace_of(requests, fused.sized)
    capacity *= 5 if fused.sized else 1
    cut = data.draw(st.integers(0, trace.n_requests), "cut")
    whole = simulate(fused, trace, capacity)[1]
    warm, judged = simulate(fused, trace, capacity, cut)
    assert tuple(a + b for a, b in zip(warm, judged, strict=True)) == tuple(whole)
    sizes = np.empty(0, np.int64) if trace.sizes is None else trace.sizes
    counts = np.zeros(4, np.int64)
    with np.errstate(over="ignore"):  # the hashes wrap on purpose
        python(fused.run)(
            trace.ids, sizes, 0, trace.n_requests, capacity, fused.init(trace.n_objects, capacity), counts
        )
    assert counts.tolist() == list(whole)


@pytest.mark.parametrize("name", FUSED)
@settings(max_examples=30, deadline=None)
@given(requests=REQUESTS, capacity=st.integers(1, 40))
def test_counts_add_up(name: str, requests: list[int], capacity: int) -> None:
    """Red: requests, misses, bytes and evictions contradict each other, or a cache that holds everything misses."""
    fused = FUSED[name]
    trace = trace_of(requests, fused.sized)
    counts = simulate(fused, trace, capacity)[1]
    assert counts.requests == trace.n_requests
    assert trace.n_objects <= counts.misses <= counts.requests
    if trace.sizes is None:
        assert counts.missed_bytes == counts.misses
        assert counts.evictions == counts.misses - min(capacity, trace.n_objects)
    full = simulate(fused, trace, trace.footprint)[1]
    assert (full.misses, full.evictions) == (trace.n_objects, 0)


@pytest.mark.parametrize("name", FUSED)
@settings(max_examples=30, deadline=None)
@given(requests=REQUESTS, capacity=st.integers(1, 12))
def test_evicted_objects_are_named(name: str, requests: list[int], capacity: int) -> None:
    """Red: a system that removes what the policy says it evicted would hold other objects than the policy thinks."""
    fused = FUSED[name]
    trace = trace_of(requests, fused.sized)
    capacity *= 5 if fused.sized else 1
    sizes = np.ones(trace.n_objects, np.int64) if trace.sizes is None else trace.sizes
    state = fused.init(trace.n_objects, capacity)
    counts = np.zeros(5 + trace.n_objects, np.int64)
    cached: set[int] = set()
    for t, x in enumerate(trace.ids.tolist()):
        misses, evictions, counts[4] = counts[1], counts[3], 0
        fused.run(trace.ids, sizes, t, t + 1, capacity, state, counts)
        evicted = set(counts[5 : 5 + counts[4]].tolist())
        assert (counts[1] == misses) == (x in cached)
        assert evicted <= cached and len(evicted) == counts[4] == counts[3] - evictions
        cached -= evicted
        if sizes[x] <= capacity:
            cached.add(x)
        assert sizes[list(cached)].sum() <= capacity


def golden_trace() -> Trace:
    """40,000 requests: a drifting skew, a loop and scans, from a fixed integer recurrence (no library's generator)."""
    keys = np.empty(40_000, np.uint64)
    state = 12345
    for t in range(keys.size):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        draw = state >> 33
        phase = t // 8000
        if t % 8000 > 7000:
            keys[t] = 100_000 + t
        elif draw % 10 < 3:
            keys[t] = 50_000 + t % 700
        else:
            keys[t] = 500 * phase + (draw % 1000) * ((draw >> 10) % 1000) // 500
    return from_raw(keys, name="golden")


def test_golden_counts() -> None:
    """Red: a policy is no longer the version that its docstring names.

    LIRS's counts come from the authors' lirs.c of 2002, W-TinyLFU's from the reference in this folder, which follows
    Caffeine's simulator, all others from libcachesim 0.3.5, each run on this trace.
    """
    trace = golden_trace()
    assert trace.n_objects == GOLDEN_OBJECTS
    found = {
        name: [simulate(FUSED[name], trace, capacity)[1].misses for capacity in GOLDEN_CAPACITIES] for name in GOLDEN
    }
    assert found == GOLDEN


GOLDEN_OBJECTS = 9188
GOLDEN_CAPACITIES = (50, 300, 1000)
GOLDEN: dict[str, list[int]] = {
    "fifo": [39193, 35615, 24752],
    "lru": [39178, 35301, 24484],
    "clock": [39164, 35065, 23819],
    "sieve": [39105, 36264, 28108],
    "s3fifo": [38490, 33266, 23731],
    "lfu": [39620, 37864, 31421],
    "arc": [38448, 32821, 22702],
    "lirs": [38414, 33218, 22330],
    "wtinylfu": [38774, 34318, 24934],
}


def test_random_is_uniform_and_depends_on_its_seed_only() -> None:
    """Red: the generator is biased, or a run is not repeatable."""
    requests = from_raw(np.arange(60_000, dtype=np.uint64) % 200)
    misses = [simulate(FUSED["random"], requests, 100, seed=seed)[1].misses for seed in (1, 1, 2)]
    assert misses[0] == misses[1] != misses[2]
    # In a loop over N objects random eviction has the miss ratio m = 1 - e^(-g), with g misses between two requests
    # of an object per place: m solves (1 - m) = exp(-m * N / C), .797 for N / C = 2.
    assert abs(misses[0] / requests.n_requests - 0.797) < 0.01


def test_registry_is_cheap_and_errors_are_clear() -> None:
    """Red: listing the incumbents compiles or imports Numba, or a bad request gets no clear line."""
    script = "import sys, unseat.tasks.cache.incumbents as i; assert len(i.FUSED) > 10 and 'numba' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)
    trace = trace_of([1, 2, 3], sized=False)
    with pytest.raises(UserError, match="holds nothing"):
        simulate(FUSED["lru"], trace, 0)
    with pytest.raises(UserError, match="needs object sizes"):
        simulate(FUSED["gdsf"], trace, 5)
    with pytest.raises(UserError, match="warm-up of 4"):
        simulate(FUSED["lru"], trace, 5, 4)
    with pytest.raises(UserError, match="sizes must be positive"):
        from_raw(np.arange(3), np.array([1, 0, 2]))
