"""The engine: what it draws, what it times, and that no wrong answer or hidden byte passes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from tests.tasks.index import cheats
from tests.tasks.index.cheats import Playing, Windowed

from unseat.core.errors import ContractError
from unseat.core.outcome import Limits
from unseat.core.policy import DeadlineReached, InvalidAnswer, Policy, Session, View
from unseat.structures.codes import codes
from unseat.structures.search import plain_search
from unseat.tasks.index import engine
from unseat.tasks.index.policies import Built, Library, Whole
from unseat.tasks.index.problem import KeySet, Problem, drawn
from unseat.tasks.index.suites import prepared
from unseat.tasks.index.task import IndexTask

LIMITS = Limits()


def problem(keys: NDArray[np.generic] | None = None, budget: int = 4000, lookups: int = 500) -> Problem:
    return Problem(KeySet((np.arange(3000) * 3).astype(np.uint64) if keys is None else keys), budget, lookups)


@pytest.mark.parametrize("policy", [Playing(cheats.honest), Built("a", "interleaved"), Library("b"), Whole("c")])
@pytest.mark.parametrize("kind", ["u8", "i8", "f8"])
def test_right_answers_are_timed_in_every_form(policy: Policy, kind: str) -> None:
    """Red: an index that answers rightly is refused, or its time, bytes or build are not told."""
    keys = (np.arange(3000) ** 2 - (1000 if kind != "u8" else 0)).astype(kind)
    outcome = IndexTask().run(problem(keys), policy, seed=0, limits=LIMITS)
    assert outcome.value > 0
    assert outcome.decisions == 500 * 5
    assert outcome.metrics["keys"] == 3000
    assert outcome.metrics["bytes"] <= 4000
    assert outcome.metrics["build_ns_a_key"] == pytest.approx(outcome.start_s * 1e9 / 3000)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (cheats.off_by_one, "1 of 500 answers are wrong"),
        (cheats.floats, "not an integer for each"),
        (cheats.short, "not an integer for each"),
        (cheats.nothing, "NoneType"),
        (cheats.sorting_queries, "answers are wrong"),
        (cheats.Remembering(), "answers are wrong"),
    ],
)
def test_wrong_answers_do_not_count(answer: object, message: str) -> None:
    """Red: a policy is timed for something else than looking the given keys up."""
    with pytest.raises(InvalidAnswer, match=message):
        IndexTask().run(problem(), Playing(answer), seed=0, limits=LIMITS)  # type: ignore[arg-type]


def test_lookups_are_not_changed_by_whoever_answers_them() -> None:
    """Red: one policy's scribbling makes the lookups of the next ones easier, or wrong."""
    shared = problem()
    with pytest.raises(InvalidAnswer):
        IndexTask().run(shared, Playing(cheats.sorting_queries), seed=0, limits=LIMITS)
    assert IndexTask().run(shared, Playing(cheats.honest), seed=0, limits=LIMITS).value > 0
    assert len(np.unique(shared.passes(0)[0][0])) > 100


def test_the_keys_cannot_be_written() -> None:
    """Red: a policy can make the array one that is easy to search."""
    with pytest.raises(ValueError, match="read-only"):
        IndexTask().run(problem(), Playing(cheats.writing_keys), seed=0, limits=LIMITS)


def test_the_array_behind_the_keys_is_the_policys_own() -> None:
    """Red: a policy writes through ``.base``, and lookups are drawn from the keys that it has made easy."""
    shared = problem()
    before = shared.set.digest()
    with pytest.raises(InvalidAnswer, match="answers are wrong"):
        IndexTask().run(shared, cheats.Behind(), seed=0, limits=LIMITS)
    assert shared.set.digest() == before
    assert IndexTask().run(shared, Playing(cheats.honest), seed=0, limits=LIMITS).value > 0


def test_a_kernel_that_writes_over_the_keys_harms_itself_alone() -> None:
    """Red: a fused kernel makes lookups wrong for those that come after it."""
    shared = problem()
    session = Session()
    session.kernel = cheats.writing_given, ()
    with pytest.raises(InvalidAnswer, match="answers are wrong"):
        engine.clock(shared, engine.answerer(shared, session, Built.form), 0)
    assert shared.keys.any()


@pytest.mark.parametrize("nbytes", [None, -1, 1.5, True, "8"])
def test_a_session_tells_its_bytes(nbytes: object) -> None:
    """Red: who says nothing of its bytes holds none, and gets a point of every frontier."""
    with pytest.raises(InvalidAnswer, match="nbytes is"):
        IndexTask().run(problem(), Playing(cheats.honest, nbytes=nbytes), seed=0, limits=LIMITS)  # type: ignore[arg-type]
    session = Session()
    with pytest.raises(InvalidAnswer, match="nbytes is None"):
        engine.held(problem(), session, Playing.form, False)


def test_what_is_compiled_into_a_kernel_counts() -> None:
    """Red: a table in a closure or a global is free, whatever its size."""
    keys = (np.arange(3000) * 3).astype(np.uint64)
    nothing = np.zeros(1, np.int64)
    for every, nbytes in ((16, 8 + 8 * 188), (4, None)):
        policy = Windowed(cheats.sampling(keys, every), lambda view: (nothing,))
        if nbytes is None:
            with pytest.raises(InvalidAnswer, match="holds 6,008 bytes"):
                IndexTask().run(problem(keys), policy, seed=0, limits=LIMITS)
        else:
            assert IndexTask().run(problem(keys), policy, seed=0, limits=LIMITS).metrics["bytes"] == nbytes
    with pytest.raises(InvalidAnswer, match="holds 8,008 bytes"):
        IndexTask().run(problem(), Windowed(cheats.outer, lambda view: (nothing,)), seed=0, limits=LIMITS)


def test_who_claims_to_be_a_copy_of_the_keys_is_none() -> None:
    """Red: a stranger's policy is let off the budget by an attribute that only the built-in layouts have."""

    class Claiming(Windowed):
        form, copies = Built.form, True

    policy = Claiming(plain_search, lambda view: (np.zeros(501, np.int64),))
    with pytest.raises(InvalidAnswer, match="its budget is 4,000"):
        IndexTask().run(problem(), policy, seed=0, limits=LIMITS)


def test_answers_that_were_not_given_are_wrong() -> None:
    """Red: a kernel that writes nothing in a pass lives on the answers of the one before."""
    turns = []

    def once(keys: object, queries: NDArray[np.generic], out: NDArray[np.int64]) -> None:
        turns.append(1)
        if len(turns) <= 2:
            out[:] = np.searchsorted(sought.keys, queries)

    sought = problem()
    session = Session()
    session.kernel = once, ()
    with pytest.raises(InvalidAnswer, match="is -1"):
        engine.clock(sought, engine.answerer(sought, session, Built.form), 0)


def test_bytes_over_the_budget_do_not_count() -> None:
    """Red: a challenger gets a point of the frontier with another one's memory."""
    for policy in (
        Playing(cheats.honest, nbytes=4001),
        Windowed(cheats.narrow, lambda view: (np.zeros(501, np.int64),)),
    ):
        with pytest.raises(InvalidAnswer, match="its budget is 4,000"):
            IndexTask().run(problem(), policy, seed=0, limits=LIMITS)
    outcome = IndexTask().run(problem(), Built("e", "eytzinger"), seed=0, limits=LIMITS)
    assert outcome.metrics["bytes"] > 4000


def test_a_strangers_windows_are_searched() -> None:
    """Red: compiled policies get a wrong code, or windows are not searched to the end."""

    def sampled(view: View) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        return codes(view.facts["keys"])[::50].copy(), np.array([50])

    for kind in ("u8", "i8", "f8"):
        keys = np.repeat(np.arange(3000) - (0 if kind == "u8" else 1500), 2).astype(kind)
        outcome = IndexTask().run(problem(keys), Windowed(cheats.steps, sampled), seed=0, limits=LIMITS)
        assert outcome.metrics["bytes"] == 8 * 121


def test_a_window_without_the_answer_is_wrong() -> None:
    """Red: the engine mends a model that errs beyond what it says."""
    policy = Windowed(cheats.narrow, lambda view: (np.array([10, 20]),))
    with pytest.raises(InvalidAnswer, match="answers are wrong"):
        IndexTask().run(problem(), policy, seed=0, limits=LIMITS)
    outside = Windowed(cheats.narrow, lambda view: (np.array([-(10**9), 10**9]),))
    assert IndexTask().run(problem(), outside, seed=0, limits=LIMITS).value > 0


def test_a_session_without_a_kernel_breaks_the_contract() -> None:
    """Red: a plug-in's mistake ends in an AttributeError."""
    with pytest.raises(ContractError, match="has no kernel"):
        engine.answerer(problem(), Session(), Built.form)


def test_a_run_ends_at_its_time_limit() -> None:
    """Red: a policy that takes seconds for a batch holds the whole experiment up."""
    with pytest.raises(DeadlineReached, match="after 1 of 5 passes"):
        IndexTask().run(problem(), Playing(cheats.late), seed=0, limits=Limits(wall_s=0.01))


KEYS = st.sampled_from(["u8", "i8", "f8", "u4", "i4", "f4"]).flatmap(
    lambda kind: arrays(kind, st.integers(1, 30), elements={"allow_nan": False} if kind[0] == "f" else None)
)


@settings(deadline=None, max_examples=60)
@given(KEYS, st.integers(0, 3))
def test_every_key_type_and_edge_can_be_drawn(keys: NDArray[np.generic], seed: int) -> None:
    """Red: extremes of a type, equal keys or a single one break the draw, or an exact answer is none."""
    kept = KeySet(prepared(keys, "keys")[0])
    for queries, answers in drawn(kept, 64, seed):
        assert queries.dtype == kept.keys.dtype
        assert not np.any(queries != queries)
        slow = [sum(bool(key < query) for key in kept.keys) for query in queries]
        assert answers.tolist() == slow


def test_half_of_the_lookups_are_of_absent_keys() -> None:
    """Red: only what is there is looked up, or the passes repeat each other, or a seed is no seed."""
    keys = KeySet(np.arange(10_000) * 10**5)
    first, again, other = drawn(keys, 4000, 0), drawn(KeySet(keys.keys), 4000, 0), drawn(keys, 4000, 1)
    absent = ~np.isin(first[0][0], keys.keys)
    assert 0.45 < absent.mean() < 0.55
    assert np.array_equal(first[0][0], again[0][0])
    assert not np.array_equal(first[0][0], other[0][0])
    assert not np.array_equal(first[0][0], first[1][0])
    assert {0, 10_000} <= set(first[0][1].tolist())


def test_a_failure_is_worse_than_waiting_for_memory_at_every_step() -> None:
    """Red: to fail pays."""
    assert problem().worst == pytest.approx(100 * np.log2(3001))
    assert IndexTask().objective.failure(None, LIMITS) == 2500
