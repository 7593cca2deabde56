"""Limits and outcomes: what the ledger keeps is what was measured."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unseat import Limits, Outcome, Status

seconds = st.floats(1e-6, 1e9)
counts = st.integers(1, 2**62)
numbers = st.floats(allow_nan=False)
LIMITS = st.builds(
    Limits, wall_s=st.none() | seconds, cpu_s=st.none() | seconds, memory=st.none() | counts,
    threads=st.none() | counts, policy_bytes=st.none() | counts, runs=st.none() | counts, tokens=st.none() | counts,
    dollars=st.none() | seconds,
)  # fmt: skip
OUTCOMES = st.builds(
    Outcome, value=numbers, status=st.sampled_from(Status), decisions=st.integers(0, 2**62), start_s=numbers,
    decide_s=st.none() | numbers, learn_s=numbers, wall_s=numbers, cpu_s=numbers,
    metrics=st.dictionaries(st.text(), numbers), progress=st.lists(st.tuples(numbers, numbers)).map(tuple),
    message=st.text(),
)  # fmt: skip


@given(LIMITS)
def test_limits_survive_json(limits: Limits) -> None:
    """Red: a job that goes through the ledger or to a worker runs under other limits."""
    assert Limits.from_json(json.loads(json.dumps(limits.to_json()))) == limits


@given(OUTCOMES)
def test_outcome_survives_json(outcome: Outcome) -> None:
    """Red: an outcome that comes back from a child process or the ledger is not the one that was measured."""
    assert Outcome.from_json(json.loads(json.dumps(outcome.to_json()))) == outcome


@pytest.mark.parametrize("name", ["wall_s", "cpu_s", "memory", "threads", "policy_bytes", "runs", "tokens", "dollars"])
@pytest.mark.parametrize("value", [0, -1, math.nan])
def test_limit_of_nothing_is_refused(name: str, value: float) -> None:
    """Red: a limit of zero is taken, and every run times out without a word why."""
    limit: dict[str, Any] = {name: value}
    with pytest.raises(ValueError, match=name):
        Limits(**limit)


def test_unset_limits_are_not_written() -> None:
    """Red: a new kind of limit changes the key of every run that was ever made without it."""
    assert Limits(threads=None).to_json() == {}
    assert Limits(wall_s=1.5).to_json() == {"wall_s": 1.5, "threads": 1}


def test_limits_are_only_ever_shortened() -> None:
    """Red: what an instance gives lengthens a person's own limit, or does not bind where there is none."""
    assert Limits(wall_s=5.0, memory=9).within(2.0) == Limits(wall_s=2.0, memory=9)
    assert Limits(wall_s=1.0).within(2.0) == Limits(wall_s=1.0)
    assert Limits().within(2.0) == Limits(wall_s=2.0) and Limits().within(math.inf) == Limits()


@given(decide_s=st.floats(1e-9, 1e6), decisions=st.integers(1, 10**12))
def test_time_of_a_decision_is_the_mean(decide_s: float, decisions: int) -> None:
    """Red: the column of decision times is not in nanoseconds a decision."""
    outcome = Outcome(1.0, decisions=decisions, decide_s=decide_s)
    assert outcome.decide_ns is not None
    assert math.isclose(outcome.decide_ns * decisions, decide_s * 1e9)


def test_time_of_a_decision_is_unknown_where_none_was_timed() -> None:
    """Red: a fused policy, whose decisions cannot be told from the engine, is shown with a time of zero."""
    assert Outcome(1.0, decisions=10).decide_ns is None
    assert Outcome(1.0, decide_s=1.0).decide_ns is None
