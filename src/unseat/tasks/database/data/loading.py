"""Loading generated tables into a private server, once for each seed and scale."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from unseat.core.errors import UserError
from unseat.tasks.database.data import generator, tpcgen

if TYPE_CHECKING:
    import psycopg

    from unseat.tasks.database.engine.server import Server

CHUNK = 20_000
SAMPLE = 0.02
LAYOUT = "primary key id, a B-tree on every foreign key, VACUUM (ANALYZE, FREEZE)"


@lru_cache(maxsize=1)
def digest() -> str:
    """A hash of what is generated and how it is laid out; that of a small sample stands for all seeds and scales."""
    told = hashlib.sha256(f"{LAYOUT} {sorted(generator.FOREIGN.items())} {sorted(generator.SIZES.items())}".encode())
    for table, columns in generator.generate(0, SAMPLE).columns.items():
        for name, values in columns.items():
            told.update(f"{table}.{name} ".encode() + values.astype("<i8").tobytes())
    return told.hexdigest()


def generated(server: Server, seed: int, scale: float = 1.0, *, bare: bool = False) -> str:
    """The dsn of a database with the tables of a seed; made where it is not there yet.

    Args:
        server: Where.
        seed: Of the generator.
        scale: Of the generator.
        bare: Whether there are primary keys only, and no index on foreign keys.
    """
    name = f"{'bare' if bare else 'made'}_{seed}_{str(scale).replace('.', '_')}_{digest()[:8]}"
    return loaded(server, name, lambda connection: _fill(connection, generator.generate(seed, scale), bare))


def published(server: Server) -> str:
    """The dsn of a database with the published tables; made where it is not there yet."""
    from unseat.tasks.database.data import published as stats

    def fill(connection: psycopg.Connection) -> None:
        _fill(connection, stats.tables(), bare=False)

    return loaded(server, f"stats_{stats.digest()[:8]}", fill)


def tpc(server: Server, kind: tpcgen.Kind, scale: float) -> str:
    """The dsn of a database with the tables of TPC-H or TPC-DS; made where it is not there yet."""
    name = f"{kind}_{f'{scale:g}'.replace('.', '_')}_{tpcgen.digest()}"
    return loaded(server, name, lambda connection: tpcgen.fill(connection, kind, scale))


def loaded(server: Server, name: str, fill: Callable[[psycopg.Connection], None]) -> str:
    """The dsn of a database, filled under another name and renamed once it is whole.

    Raises:
        UserError: It cannot be filled.
    """
    dsn = server.dsn(name)
    if _there(server, name):
        return dsn
    with server.lock("loading"):
        if not _there(server, name):
            _make(server, name, fill)
    return dsn


def _there(server: Server, name: str) -> bool:
    import psycopg

    with psycopg.connect(server.dsn("postgres"), autocommit=True) as connection:
        return bool(connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone())


def _make(server: Server, name: str, fill: Callable[[psycopg.Connection], None]) -> None:
    import psycopg
    from psycopg import sql

    partial = f"{name}_partial"
    try:
        with psycopg.connect(server.dsn("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(partial)))
            connection.execute(sql.SQL("CREATE DATABASE {} STRATEGY file_copy").format(sql.Identifier(partial)))
        with psycopg.connect(server.dsn(partial), autocommit=True) as connection:
            fill(connection)
            # Index-only scans need the visibility map, and everyone the same statistics.
            connection.execute("VACUUM (ANALYZE, FREEZE)")
            connection.execute("CHECKPOINT")
        with psycopg.connect(server.dsn("postgres"), autocommit=True) as connection:
            rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
            connection.execute(rename.format(sql.Identifier(partial), sql.Identifier(name)))
    except psycopg.Error as error:
        raise UserError(f"the data {name} cannot be loaded: {' '.join(str(error).split())[:300]}") from error


def _fill(connection: psycopg.Connection, tables: generator.Tables, bare: bool) -> None:
    from psycopg import sql

    for table, columns in tables.columns.items():
        kinds = [sql.SQL("{} {}").format(sql.Identifier(name.lower()), sql.SQL(_kind(name))) for name in columns]
        here = sql.Identifier(table.lower())
        connection.execute(sql.SQL("CREATE TABLE {} ({})").format(here, sql.SQL(", ").join(kinds)))
        with connection.cursor() as cursor, cursor.copy(sql.SQL("COPY {} FROM STDIN").format(here)) as copy:
            for first in range(0, tables.rows(table), CHUNK):
                copy.write(_text(columns, first))
        # The published tables have a column less.
        foreign = () if bare else tuple(name for name in generator.FOREIGN.get(table, ()) if name in columns)
        index(connection, table, foreign)


def index(connection: psycopg.Connection, table: str, foreign: tuple[str, ...]) -> None:
    """The primary key ``Id``, and a B-tree on every foreign key: the published set-up."""
    from psycopg import sql

    here = sql.Identifier(table.lower())
    connection.execute(sql.SQL("ALTER TABLE {} ADD PRIMARY KEY (id)").format(here))
    for column in foreign:
        connection.execute(sql.SQL("CREATE INDEX ON {} ({})").format(here, sql.Identifier(column.lower())))


def _kind(column: str) -> str:
    if column in generator.TIMES:
        return "timestamp"
    return "integer"


def _text(columns: generator.Columns, first: int) -> str:
    """Rows in COPY's text format."""
    out, parts = io.StringIO(), []
    for name, values in columns.items():
        piece = values[first : first + CHUNK]
        if name in generator.TIMES:
            told = np.datetime_as_string(piece.astype("datetime64[s]")).astype(object)
        else:
            told = piece.astype(str).astype(object)
        told[piece == generator.NULL] = "\\N"
        parts.append(told)
    for row in zip(*parts, strict=True):
        out.write("\t".join(row) + "\n")
    return out.getvalue()
