"""Shortest remaining processing time first, beside its definition."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from unseat.core.srpt import srpt

SEEDS = st.integers(0, 2**32 - 1)


def jobs_of(seed: int) -> tuple[list[int], list[int]]:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 9))
    return np.sort(rng.integers(0, 40, count)).tolist(), rng.integers(1, 12, count).tolist()


def one_by_one(arrivals: list[int], lengths: list[int], shortest: bool, seed: int) -> list[int]:
    """Ends of jobs on one machine, unit of time by unit of time: the shortest of those that wait, or any."""
    rng, left, ends, now = np.random.default_rng(seed), list(lengths), [], 0
    while any(left):
        waiting = [job for job, when in enumerate(arrivals) if when <= now and left[job]]
        now += 1
        if waiting:
            job = min(waiting, key=lambda one: left[one]) if shortest else int(rng.choice(waiting))
            left[job] -= 1
            ends += [now] * (left[job] == 0)
    return ends


@settings(max_examples=200, deadline=None)
@given(SEEDS)
def test_srpt_is_its_definition_and_the_soonest(seed: int) -> None:
    """Red: the shortest job does not go first, or some other order has completed more jobs at some moment."""
    arrivals, lengths = jobs_of(seed)
    found = srpt(np.array(arrivals, float), np.array(lengths, float)).tolist()
    assert found == one_by_one(arrivals, lengths, True, seed)
    any_order = one_by_one(arrivals, lengths, False, seed)
    assert all(soonest <= end for soonest, end in zip(found, any_order, strict=True))
