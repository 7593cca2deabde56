"""Generators: seeded, bounded, and as skewed and as moving as they say."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseat.core.errors import UserError
from unseat.tasks.cache.generators import KINDS, Kind, SizeKind, generate, zipf_ranks

PINNED = {
    "zipf": "2dd21ae6fbd86ed4",
    "drift": "9d27052e674e9d2b",
    "scan": "24ec89e0c882fede",
    "loop": "d6073414a491ba5d",
    "churn": "19be48022ba9112a",
    "phases": "28c9eebcad8e57bd",
}


@given(
    st.sampled_from(KINDS),
    st.integers(1, 300),
    st.integers(1, 60),
    st.integers(0, 2**40),
    st.floats(0, 3),
    st.sampled_from([None, "lognormal", "pareto"]),
)
@settings(deadline=None)
def test_any_parameters_give_a_trace(
    kind: Kind, requests: int, objects: int, seed: int, alpha: float, sizes: SizeKind | None
) -> None:
    """Red: some length, footprint or exponent breaks a generator, a seed does not repeat, or an object changes size."""
    trace = generate(kind, requests, objects, seed, alpha=alpha, sizes=sizes)
    again = generate(kind, requests, objects, seed, alpha=alpha, sizes=sizes)
    assert len(trace) == requests and trace.content_hash() == again.content_hash()
    assert (trace.sizes is None) == (sizes is None)
    if trace.sizes is not None:
        assert trace.sizes.min() >= 1 and trace.sizes.max() <= 2**30
        assert len(set(zip(trace.keys.tolist(), trace.sizes.tolist(), strict=True))) == trace.objects


def test_zipf_frequencies() -> None:
    """Red: the popularity is not rank**-alpha over the sum of all: a slip shifts or drops the last ranks."""
    objects, n, alpha = 50, 400_000, 0.8
    counts = np.bincount(zipf_ranks(n, objects, alpha, seed=1), minlength=objects)
    weights = np.arange(1, objects + 1) ** -alpha
    share = weights / weights.sum()
    deviation = (counts - n * share) / np.sqrt(n * share * (1 - share))
    assert np.abs(deviation).max() < 4.5


@pytest.mark.parametrize("kind", KINDS)
def test_traces_are_pinned(kind: Kind) -> None:
    """Red: the same seed gives another trace than on other platforms and versions, so no stored result fits it."""
    keys = generate(kind, 2000, 100, 7).keys
    assert hashlib.sha256(keys.astype("<u8").tobytes()).hexdigest()[:16] == PINNED[kind]


def test_popularity_moves_where_it_should() -> None:
    """Red: a non-stationary generator is stationary (or the stationary one is not), so it tells no policies apart."""

    def overlap(kind: Kind) -> float:
        """Share of the hundred most asked for in the first third that are so in the last."""
        thirds = np.array_split(generate(kind, 60_000, 1000, 3).keys, 3)
        top = [set(np.argsort(-np.bincount(part.astype(np.int64)), kind="stable")[:100].tolist()) for part in thirds]
        return len(top[0] & top[2]) / 100

    assert overlap("zipf") > 0.8
    assert overlap("drift") < 0.7
    assert overlap("churn") == 0


def test_scans_and_loops() -> None:
    """Red: scans come back (then they are loops), or loops are not cyclic."""
    scan = generate("scan", 20_000, 400, 5).keys
    cold = scan[scan >= 400]
    assert 0.15 < len(cold) / len(scan) <= 0.2 and len(np.unique(cold)) == len(cold)
    assert np.all(np.diff(cold.astype(np.int64)) == 1)
    loop = generate("loop", 20_000, 400, 5).keys.astype(np.int64)
    turns = loop[loop >= 200]
    assert 0.4 < len(turns) / len(loop) < 0.6
    assert np.array_equal(turns, 200 + np.arange(len(turns)) % 200)


def test_wrong_parameters_are_named() -> None:
    """Red: a wrong kind or number ends in a traceback or an empty trace."""
    with pytest.raises(UserError, match="no generator storm; known are zipf"):
        generate("storm", 1, 1, 1)  # type: ignore[arg-type]
    for numbers in ((0, 1, 1), (1, 0, 1), (1, 1, -1)):
        with pytest.raises(UserError, match="at least 1"):
            generate("zipf", *numbers)
    with pytest.raises(UserError, match="no sizes normal"):
        generate("zipf", 1, 1, 1, sizes="normal")  # type: ignore[arg-type]
