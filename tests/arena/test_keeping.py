"""What is accepted stays: backups, migrations, full disks, databases that go away; and what is published replays."""

from __future__ import annotations

import sqlite3
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from tests.arena.conftest import POLICY, archive, end

from unseat.arena import board, queue, tables
from unseat.arena import database as arena_database
from unseat.arena.accounts import User
from unseat.arena.backup import backup, restore
from unseat.arena.database import Database, patiently
from unseat.arena.publish import publish
from unseat.arena.server.app import create_app
from unseat.arena.tracks import Track
from unseat.arena.worker import Worker
from unseat.cli import main
from unseat.core.errors import UserError
from unseat.sandbox import bubblewrap
from unseat.tasks.database.engine import binaries

boxed = pytest.mark.skipif(bubblewrap.found() is None, reason=f"no bubblewrap here; {bubblewrap.INSTALL}")


def everything(database: Database) -> dict[str, list[Any]]:
    """All rows."""
    with database.read() as connection:
        return {table.name: sorted(map(repr, (row._mapping for row in connection.execute(sa.select(table)))))
                for table in tables.metadata.sorted_tables}  # fmt: skip


@pytest.fixture
def filled(database: Database, make_track: Callable[..., Track], make_user: Callable[..., User]) -> Database:
    """An arena with something in every table that has to be kept."""
    track = make_track(references=["zero", "truth"])
    user = make_user()
    queue.submit(database, user.id, "tiny", "echo", archive())
    taken = queue.take(database, "somebody")
    assert taken is not None
    queue.finish(database, taken, [queue.Score(0, 0, "k" * 64, "ok", 0.25, {"a": 1}, b"\x00\xff")])
    assert track.id == 1
    return database


def test_a_backup_restores_everything(filled: Database, tmp_path: Path) -> None:
    """Red: something of an arena is lost or changed on its way through a backup, or everybody can read the backup."""
    file = tmp_path / "backup.zip"
    assert backup(filled, file) > 10
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    other = Database(tmp_path / "other")
    restore(other, file)
    assert everything(other) == everything(filled)
    with pytest.raises(UserError, match="already"):
        restore(other, file)
    (tmp_path / "bad.zip").write_bytes(file.read_bytes()[:-300])
    third = Database(tmp_path / "third")
    with pytest.raises(UserError, match="not a backup"):
        restore(third, tmp_path / "bad.zip")
    assert everything(third)["users"] == []


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an empty database on a PostgreSQL server of our own."""
    if binaries.find() is None or binaries.driver() is None:
        pytest.skip("no PostgreSQL is installed here")
    import psycopg

    from unseat.tasks.database.engine import server

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNSEAT_CACHE", str(tmp_path_factory.mktemp("cache")))
        running = server.private("arena")
        with psycopg.connect(running.dsn("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE arena")
        yield f"postgresql://{server.USER}@/arena?host={running.socket}"
        running.release()


def test_an_arena_moves_to_postgresql(filled: Database, postgres: str, tmp_path: Path) -> None:
    """Red: on PostgreSQL an arena has other tables, loses rows on its way there, or hands one job to two workers."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    backup(filled, tmp_path / "backup.zip")
    other = Database(postgres)
    try:
        restore(other, tmp_path / "backup.zip")
        assert everything(other) == everything(filled)
        with other.read() as connection:
            assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []
        made = [queue.submit(other, 1, "tiny", f"upload {place}", archive()) for place in range(12)]
        taken: list[str] = []

        def work() -> None:
            while (job := queue.take(other, "thread")) is not None:
                assert queue.finish(other, job, [queue.Score(0, 0, "k" * 64, "ok", 0.5, {})])
                taken.append(job.submission)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(taken) == len(set(taken)) and set(made) <= set(taken)
        assert TestClient(create_app(other)).get("/tracks/tiny").status_code == 200
    finally:
        other.close()


def test_migrations_make_the_tables(database: Database) -> None:
    """Red: a new arena and one that was migrated differ, or a table was changed without a migration."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []


def test_other_databases_are_left_alone(tmp_path: Path, database: Database) -> None:
    """Red: an arena writes into somebody's database, or a newer unseat's arena is taken for one of ours."""
    (tmp_path / "mine").mkdir()
    with sqlite3.connect(tmp_path / "mine" / "arena.db") as mine:
        mine.execute("CREATE TABLE thesis (word)")
    with pytest.raises(UserError, match="not an arena's"):
        Database(tmp_path / "mine")
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(UserError, match="newer unseat"):
        Database(tmp_path / "arena")
    with pytest.raises(UserError, match="SQLite or PostgreSQL"):
        Database("nonsense://x")
    with pytest.raises(UserError, match="address of an arena"):
        Database("postgresql+nothing://x")


def test_a_full_disk_loses_nothing(filled: Database, make_user: Callable[..., User]) -> None:
    """Red: an upload that found no room is accepted, or takes with it what was accepted before."""
    before = everything(filled)
    client = TestClient(create_app(filled))
    word = token(filled, 1)
    head = {"authorization": f"Bearer {word}"}
    with filled.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
    # SQLite's own word for a disk that is full; it holds for a connection, so every one is told.
    sa.event.listen(filled.engine, "begin", lambda one: one.exec_driver_sql(f"PRAGMA max_page_count={pages}"))
    big = archive(POLICY + "#" + "x" * 10, **{"noise.txt": "".join(map(chr, range(33, 3000))) * 40})
    answer = client.post("/api/tracks/tiny/submissions?name=big", content=big, headers=head)
    assert answer.status_code == 503 and "try again" in answer.json()["detail"]
    after = everything(filled)
    assert {name: rows for name, rows in after.items() if name != "tokens"} == {
        name: rows for name, rows in before.items() if name != "tokens"}  # fmt: skip
    assert client.get("/tracks/tiny").status_code == 200


def test_a_database_that_goes_away_and_comes_back(filled: Database, tmp_path: Path) -> None:
    """Red: while the database is away a server says that all is well, or a worker ends instead of waiting."""
    client = TestClient(create_app(filled))
    path, away = tmp_path / "arena" / "arena.db", tmp_path / "away"
    filled.engine.dispose()
    path.rename(away)
    path.mkdir()
    assert client.get("/healthz").status_code == 200 and client.get("/readyz").status_code == 503
    assert client.get("/tracks/tiny").status_code == 503
    tried = []

    def look() -> int:
        tried.append(1)
        if len(tried) == 2:
            path.rmdir()
            away.rename(path)
        with filled.read() as connection:
            return int(connection.scalar(sa.select(sa.func.count()).select_from(tables.submissions)) or 0)

    assert patiently(look) == 3 and len(tried) >= 2
    assert client.get("/readyz").status_code == 200 and client.get("/tracks/tiny").status_code == 200


@boxed
def test_a_published_track_replays(
    database: Database, make_track: Callable[..., Track], make_user: Callable[..., User], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Red: a figure of the board cannot be derived again from the archive, or hidden instances get out too early."""
    track = make_track(rows=6, references=["zero", "truth"])
    number = queue.submit(database, make_user().id, "tiny", "echo", archive())
    with pytest.raises(UserError, match="stay hidden"):
        publish(database, "tiny", tmp_path / "tiny.zip")
    end(database, track)
    with pytest.raises(UserError, match="wait for their scores"):
        publish(database, "tiny", tmp_path / "tiny.zip")
    with Worker(database) as worker:
        worker.run(drain=True)
        while queue_depth(database):
            worker.run(drain=True)
    assert publish(database, "tiny", tmp_path / "tiny.zip") == 18
    with database.read() as connection:
        own = tables.scores
        rows = connection.execute(sa.select(own.c.key, own.c.value, own.c.submission).where(own.c.number == 2)).all()
        body = board.of_track(connection, track.id)
    assert body is not None and {row["id"] for row in body[1]["rows"]} == {row.submission for row in rows}
    for row in rows:
        assert main(["replay", row.key, "--ledger", str(tmp_path / "tiny.zip")]) == 0
        assert repr(row.value) in capsys.readouterr().out
    assert number in {row.submission for row in rows}


def queue_depth(database: Database) -> int:
    """Jobs that wait."""
    with database.read() as connection:
        return int(queue.depth(connection)["queued"])


def token(database: Database, user: int) -> str:
    """An API token."""
    from unseat.arena import accounts
    from unseat.arena.database import moment

    with database.write() as connection:
        return accounts.make_token(connection, user, "test", moment(connection))


def test_a_score_that_finds_no_room_waits_for_it(
    database: Database, make_track: Callable[..., Track], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Red: a worker whose score finds no room on the disk loses it, or ends."""
    make_track(references=["zero"])
    waited: list[float] = []
    with Worker(database) as worker:
        taken = queue.take(database, worker.name)
        assert taken is not None
        with database.engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        # Somebody makes room while it waits for the second time.
        sa.event.listen(database.engine, "begin", lambda one: one.exec_driver_sql(
            f"PRAGMA max_page_count={pages if len(waited) < 2 else 2**30}"))  # fmt: skip
        monkeypatch.setattr(arena_database, "time", SimpleNamespace(sleep=waited.append, time=time.time))
        assert worker.do(taken) and len(waited) == 2
    with database.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(tables.scores)) == 14
