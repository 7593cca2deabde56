"""A wrong request gets exactly one line on standard error and exit code 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from unseat.cli import main

WRONG = {
    "unknown task": (["run", "cahce"], "did you mean cache"),
    "unknown task of two": (["run", "cache", "nothing"], "nothing"),
    "unknown version": (["run", "cache-v99"], "cache-v"),
    "unknown module": (["run", "no.such.module:Task"], "no.such.module"),
    "unknown command": (["rnu", "cache"], "'run'"),
    "unknown option": (["run", "cache", "--sedes", "3"], "--seeds"),
    "unknown own option": (["run", "cache", "--data", "x", "--capcity", "1%"], "--capacity"),
    "own option before the task": (["run", "--capacity", "1%", "cache"], "name the task"),
    "own option without data": (["run", "cache", "--capacity", "1%"], "--data"),
    "own option without value": (["run", "cache", "--data", "x", "--capacity"], "no value"),
    "own option twice": (["run", "cache", "--data", "x", "--capacity=1%", "--capacity=2%"], "twice"),
    "own option out of range": (["run", "cache", "--data", "x", "--requests", "0"], "--requests"),
    "own option of the wrong kind": (["run", "cache", "--data", "x", "--requests", "many"], "--requests"),
    "task after an option": (["run", "cache", "--data", "x", "--capacity", "1%", "cache-sized"], "cache-sized"),
    "unknown split": (["run", "cache", "--split", "tset"], "tset"),
    "unknown suite": (["run", "cache", "--suite", "fast"], "fast"),
    "unknown contender": (["run", "cache", "--contenders", "LRUU"], "LRU"),
    "no contender": (["run", "cache", "--contenders", ","], "--contenders"),
    "no budget": (["run", "cache", "--budget", "0s"], "--budget"),
    "budget that is no time": (["run", "cache", "--budget", "long"], "--budget"),
    "negative budget": (["run", "cache", "--budget", "-5s"], "--budget"),
    "no time": (["run", "cache", "--time-limit", "0"], "--time-limit"),
    "no seeds": (["run", "cache", "--seeds", "0"], "--seeds"),
    "one fold": (["run", "cache", "--folds", "1"], "--folds"),
    "no jobs": (["run", "cache", "--jobs", "0"], "--jobs"),
    "no task": (["run"], "TASK"),
    "missing file": (["run", "cache", "--data", "no-such-file.csv"], "no-such-file.csv"),
    "not a ledger": (["report", "--ledger", "nonsense://x"], "nonsense"),
    "nothing measured": (["report"], "unseat run"),
    "nothing measured of a task": (["report", "cache"], "unseat run"),
    "unknown run": (["replay", "0123"], "0123"),
    "unknown contender to compare": (["compare", "cache", "LRUU", "FIFO"], "LRU"),
    "unknown task to compare": (["compare", "cahce", "LRU", "FIFO"], "cache"),
    "unknown format": (["export", "cache", "LRU", "--to", "fortran", "-o", "x"], "fortran"),
    "no format": (["export", "cache", "LRU", "-o", "x"], "--to"),
    "nothing to record": (["record", "cache"], "--"),
    "both to record": (["record", "cache", "--from", "x", "--", "true"], "either"),
    "missing log": (["record", "cache", "--from", "no-such.log"], "no-such.log"),
    "unknown program": (["record", "cache", "--", "no-such-program-here"], "no-such-program-here"),
    "unknown data file": (["data", "fetch", "cache", "--files", "no-such-trace"], "no-such-trace"),
}


@pytest.mark.parametrize(("words", "named"), WRONG.values(), ids=WRONG.keys())
def test_wrong_request_is_refused_in_one_line(
    words: list[str], named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Goes red if bad input gives a traceback, a usage screen, another exit code, or a line that names nothing."""
    monkeypatch.chdir(tmp_path)
    status = main(words)
    out, err = capfd.readouterr()
    assert (status, out) == (2, "")
    assert len(err.splitlines()) == 1, err
    assert err.startswith("unseat: ")
    assert named in err


@pytest.mark.parametrize("capacity", ["0", "0%", "-1%", "101%", "1%,1%", "much", ""])
def test_absurd_capacity_is_refused(
    capacity: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Goes red if a capacity that means nothing is run instead of refused."""
    trace = tmp_path / "trace.txt"
    trace.write_text("\n".join(str(key % 50) for key in range(1000)) + "\n")
    assert main(["run", "cache", "--data", str(trace), "--capacity", capacity]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1, err
