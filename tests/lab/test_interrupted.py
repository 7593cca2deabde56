"""An experiment that is killed in the middle, and two at once on one ledger."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import psutil
from tests.lab.test_executors import environment, gone, wait_for

from unseat.lab.evaluate import evaluate
from unseat.lab.ledger import Ledger

GATED = "tests.lab.tiny:Gated"
DRIVER = f"from unseat.lab.evaluate import evaluate; evaluate({GATED!r}, seeds=2)"


def rows(path: Path) -> list[str]:
    with sqlite3.connect(path) as connection:
        return [key for (key,) in connection.execute("SELECT key FROM runs")]


def test_a_killed_experiment_continues_where_it_stopped(tmp_path: Path) -> None:
    """Red: SIGKILL of `unseat run` loses what had finished, or what is there is run again."""
    path, gate, log = tmp_path / "ledger.db", tmp_path / "gate", tmp_path / "log"
    variables = {"UNSEAT_LEDGER": str(path), "TINY_GATE": str(gate), "TINY_LOG": str(log)}
    driver = subprocess.Popen([sys.executable, "-c", DRIVER], env={**environment(), **variables})
    # What came before the gated run is committed, although the driver goes on waiting.
    assert wait_for(lambda: gate.with_name("gate.waiting").exists() and len(done(log)) == len(rows(path)))
    children = psutil.Process(driver.pid).children(recursive=True)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    assert wait_for(lambda: all(gone(child.pid) for child in children))
    finished = done(log)
    assert finished and len(set(finished)) == len(finished)
    gate.touch()
    subprocess.run([sys.executable, "-c", DRIVER], env={**environment(), **variables}, check=True)
    again = done(log)
    assert again[: len(finished)] == finished
    assert len(set(again)) == len(again), "a run that had finished was done again"
    assert len(rows(path)) == len(again)
    with Ledger.open(str(path)) as ledger:
        assert not ledger.last("tiny").failed


def test_two_experiments_at_once_give_one_ledger(tmp_path: Path) -> None:
    """Red: two `unseat run` on one ledger corrupt it, or one of them fails."""
    path = tmp_path / "ledger.db"
    code = "from unseat.lab.evaluate import evaluate; evaluate('tests.lab.tiny:TinyTask', suite='full', seeds=3)"
    variables = {**environment(), "UNSEAT_LEDGER": str(path)}
    both = [subprocess.Popen([sys.executable, "-c", code], env=variables) for _ in range(2)]
    assert [one.wait() for one in both] == [0, 0]
    stages: list[tuple[str, int, int]] = []
    evaluate("tests.lab.tiny:TinyTask", suite="full", seeds=3, ledger=str(path),
             progress=lambda *step: stages.append(step))  # fmt: skip
    assert all(left == total for _, left, total in stages), "nothing is missing"
    assert len(rows(path)) == len(set(rows(path))) == stages[-1][2]


def done(log: Path) -> list[str]:
    return log.read_text().split() if log.exists() else []
