"""The arena's database: SQLite in its folder, or any other by URL; migrated whenever it is opened."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError

from unseat.arena import tables
from unseat.core.errors import UserError

Result = TypeVar("Result")
FILE = "arena.db"
MIGRATIONS = Path(__file__).parent / "migrations"
_WAIT_S = 30.0


class Database:
    """One arena's state.

    Args:
        where: A folder, which is made, for a SQLite file in it; or a SQLAlchemy URL.
        migrate: Bring the tables to this version of unseat first.

    Attributes:
        url: Where it is, without a password.

    Raises:
        UserError: It cannot be opened, or a newer unseat has written it.
    """

    def __init__(self, where: str | Path, *, migrate: bool = True) -> None:
        self.engine, self.url = _engine(str(where))
        if migrate:
            _migrate(self)
            with self.write() as connection:
                insert_once(connection, tables.settings, {"key": "secret", "value": secrets.token_hex(32)})

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A transaction that only looks; it sees one moment."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that is kept as a whole when the block ends, or not at all."""
        # At once, or two writers who have both read would refuse each other.
        with self.engine.connect().execution_options(immediate=True) as connection, connection.begin():
            yield connection

    def setting(self, key: str) -> str:
        """A setting that is there."""
        with self.read() as connection:
            found = connection.scalar(sa.select(tables.settings.c.value).where(tables.settings.c.key == key))
        if found is None:
            raise UserError(f"{self.url}: the arena lacks its setting {key!r}; restore it from a backup")
        return str(found)

    def close(self) -> None:
        """Let go of it."""
        self.engine.dispose()


def moment(connection: sa.Connection) -> float:
    """Now, by the database's clock: leases must not hang on whose clock goes wrong."""
    if connection.dialect.name == "postgresql":
        return float(connection.scalar(sa.text("SELECT extract(epoch FROM clock_timestamp())")))
    return time.time()


def insert_once(connection: sa.Connection, table: sa.Table, row: dict[str, Any]) -> bool:
    """Insert a row unless its key is there; whether it was inserted."""
    dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
    return bool(connection.execute(dialect.insert(table).on_conflict_do_nothing(), row).rowcount)


def patiently(
    do: Callable[[], Result], *, tries: int | None = None, stop: Callable[[], bool] = lambda: False
) -> Result:
    """Do it, again and again while the database is away: a worker outlasts that.

    Args:
        do: What is to be done, in a transaction of its own.
        tries: How often at most; None for ever.
        stop: Whether to give up early.

    Raises:
        DBAPIError: It is still away.
    """
    pause, done = 0.2, 0
    while True:
        try:
            return do()
        except IntegrityError:
            raise
        except DBAPIError:
            done += 1
            if stop() or (tries is not None and done >= tries):
                raise
            time.sleep(pause)
            pause = min(2 * pause, 10.0)


def _engine(where: str) -> tuple[sa.Engine, str]:
    try:
        if "://" in where:
            url = sa.make_url(where)
        else:
            folder = Path(where).expanduser().absolute()
            folder.mkdir(parents=True, exist_ok=True)
            url = sa.URL.create("sqlite", database=str(folder / FILE))
        if url.get_backend_name() not in ("sqlite", "postgresql"):
            raise UserError(f"{where.partition(':')[0]}: the arena keeps its state in SQLite or PostgreSQL")
        if url.get_backend_name() == "sqlite":
            engine = sa.create_engine(url, connect_args={"timeout": _WAIT_S}, pool_size=20, max_overflow=60)
            sa.event.listen(engine, "connect", _prepare_sqlite)
            sa.event.listen(engine, "begin", _begin_sqlite)
        else:
            if url.drivername == "postgresql":
                url = url.set(drivername="postgresql+psycopg")
            engine = sa.create_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=30,
                                      isolation_level="READ COMMITTED")  # fmt: skip
            sa.event.listen(engine, "connect", _prepare_postgresql)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise UserError(
            f"not the address of an arena ({str(error).splitlines()[0]}); give a folder or a URL"
        ) from error
    except OSError as error:
        raise UserError(f"{where}: this folder cannot be made ({error.strerror}); give another") from error
    return engine, url.render_as_string(hide_password=True)


def _prepare_sqlite(connection: Any, _: object) -> None:
    # Transactions are begun by hand; FULL, since an upload that was accepted must outlast a power cut.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
        connection.execute(f"PRAGMA {pragma}")


def _prepare_postgresql(connection: Any, _: object) -> None:
    # Whatever the server is set to: what it has acknowledged must be there after it has crashed.
    connection.execute("SET synchronous_commit = on")
    connection.commit()


def _begin_sqlite(connection: sa.Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _migrate(database: Database) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    try:
        with database.engine.connect() as connection:
            inspector = sa.inspect(connection)
            names = set(inspector.get_table_names())
            if names and "alembic_version" not in names:
                raise UserError(f"{database.url}: this database is not an arena's; give another")
            if names:
                have = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
                if have == ScriptDirectory.from_config(config).get_current_head():
                    return
        with database.write() as connection:
            if connection.dialect.name == "postgresql":
                # SQLite's transaction keeps others out by itself.
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(8700)")
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError as error:
        raise UserError(f"{database.url}: a newer unseat has written this arena; upgrade unseat ({error})") from error
    except DBAPIError as error:
        raise UserError(f"{database.url}: cannot be opened ({str(error.orig).splitlines()[0]})") from error
