"""Whole answers: what is reported survives, what counts is stored, and a replay scores it again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from examples.tiny_answers.task import LocalSearch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from tests.lab.answering import Solver, Solving, solutions

from unseat import Answers, InvalidAnswer, Limits, Outcome, Role, Status
from unseat.core.policy import Artefact
from unseat.lab.attempt import attempt
from unseat.lab.evaluate import evaluate
from unseat.lab.executors import Done, Serial
from unseat.lab.ledger import Ledger
from unseat.lab.records import Job
from unseat.lab.replay import replay
from unseat.lab.reports import MOST, Reports, answer_of
from unseat.lab.store import ArtefactStore
from unseat.testing.base import content

SOLVING, SLOW = (f"tests.lab.answering:{name}" for name in ("Solving", "SlowlyScored"))
TASK = Solving()
INSTANCE = TASK.instances()[-1]
FIRST, SECOND = (attempt(TASK, INSTANCE, TASK.contenders()[name].make(), seed=0, limits=Limits()).value  # type: ignore[arg-type]
                 for name in ("in order", "longest first"))  # fmt: skip
WORST = 8.0


@pytest.fixture
def store(tmp_path: Path) -> ArtefactStore:
    return ArtefactStore(tmp_path / "store")


@pytest.fixture
def serial(store: ArtefactStore) -> Iterator[Serial]:
    with Serial(store.root) as made:
        yield made


def solved(serial: Serial, store: ArtefactStore, how: str, limits: Limits, task: str = SOLVING) -> Done:
    artefact = store.put(Solver(how, how).artefact)
    (done,) = serial.map([Job(task, INSTANCE.id, how, Role.CHALLENGER, artefact, 0, limits)])
    return done


def outcome_of(done: Done) -> Outcome:
    assert done.outcome is not None
    return done.outcome


@pytest.mark.parametrize(
    ("how", "limits"),
    [
        ("hangs", Limits(wall_s=0.4)),
        ("deaf", Limits(wall_s=0.4)),
        ("stubborn", Limits(wall_s=0.4)),
        ("late", Limits(wall_s=0.4)),
        ("tardy", Limits(wall_s=0.4)),
    ],
)
def test_at_the_deadline_the_last_valid_report_counts(
    serial: Serial, store: ArtefactStore, how: str, limits: Limits
) -> None:
    """Red: a solver that runs out of time loses what it had found, even if its process must be killed, or a report
    that is no answer or comes late counts."""
    done = solved(serial, store, how, limits)
    outcome = outcome_of(done)
    values = [value for _, value in outcome.progress]
    assert outcome.status is Status.OK, outcome.message
    assert values[:2] == [FIRST, SECOND]
    assert outcome.value == (FIRST if how == "stubborn" else SECOND)
    assert all(0 <= second <= 0.4 for second, _ in outcome.progress)
    assert done.answer and done.answer in store


def test_timeout_only_without_a_report(serial: Serial, store: ArtefactStore) -> None:
    """Red: a solver that found nothing in time counts as one that did."""
    done = solved(serial, store, "never", Limits(wall_s=0.3))
    assert (outcome_of(done).status, outcome_of(done).value, done.answer) == (Status.TIMEOUT, WORST, None)


@pytest.mark.parametrize(
    ("how", "status", "message"),
    [
        ("bad_last", Status.INVALID, "an integer for each of the 60 jobs"),
        ("not_json", Status.INVALID, "an answer is JSON and arrays of numbers"),
        ("crashes", Status.CRASHED, "this solver is broken"),
        ("dies", Status.CRASHED, "exit code 3"),
    ],
)
def test_a_failure_after_a_report_is_a_failure(
    serial: Serial, store: ArtefactStore, how: str, status: Status, message: str
) -> None:
    """Red: a solver that crashes or ends with nonsense is saved by what it reported before."""
    done = solved(serial, store, how, Limits(wall_s=60))
    outcome = outcome_of(done)
    assert (outcome.status, outcome.value, done.answer) == (status, WORST, None)
    assert message in outcome.message
    assert [value for _, value in outcome.progress] == [FIRST, SECOND], "what it found is still told"


def test_an_answer_is_what_it_was_when_it_was_reported(serial: Serial, store: ArtefactStore) -> None:
    """Red: a solver may change an answer after it was stamped; or None after reports is no answer."""
    assert outcome_of(solved(serial, store, "spoils", Limits(wall_s=60))).value == SECOND


def test_the_last_answer_counts_and_not_the_best(serial: Serial, store: ArtefactStore) -> None:
    """Red: a solver is given the best of its guesses, as if it had known which one that is."""
    outcome = outcome_of(solved(serial, store, "answers", Limits(wall_s=60)))
    assert outcome.value == FIRST > SECOND
    assert (outcome.decisions, len(outcome.progress)) == (1, 3)


def test_scoring_is_not_on_the_clock(serial: Serial, store: ArtefactStore) -> None:
    """Red: a scorer that is slow is killed as if it were the policy, or its time is charged to the policy."""
    outcome = outcome_of(solved(serial, store, "hangs", Limits(wall_s=0.3), SLOW))
    assert (outcome.status, outcome.value) == (Status.OK, SECOND)
    assert outcome.wall_s < 1.5, "three answers take 4.5 s to score"


def test_a_scorer_may_use_up_the_answer() -> None:
    """Red: a scorer that sorts or empties an answer changes what is stored, so that a replay scores another."""

    class Sorts(Solving):
        def score(self, problem: Any, answer: Any) -> Outcome:
            outcome = super().score(problem, answer)
            answer.sort()
            return outcome

    outcome = attempt(Sorts(), INSTANCE, Solver("x", "answers"), seed=0, limits=Limits())
    assert TASK.score(TASK.load(INSTANCE), outcome.answer).value == outcome.value == FIRST


def test_reports_leave_no_files(serial: Serial, store: ArtefactStore) -> None:
    """Red: every run leaves what it reported behind."""
    solved(serial, store, "hangs", Limits(wall_s=0.3))
    solved(serial, store, "deaf", Limits(wall_s=0.3))
    assert not list(Path(serial._scratch.name).iterdir())


def test_nothing_is_reported_once_the_clock_has_stopped() -> None:
    """Red: a policy that goes on when it is told to stop has longer than the others."""
    reports = Reports()
    reports.add(1)
    reports.close()
    reports.add(2)
    assert [answer_of(data) for _, data in reports.in_time(Limits())[0]] == [1]


def test_reports_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: a policy that reports without end keeps the scorer busy for ever, or loses the newest of its answers."""
    monkeypatch.setattr("unseat.lab.reports.MOST", 3)
    reports = Reports(tmp_path / "reports")
    for number in range(6):
        reports.add("x" * number)
        assert Reports.read(tmp_path / "reports").kept == reports.kept, "a kill at any moment loses nothing"
    assert [answer_of(data) for _, data in reports.kept] == ["", "x", "xxxxx"]


def test_a_solver_that_gets_better_all_the_time_is_no_failure(serial: Serial, store: ArtefactStore) -> None:
    """Red: more reports than are kept make a run fail, or an old one of them counts."""
    outcome = outcome_of(solved(serial, store, "eager", Limits(wall_s=60)))
    assert (outcome.status, outcome.value) == (Status.OK, SECOND)
    assert len(outcome.progress) == MOST - 1, "one of its reports is no answer"


def test_what_a_policy_made_of_its_file_stops_nobody(serial: Serial, store: ArtefactStore, tmp_path: Path) -> None:
    """Red: a policy that puts a pipe or nonsense in the place of its reports holds up the experiment for ever."""
    assert outcome_of(solved(serial, store, "pipes", Limits(wall_s=60))).status is Status.CRASHED
    (tmp_path / "odd").write_bytes(b"\xff" * 100)
    assert Reports.read(tmp_path / "odd").kept == []


def test_a_report_that_was_cut_short_is_none(tmp_path: Path) -> None:
    """Red: a kill in the middle of a report loses those before it, or gives half an answer."""
    whole = Reports(tmp_path / "reports")
    for answer in ([1], {"x": np.arange(3)}):
        whole.add(answer)
    data = (tmp_path / "reports").read_bytes()
    kept, late = whole.in_time(Limits())
    assert [content(answer_of(answer)) for _, answer in kept] == [
        content([1]),
        content({"x": np.arange(3)}),
    ] and not late
    for size in range(len(data)):
        (tmp_path / "cut").write_bytes(data[:size])
        found = Reports.read(tmp_path / "cut").kept
        assert found == whole.kept[: len(found)] and len(found) < 2
    assert Reports.read(tmp_path / "reports").kept == whole.kept
    assert Reports.read(tmp_path / "nowhere").kept == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=5)
    | arrays.arrays(st.sampled_from("bBhHiIlLfd?"), arrays.array_shapes(max_dims=3, min_side=0)),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=5), part, max_size=3),
    max_leaves=6,
)  # fmt: skip


@given(JSON)
def test_an_answer_comes_back_as_it_was(answer: Any) -> None:
    """Red: what is scored, stored or replayed is not what was answered."""
    reports = Reports()
    reports.add(answer)
    [(_, data)], _ = reports.in_time(Limits())
    assert content(answer_of(data)) == content(answer)
    assert content(Answers("x", {"i": answer}).artefact.restore().of("i")) == content(answer)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "answer", [{1, 2}, {1: 2}, b"x", np.array(["a"]), np.array([None]), {"__array__": "0"}, object()]
)
def test_what_is_not_data_is_no_answer(answer: Any) -> None:
    """Red: an answer that cannot be stored is scored, or stops the experiment."""
    with pytest.raises(InvalidAnswer, match="an answer is JSON and arrays of numbers"):
        Reports().add(answer)


def test_a_solution_file_is_a_policy(tmp_path: Path) -> None:
    """Red: a solution file is not scored, loses an answer on disk, or counts where it has no answer."""
    Answers("file", solutions(TASK)).artefact.save(tmp_path / "file")
    policy = Artefact.load(tmp_path / "file").restore()
    outcome = attempt(TASK, INSTANCE, policy, seed=0, limits=Limits())
    assert outcome.value == TASK.score(TASK.load(INSTANCE), solutions(TASK)[INSTANCE.id]).value
    other = attempt(TASK, replace(INSTANCE, id="other"), policy, seed=0, limits=Limits())
    assert other.status is Status.INVALID and other.message == "file holds no answer for other"


def test_a_run_keeps_its_answer_and_replay_scores_it(tmp_path: Path) -> None:
    """Red: a solver that depends on the clock cannot be replayed, or a changed answer or score goes unnoticed."""
    with Ledger.open(str(tmp_path / "ledger.db")) as ledger:
        results = evaluate(SOLVING, contenders=["hangs", "file", "local search", "crashes"], time_limit=0.3, jobs=2,
                           ledger=ledger)  # fmt: skip
        runs = {run.contender: run for run in results.runs if run.instance == INSTANCE.id}
        stored = ledger.find(runs["hangs"].key)
        assert stored.answer == runs["hangs"].answer
        found = replay(stored, ledger)
        assert found.equal and found.stored.value == found.again.value == SECOND
        assert found.again.wall_s < 0.3, "the policy itself was not run again"
        assert replay(runs["file"], ledger).equal
        assert replay(runs["local search"], ledger).equal
        assert replay(runs["crashes"], ledger).equal, "it crashes again"
        assert stored.answer is not None
        answers = ledger.store.get(stored.answer).restore()
        assert isinstance(answers, Answers)
        assert TASK.score(TASK.load(INSTANCE), answers.of(INSTANCE.id)).value == SECOND
        wrong = replace(stored, outcome=replace(stored.outcome, value=SECOND + 1e-9))
        assert not replay(wrong, ledger).equal
        assert {run.key: run.answer for run in results.runs} == {run.key: run.answer for run in ledger.last().runs}


def test_a_better_solver_wins_by_its_last_report(tmp_path: Path) -> None:
    """Red: an anytime solver is not compared by what it had at its limit."""
    short, long = (attempt(TASK, INSTANCE, LocalSearch("x", 10**9), seed=1, limits=Limits(wall_s=wall)) for wall in
                   (1e-9, 0.3))  # fmt: skip
    assert short.status is Status.TIMEOUT
    assert long.value < SECOND and long.progress[0][1] == SECOND
    assert [value for _, value in long.progress] == sorted((value for _, value in long.progress), reverse=True)
