"""Whole experiments on a tiny task: what is run, what is kept, what is chosen and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from unseat.core.errors import UserError
from unseat.lab.evaluate import compare, evaluate
from unseat.lab.ledger import Ledger
from unseat.lab.records import Results

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
