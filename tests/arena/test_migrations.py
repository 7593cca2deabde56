"""Arenas of older versions: they are brought to this one with all that is in them, or left as they are."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from tests.arena.conftest import cheap

from unseat.arena import accounts, database, queue, tables
from unseat.arena.backup import backup, restore
from unseat.arena.database import Database
from unseat.arena.server.app import create_app
from unseat.core.errors import UserError

FIRST = Path(__file__).with_name("first.sql")
"""What the first version wrote; it stays as it is, whatever becomes of the tables."""
SECOND = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "0002", "0001", None, None


def upgrade():
    op.add_column("users", sa.Column("shoe", sa.Integer(), nullable=False, server_default="42"))
    op.execute("{more}")
"""


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """An arena that the first version has left."""
    folder = tmp_path / "first"
    folder.mkdir()
    with sqlite3.connect(folder / database.FILE) as file:
        file.executescript(FIRST.read_text())
    file.close()
    return folder


def test_an_arena_of_the_first_version(first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: an arena that the first version made does not open, lacks something, or has other tables than a new one."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    cheap(monkeypatch)
    opened = Database(first)
    with opened.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []
        user = accounts.signed_in(accounts.by_name(connection, "ada"), "password of Ada")
        counts = {table.name: int(connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0)
                  for table in tables.metadata.sorted_tables}  # fmt: skip
        assert user is not None and queue.is_member(connection, 1, user.id)
    assert {
        "users": 1,
        "tokens": 1,
        "submissions": 3,
        "jobs": 3,
        "scores": 12,
        "instances": 6,
    }.items() <= counts.items()
    client = TestClient(create_app(opened))
    assert "echo" in client.get("/tracks/tiny").text and client.get("/tracks/tiny/about").status_code == 200
    taken = queue.take(opened, "now")
    assert taken is not None and taken.name == "waits"
    backup(opened, tmp_path / "backup.zip")
    assert restore(Database(tmp_path / "second"), tmp_path / "backup.zip") >= sum(counts.values()) - 1


def test_a_migration_is_whole_or_not_at_all(first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: half of a migration that fails stays, one that works loses rows, or an older unseat opens what it made."""
    own = database.MIGRATIONS
    later = shutil.copytree(own, tmp_path / "migrations")
    monkeypatch.setattr(database, "MIGRATIONS", later)

    def columns() -> set[str]:
        with sqlite3.connect(first / database.FILE) as file:
            return {row[1] for row in file.execute("PRAGMA table_info(users)")}

    (later / "versions" / "v0002_shoe.py").write_text(SECOND.format(more="SELECT nonsense"))
    with pytest.raises(UserError, match="nonsense"):
        Database(first)
    assert "shoe" not in columns()
    (later / "versions" / "v0002_shoe.py").write_text(SECOND.format(more="SELECT 1"))
    with Database(first).read() as connection:
        assert connection.exec_driver_sql("SELECT name, shoe FROM users").all() == [("Ada", 42)]
    monkeypatch.setattr(database, "MIGRATIONS", own)
    with pytest.raises(UserError, match="newer unseat"):
        Database(first)
