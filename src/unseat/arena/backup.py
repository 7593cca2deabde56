"""Backup and restore: every row of every table in one file, from any database to any other."""

from __future__ import annotations

import base64
import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from unseat.arena import tables
from unseat.arena.database import Database
from unseat.core.errors import UserError

FORMAT = 1
_ROWS = 200


def backup(database: Database, path: Path) -> int:
    """Write all of an arena to a file, as it is at one moment; the server may go on meanwhile. Returns the rows.

    It holds the hidden instances, the passwords' hashes and the secret of sessions: only its owner can read it.

    Raises:
        UserError: The file cannot be written.
    """
    partial, count = path.with_name(f".{path.name}.partial"), 0
    try:
        file = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(file, "wb") as out, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            with _one_moment(database) as connection:
                version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
                archive.writestr("about.json", json.dumps({"format": FORMAT, "version": version}))
                for table in tables.metadata.sorted_tables:
                    with archive.open(f"{table.name}.jsonl", "w", force_zip64=True) as lines:
                        for row in connection.execution_options(yield_per=_ROWS).execute(sa.select(table)):
                            lines.write(json.dumps(_plain(row._mapping)).encode() + b"\n")
                            count += 1
            archive.close()
            out.flush()
            os.fsync(out.fileno())
        partial.replace(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror}); what was there before stays") from error
    finally:
        partial.unlink(missing_ok=True)
    return count


def restore(database: Database, path: Path) -> int:
    """Fill a new arena from a backup, all of it or nothing; returns the rows.

    Raises:
        UserError: The file is no backup, or of a newer unseat; or there is something in the arena already.
    """
    count = 0
    try:
        with zipfile.ZipFile(path) as archive, database.write() as connection:
            about = json.loads(archive.read("about.json"))
            have = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
            if about["format"] != FORMAT or about["version"] != have:
                raise UserError(f"{path}: a backup of version {about['version']}, and this arena is at {have}; restore "
                                "it with the unseat that made it, and let the new one open it")  # fmt: skip
            if connection.scalar(sa.select(sa.func.count()).select_from(tables.users)) or connection.scalar(
                sa.select(sa.func.count()).select_from(tables.tracks)
            ):
                raise UserError(f"{database.url}: there is an arena in it already; restore into a new one")
            for table in reversed(tables.metadata.sorted_tables):
                connection.execute(sa.delete(table))
            for table in tables.metadata.sorted_tables:
                for rows in _chunks(archive, table):
                    connection.execute(sa.insert(table), rows)
                    count += len(rows)
            _count_on(connection)
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, TypeError) as error:
        raise UserError(f"{path}: not a backup of an arena ({type(error).__name__}: {str(error)[:80]})") from error
    return count


def _one_moment(database: Database) -> sa.Connection:
    """A connection whose every look sees the same moment."""
    connection = database.engine.connect()
    if connection.dialect.name == "postgresql":
        connection = connection.execution_options(isolation_level="REPEATABLE READ")
    return connection


def _plain(row: Any) -> dict[str, Any]:
    return {name: {"bytes": base64.b64encode(value).decode()} if isinstance(value, bytes | memoryview) else value
            for name, value in row.items()}  # fmt: skip


def _chunks(archive: zipfile.ZipFile, table: sa.Table) -> Iterator[list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    with archive.open(f"{table.name}.jsonl") as lines:
        for line in lines:
            row = json.loads(line)
            rows.append({name: base64.b64decode(value["bytes"]) if isinstance(value, dict) else value
                         for name, value in row.items()})  # fmt: skip
            if len(rows) == _ROWS:
                yield rows
                rows = []
    if rows:
        yield rows


def _count_on(connection: sa.Connection) -> None:
    """PostgreSQL counts ids by itself: tell it which are there."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables.metadata.sorted_tables:
        column = table.c.get("id")
        if column is not None and isinstance(column.type, sa.Integer):
            connection.execute(sa.text(
                f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), "
                f"coalesce((SELECT max(id) FROM {table.name}), 0) + 1, false)"))  # fmt: skip
