"""The ledger against what happens to files: several writers, locks, a full disk, folders that cannot be written."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from tests.lab.test_executors import environment
from tests.lab.tiny import Constant

from unseat.core.errors import UserError
from unseat.core.learner import Role
from unseat.core.outcome import Outcome
from unseat.core.policy import Artefact, Form
from unseat.lab.ledger import Ledger, _create
from unseat.lab.records import Fit, Run
from unseat.lab.store import ArtefactStore


def run(number: int, task: str = "tiny-v0", value: float = 0.1) -> Run:
    outcome = Outcome(value + number, decisions=3, metrics={"total": 1 / 3}, progress=((0.5, 2.0),))
    return Run(f"{number:064d}", task, f"c{number % 2}", Role.INCUMBENT, "i", "g", "test", None, "", 1.0, 0, outcome,
               "a" * 64, {"task": "tiny", "limits": {"wall_s": 1}}, {"unseat": "0"})  # fmt: skip


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(str(tmp_path / "ledger.db")) as opened:
        yield opened


def test_what_is_added_is_there_to_the_bit(ledger: Ledger) -> None:
    """Red: a value, a metric or a label changes on its way through the ledger."""
    runs = [run(number, value=0.1 * 3) for number in range(1000)]
    ledger.add_runs(runs)
    there = ledger.runs(one.key for one in runs)
    assert len(there) == 1000
    for one in runs:
        assert there[one.key].to_record() == {**one.to_record(), "created": there[one.key].created}
    fit = Fit("f", "tiny-v0", "learned", None, {"seed": 0}, ("ant",), 1.5, 1.0, 3, "ok", "", {})
    ledger.add_fit(fit)
    assert ledger.fit("f").to_record() == {**fit.to_record(), "created": ledger.fit("f").created}
    with pytest.raises(UserError, match="no fit has the key g"):
        ledger.fit("g")


def test_a_key_is_never_written_twice(ledger: Ledger) -> None:
    """Red: a second writer changes an outcome that is already known."""
    ledger.add_runs([run(1)])
    ledger.add_runs([run(1, value=99.0), run(2)])
    assert [one.outcome.value for one in ledger.query()] == [1.1, 2.1]


def test_questions_find_what_they_ask_for(ledger: Ledger) -> None:
    """Red: a question about one task gets rows of another; `unseat replay RUN` replays another run."""
    ledger.add_runs([run(1), run(2), run(3, "tiny-sized-v0")])
    assert {one.key[-1] for one in ledger.query("tiny")} == {"1", "2"}
    assert {one.key[-1] for one in ledger.query("tiny-v0", "c0")} == {"2"}
    assert ledger.find(run(3).key).task == "tiny-sized-v0"
    for prefix, how in (("000", "more than one run"), ("9", "no run"), ("", "more than one"), ("%", "no run")):
        with pytest.raises(UserError, match=how):
            ledger.find(prefix)
    with pytest.raises(UserError, match="no experiment of tiny yet"):
        ledger.last("tiny")


WRITER = """
import sys
from tests.lab.test_ledger import run
from unseat.lab.ledger import Ledger
with Ledger.open(sys.argv[1]) as ledger:
    for start in range(0, 200, 10):
        ledger.add_runs([run(number) for number in range(start, start + 10)])
"""


def test_writers_at_once_neither_lose_nor_double(tmp_path: Path) -> None:
    """Red: two `unseat run` on one new ledger corrupt it, stop each other, or write a row twice."""
    path = str(tmp_path / "ledger.db")
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, path], env=environment()) for _ in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    with Ledger.open(path) as ledger:
        assert [one.key for one in ledger.query()] == sorted(run(number).key for number in range(200))
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_locked_ledger_says_so_and_loses_nothing(tmp_path: Path) -> None:
    """Red: a lock that another program holds ends in a traceback or a lost outcome."""
    path = tmp_path / "ledger.db"
    with Ledger.open(str(path), wait_s=0.1) as ledger:
        ledger.add_runs([run(1)])
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(UserError, match="locked by another program") as caught:
            ledger.add_runs([run(2)])
        assert str(path) in str(caught.value) and "\n" not in str(caught.value)
        other.execute("ROLLBACK")
        ledger.add_runs([run(2)])
        assert len(ledger.query()) == 2


FULL = """
import resource, sys
from tests.lab.test_ledger import run
from unseat.core.errors import UserError
from unseat.lab.ledger import Ledger
with Ledger.open(sys.argv[1]) as ledger:
    ledger.add_runs([run(number) for number in range(100)])
    # A file that may not grow fails as one on a full disk does: the write comes back short, with an error.
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
    try:
        ledger.add_runs([run(number) for number in range(100, 5000)])
    except UserError as error:
        print(error)
        sys.exit(2)
"""


def test_a_file_that_cannot_grow_says_so_and_loses_nothing(tmp_path: Path) -> None:
    """Red: a disk that fills up ends in a traceback, half a batch, or a damaged ledger."""
    path = tmp_path / "ledger.db"
    ran = subprocess.run([sys.executable, "-c", FULL, str(path)], env=environment(), capture_output=True, text=True)
    assert ran.returncode == 2, ran.stderr
    assert ran.stdout.startswith(f"{path}: ") and "disk is full" in ran.stdout and ran.stdout.count("\n") == 1
    with Ledger.open(str(path)) as ledger:
        assert len(ledger.query()) == 100
        ledger.add_runs([run(number) for number in range(100, 110)])
        assert len(ledger.query()) == 110


def test_a_full_disk_says_so_and_loses_nothing(tmp_path: Path) -> None:
    """Red: as above, on a file system that is really full."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("mounting a small disk needs root")
    try:
        with Ledger.open(str(disk / "ledger.db")) as ledger:
            ledger.add_runs([run(number) for number in range(100)])
            with pytest.raises(UserError, match="the disk is full; make room and run again"):
                ledger.add_runs([run(number) for number in range(100, 10000)])
            with pytest.raises(UserError, match="cannot keep the policy filler"):
                ledger.store.put(Artefact(Form.KERNEL, "filler", "a:B", arrays={"big": np.ones(10**6)}))
            assert not list(ledger.store.root.rglob("*.safetensors"))
            assert len(ledger.query()) == 100
            ledger.add_runs([run(100)])
            assert len(ledger.query()) == 101
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    """Red: a read-only place for ledger or policies ends in a traceback."""
    with pytest.raises(UserError, match=r"/proc/unseat/ledger.db: its folder cannot be made"):
        Ledger.open("/proc/unseat/ledger.db")
    with pytest.raises(UserError, match="the ledger cannot be opened or made there"):
        Ledger.open("/proc/ledger.db")
    with pytest.raises(UserError, match="/proc/unseat: cannot keep the policy three"):
        ArtefactStore(Path("/proc/unseat")).put(Constant("three", 3).artefact)


def test_a_read_only_disk_says_so(tmp_path: Path) -> None:
    """Red: a ledger on a disk that has become read-only ends in a traceback."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("mounting a disk needs root")
    try:
        with Ledger.open(str(disk / "ledger.db")) as ledger:
            ledger.add_runs([run(1)])
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        with pytest.raises(UserError, match=r"ledger.db: the ledger cannot be"):
            Ledger.open(str(disk / "ledger.db"))
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def test_another_file_is_not_taken_for_a_ledger(tmp_path: Path) -> None:
    """Red: `--ledger notes.txt` or another program's database is overwritten."""
    text = tmp_path / "notes.txt"
    text.write_text("these are my notes, which nobody else may write into\n" * 100)
    before = text.read_bytes()
    with pytest.raises(UserError, match=r"notes.txt: this file is not a ledger"):
        Ledger.open(str(text))
    assert text.read_bytes() == before
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE runs (id INTEGER)")
    with pytest.raises(UserError, match=r"other.db: this database is not a ledger"):
        Ledger.open(str(other))
    for url in ("nosuchdatabase://x/y", "sqlite+nosuchdriver:///x"):
        with pytest.raises(UserError, match="not a ledger's address"):
            Ledger.open(url)


def test_a_ledger_that_another_program_is_making_is_one(tmp_path: Path) -> None:
    """Red: of two first runs at once, one says that the other's half-made ledger is none, or finds no table."""
    path = tmp_path / "ledger.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE unseat_ledger (schema INTEGER NOT NULL PRIMARY KEY)")
    with Ledger.open(str(path)) as ledger:
        ledger.add_runs([run(1)])
        assert len(ledger.query()) == 1


@pytest.mark.parametrize("body", ["", "[]", "5", "{}", '{"runs": [{"key": "gone"}]}', '{"unheard_of": 1}', "[" * 10**5])
def test_a_damaged_row_is_one_clear_line(tmp_path: Path, body: str) -> None:
    """Red: a row that another program has written or cut ends in a traceback."""
    path = tmp_path / "ledger.db"
    with Ledger.open(str(path)) as ledger:
        ledger.add_runs([run(1)])
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE runs SET body = ?", [body])
            connection.execute("INSERT INTO results (task, created, body) VALUES ('tiny-v0', '', ?)", [body])
        asks = (ledger.query, lambda: ledger.find("0"), ledger.last, ledger.latest, lambda: ledger.runs([run(1).key]))
        for ask in asks:
            with pytest.raises(UserError, match=r"ledger.db: a damaged row") as raised:
                ask()
            assert len(str(raised.value)) < 400


def test_a_password_is_not_shown() -> None:
    """Red: the password of a ledger's database ends up in a log."""
    with pytest.raises(UserError, match=r"nosuchdatabase://ada:\*\*\*@host/x: not a ledger's address") as raised:
        Ledger.open("nosuchdatabase://ada:secret@host/x")
    assert "secret" not in str(raised.value)


def test_a_newer_ledger_is_refused(tmp_path: Path) -> None:
    """Red: an old unseat writes into a ledger whose tables it does not know."""
    path = tmp_path / "ledger.db"
    Ledger.open(str(path)).close()
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO unseat_ledger VALUES (99)")
    with pytest.raises(UserError, match="schema 99, and this unseat knows 1; upgrade unseat"):
        Ledger.open(str(path))


def test_urls_and_paths_are_the_same_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: UNSEAT_LEDGER, a path and a URL of one file lead to different ledgers or stores."""
    path = tmp_path / "deep" / "ledger.db"
    with Ledger.open(str(path)) as ledger:
        ledger.add_runs([run(1)])
    monkeypatch.setenv("UNSEAT_LEDGER", f"sqlite:///{path}")
    with Ledger.open() as same:
        assert len(same.query()) == 1
        assert same.store.root == path.parent / "ledger.artefacts"
    monkeypatch.setenv("UNSEAT_CACHE", str(tmp_path / "cache"))
    with Ledger.open("sqlite://") as elsewhere:
        assert elsewhere.store.root == tmp_path / "cache" / "artefacts"


@pytest.mark.parametrize("name", ["mysql", "postgresql", "mssql", "oracle", "sqlite"])
def test_tables_are_made_in_words_that_the_database_knows(name: str) -> None:
    """Red: a ledger cannot be made on a database without `IF NOT EXISTS`, or MySQL cuts what is over 64 KB."""
    said: list[str] = []

    def listen(ddl: Any, *given: Any, **named: Any) -> None:
        said.append(str(ddl.compile(dialect=listener.dialect)))

    listener: Any = sa.create_mock_engine(f"{name}://", listen)
    _create(listener)
    assert len(said) == 5 and all("CREATE" in one for one in said)
    assert "unseat_ledger" in said[0], "another program that looks in the middle must know it for a ledger"
    assert any("IF NOT EXISTS" in one for one in said) == (name in ("sqlite", "postgresql"))
    assert any("LONGTEXT" in one for one in said) == (name == "mysql")


def test_other_databases_ignore_a_known_key_too(tmp_path: Path) -> None:
    """Red: on a database without `ON CONFLICT`, a known key stops the batch or loses the rows beside it."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'ledger.db'}")
    engine.dialect.name = "other"  # as for a dialect that is neither SQLite nor PostgreSQL
    ledger = Ledger(engine, "other", ArtefactStore(tmp_path))
    ledger._prepare(None)
    ledger.add_runs([run(1)])
    ledger.add_runs([run(1, value=9.0), run(2)])
    assert [one.outcome.value for one in ledger.query()] == [1.1, 2.1]
