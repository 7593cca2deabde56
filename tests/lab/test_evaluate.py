"""Whole experiments on a tiny task: what is run, what is kept, what is chosen and what is refused."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from unseat.core import registry
from unseat.core.errors import UserError
from unseat.core.outcome import Status
from unseat.lab.evaluate import compare, evaluate
from unseat.lab.experiment import ROUNDS
from unseat.lab.ledger import Ledger
from unseat.lab.records import Results
from unseat.lab.replay import replay

TINY = "tests.lab.tiny:TinyTask"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Results, Path]:
    path = tmp_path_factory.mktemp("whole") / "ledger.db"
    return evaluate(TINY, ledger=str(path)), path


def test_everything_is_measured_once(whole: tuple[Results, Path]) -> None:
    """Red: a contender, an instance or the choice on valid is left out of an experiment."""
    results, _ = whole
    judged = {(run.contender, run.instance) for run in results.runs if run.split == "test"}
    names = {"zero", "three", "tuned", "learned", "nine", "bound"}
    assert judged == {(name, instance) for name in names for instance in ("dog-0", "eel-0")}
    assert {run.contender for run in results.runs if run.split == "valid"} == {"zero", "three", "tuned", "learned"}
    assert (results.incumbent, results.challenger, results.bound) == ("three", "learned", "bound")
    assert [one.a for one in results.comparisons] == ["learned", "tuned"]
    assert "no_such_module_at_all" in results.skipped["lacking"]
    assert not results.failed and not results.violations


def test_a_costly_contender_is_left_to_its_suites(tmp_path: Path) -> None:
    """Red: the quick suite runs what only the full one has time for, or does not run what is asked for by name."""
    costly, path = "tests.lab.tiny:Costly", str(tmp_path / "ledger.db")
    quick = evaluate(costly, ledger=path)
    assert {run.contender for run in quick.runs} == {"three"}
    assert quick.skipped == {"learned": "in suite full only; --contenders 'learned' asks for it"}
    for results in (evaluate(costly, ledger=path, contenders=["learned", "three"]),
                    evaluate(costly, ledger=path, suite="full")):  # fmt: skip
        assert {run.contender for run in results.runs} == {"three", "learned"} and not results.skipped


def test_what_the_ledger_holds_is_not_run_again(whole: tuple[Results, Path]) -> None:
    """Red: an experiment does its work twice, or a second one sees other outcomes than the first."""
    results, path = whole
    stages: list[tuple[str, int, int]] = []
    again = evaluate(TINY, ledger=str(path), progress=lambda *step: stages.append(step))
    assert stages == [("fit", 2, 2), ("run", 10, 10)]
    assert [run.outcome for run in again.runs] == [run.outcome for run in results.runs]


def test_the_newest_experiment_is_remembered_whole(whole: tuple[Results, Path]) -> None:
    """Red: report and export, which read the ledger, show something else than the experiment gave."""
    results, path = whole
    with Ledger.open(str(path)) as ledger:
        last = ledger.last("tiny")
        assert ledger.latest() == [last]
    assert replace(last, runs=(), fits=()) == replace(results, runs=(), fits=())
    assert [run.to_json() for run in last.runs] == [run.to_json() for run in results.runs]
    assert [fit.key for fit in last.fits] == [fit.key for fit in results.fits]


def test_a_wrong_request_gets_one_line_with_a_hint(tmp_path: Path) -> None:
    """Red: a typing error ends in a traceback, or in silence."""
    ledger = str(tmp_path / "ledger.db")
    for wrong, line in (
        ({"suite": "quik"}, "did you mean quick"),
        ({"split": "tests"}, "did you mean test"),
        ({"contenders": ["lerned"]}, "did you mean learned"),
        ({"budget": 0.0}, "--budget is 0 s"),
        ({"time_limit": -1.0}, "--time-limit is -1 s"),
        ({"seeds": 0}, "--seeds is 0"),
        ({"jobs": 0}, "--jobs is 0"),
        ({"folds": 1}, "folds need two or more"),
        ({"data": str(tmp_path / "none")}, "No such file"),
    ):
        with pytest.raises(UserError, match=line) as caught:
            evaluate(TINY, ledger=ledger, **wrong)
        assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match="there is no task"):
        evaluate("no-such-task", ledger=ledger)
    with pytest.raises(UserError, match=r"package\.module:attribute"):
        evaluate("no_such_module:task", ledger=ledger)


def test_compare_runs_what_is_missing(tmp_path: Path) -> None:
    """Red: `unseat compare` needs a run beforehand, or hides that a contender was not measured."""
    ledger = str(tmp_path / "ledger.db")
    found = compare(TINY, "nine", "zero", ledger=ledger)
    assert (found.a, found.b, found.instances) == ("nine", "zero", 2)
    assert found.gap_closed is not None
    with pytest.raises(UserError, match="lacking was not measured: needs no_such_module_at_all"):
        compare(TINY, "lacking", "zero", ledger=ledger)
    with pytest.raises(UserError, match="no contender 'bound' to compare"):
        compare(TINY, "bound", "zero", ledger=ledger)


def test_failing_policies_count_with_their_failure_value(tmp_path: Path) -> None:
    """Red: a policy that fails is dropped from the means, or stops the experiment."""
    results = evaluate("tests.lab.tiny:Troubled", ledger=str(tmp_path / "ledger.db"), jobs=2)
    failed = {run.contender: (run.outcome.status, run.outcome.value) for run in results.failed}
    assert failed == {"raise": ("crashed", 30.0), "exit": ("crashed", 30.0), "range": ("invalid", 30.0)}
    compared = {one.a: one.instances for one in results.comparisons}
    assert compared == {"raise": 2, "range": 2, "exit": 2, "print": 2}
    assert results.challenger == "print"


def test_a_fit_that_gave_nothing_counts_as_failure(tmp_path: Path) -> None:
    """Red: a learner that finds no policy in its time is dropped from the page."""
    results = evaluate("tests.lab.tiny:Slow", contenders=["silent", "fails"], budget=0.3, ledger=str(tmp_path / "l.db"))
    assert {(fit.contender, fit.status) for fit in results.fits} == {("silent", "timeout"), ("fails", "crashed")}
    with Ledger.open(str(tmp_path / "l.db")) as ledger:
        by_name = {fit.contender: fit for fit in results.fits}
        assert ledger.fitted(by_name["fails"]).fit["train_groups"] == ["ant", "bee"]  # type: ignore[index]
        with pytest.raises(UserError, match="the fit of silent gave no policy"):
            ledger.fitted(by_name["silent"])
    values = {(run.contender, run.outcome.status): run.outcome.value for run in results.runs if run.instance == "dog-0"}
    assert values[("silent", Status.CRASHED)] == 30.0
    assert values[("fails", Status.OK)] < 30.0, "what it had proposed before it failed"


def test_a_crashed_fit_is_tried_again_and_no_other(tmp_path: Path) -> None:
    """Red: a crash that was the machine's fault is held against a learner for ever, or a limit is tried again."""
    ledger = str(tmp_path / "ledger.db")
    first, second, third = (
        evaluate("tests.lab.tiny:Slow", contenders=["silent", "fails"], budget=0.3, ledger=ledger) for _ in range(3)
    )
    keys = [{fit.contender: fit.key for fit in results.fits} for results in (first, second, third)]
    assert len({one["fails"] for one in keys}) == 3, "every attempt is in the ledger"
    assert len({one["silent"] for one in keys}) == 1
    with Ledger.open(ledger) as book:
        assert all(book.fit(one["fails"]).status == "crashed" for one in keys)


def test_a_learner_that_lacks_a_part_is_skipped_and_not_remembered(tmp_path: Path) -> None:
    """Red: a missing extra stops the experiment, or counts as a failed fit for ever."""
    ledger = str(tmp_path / "ledger.db")
    stages: list[tuple[str, int, int]] = []
    for _ in range(2):
        results = evaluate("tests.lab.tiny:Slow", contenders=["lacks"], ledger=ledger,
                           progress=lambda *step: stages.append(step))  # fmt: skip
        assert results.skipped == {"lacks": "needs a part: pip install it"}
        assert not results.fits and not results.runs
    assert stages.count(("compile", 1, 1)) == 2, "it was tried again"


def test_folds_fit_anew_and_judge_everything(tmp_path: Path) -> None:
    """Red: with folds a policy is judged on groups it has seen, or a group is never judged."""
    results = evaluate(TINY, folds=5, suite="full", ledger=str(tmp_path / "ledger.db"))
    fits = {fit.key: fit for fit in results.fits}
    judged = [run for run in results.runs if run.split == "test" and run.contender == "learned"]
    assert sorted(run.instance for run in judged) == sorted(one.id for one in registry.task(TINY).instances())
    assert {run.fold for run in judged} == set(range(5))
    assert all(run.group not in fits[str(run.fit)].groups for run in judged)
    assert results.comparisons[0].groups == 5
    assert "pooled" in results.choice


def test_a_users_data_is_judged_by_what_the_built_in_data_taught(tmp_path: Path) -> None:
    """Red: with `--data` learners learn from the user's own data, or something is left out of it."""
    mine = tmp_path / "numbers.txt"
    mine.write_text("7 8 7 8\n")
    results = evaluate(TINY, data=str(mine), ledger=str(tmp_path / "ledger.db"))
    judged = {run.contender: run for run in results.runs if run.split == "test"}
    assert {run.instance for run in judged.values()} == {"own"}
    assert judged["nine"].outcome.value == 2.5
    assert all(set(fit.groups) == {"ant", "bee", "cat"} for fit in results.fits)
    assert results.incumbent == "three" and "built-in validation instances" in results.choice


def test_a_shipped_policy_is_used_unless_one_retrains(tmp_path: Path) -> None:
    """Red: a shipped policy is fitted anew each time, or `--retrain` does nothing."""
    ledger = str(tmp_path / "ledger.db")
    assert not evaluate("tests.lab.tiny:Shipping", ledger=ledger).fits
    retrained = evaluate("tests.lab.tiny:Shipping", ledger=ledger, retrain=True)
    assert [fit.contender for fit in retrained.fits] == ["shipped"]


def test_a_policy_is_refused_on_what_it_was_fitted_on(tmp_path: Path) -> None:
    """Red: a policy is judged on its own training data."""
    ledger = str(tmp_path / "ledger.db")
    results = evaluate("tests.lab.tiny:Shipping", split="train", ledger=ledger)
    assert [run.instance for run in results.runs if run.contender == "shipped" and run.split == "train"] == ["bee-0"]
    assert results.skipped["shipped"] == "refused on its training groups: ant"
    assert results.comparisons[0].instances == 1
    same = tmp_path / "same.txt"
    same.write_text("0 1 2 3 4")
    results = evaluate("tests.lab.tiny:Shipping", data=str(same), ledger=ledger)
    assert not [run for run in results.runs if run.contender == "shipped" and run.split == "test"]
    assert results.skipped["shipped"] == "refused on its training groups: own"


@pytest.mark.parametrize("task", ["Unsolved", "Unbounded"])
def test_a_bound_that_was_not_solved_gives_no_gap(tmp_path: Path, task: str) -> None:
    """Red: the failure value of a bound is taken for a bound, or an infinite one stops every comparison."""
    results = evaluate(f"tests.lab.tiny:{task}", ledger=str(tmp_path / "ledger.db"))
    assert results.bound is None and results.comparisons[0].gap_closed is None
    assert results.skipped["bound"] == "not solved on dog-0, eel-0: no gap figures"


def test_timed_runs_come_in_blocks_of_shuffled_rounds(tmp_path: Path) -> None:
    """Red: contenders are timed in different sittings, in the same order each round, or a broken block is continued."""
    path = tmp_path / "ledger.db"
    results = evaluate("tests.lab.tiny:Timed", ledger=str(path), jobs=2)
    dog = [run for run in results.runs if run.instance == "dog-0"]
    assert len(dog) == 3 * ROUNDS and len({run.block for run in dog}) == 1
    # Two of the three are one policy here, and what they share is timed once.
    again = evaluate("tests.lab.tiny:Timed", ledger=str(path))
    assert [run.key for run in again.runs] == [run.key for run in results.runs]
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM runs WHERE key = ?", (dog[0].key,))
    redone = evaluate("tests.lab.tiny:Timed", ledger=str(path))
    fresh = [run for run in redone.runs if run.instance == "dog-0"]
    assert not {run.block for run in fresh} & {run.block for run in dog}
    assert {run.key for run in redone.runs if run.instance == "eel-0"} <= {run.key for run in results.runs}
    orders = {tuple(run.contender for run in results.runs[start : start + 3]) for start in range(0, 3 * ROUNDS, 3)}
    assert len(orders) > 1
    with pytest.raises(UserError, match="leave out --ray"):
        evaluate("tests.lab.tiny:Timed", ledger=str(path), ray="local")


def test_replay_gives_the_same_to_the_bit_and_sees_a_difference(whole: tuple[Results, Path]) -> None:
    """Red: an outcome of the ledger cannot be derived again, or a changed one is taken for equal."""
    results, path = whole
    with Ledger.open(str(path)) as ledger:
        for name in ("learned", "bound"):
            run = next(one for one in results.runs if one.contender == name)
            assert replay(ledger.find(run.key[:16]), ledger).equal
            other = replace(run, outcome=replace(run.outcome, value=run.outcome.value + 1e-15))
            assert not replay(other, ledger).equal
        changed = replace(run, provenance={**run.provenance, "sources": "", "unseat": "0.0.1"})
        assert replay(changed, ledger).changed == (
            f"unseat is {run.provenance['unseat']} here and was 0.0.1", "the task's sources have changed")  # fmt: skip
