"""The ledger: every fit and every run, keyed by content, append-only, in any database that SQLAlchemy speaks to."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, TypeVar

import sqlalchemy as sa
from platformdirs import user_data_path
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DatabaseError, IntegrityError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.schema import CreateIndex, CreateTable

from unseat.core.errors import UserError
from unseat.core.policy import Artefact
from unseat.data.store import cache_folder
from unseat.lab.records import Fit, Results, Run
from unseat.lab.store import ArtefactStore

Row = TypeVar("Row")

SCHEMA = 1
_CHUNK = 400
# Where MySQL's own TEXT ends at 64 KB, an experiment does not.
_BODY = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")

_tables = sa.MetaData()
_about = sa.Table("unseat_ledger", _tables, sa.Column("schema", sa.Integer, primary_key=True))
_runs = sa.Table(
    "runs", _tables,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("task", sa.String(200), nullable=False, index=True),
    sa.Column("contender", sa.String(200), nullable=False),
    sa.Column("created", sa.String(40), nullable=False),
    sa.Column("body", _BODY, nullable=False),
)  # fmt: skip
_fits = sa.Table(
    "fits", _tables,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("task", sa.String(200), nullable=False),
    sa.Column("contender", sa.String(200), nullable=False),
    sa.Column("created", sa.String(40), nullable=False),
    sa.Column("body", _BODY, nullable=False),
)  # fmt: skip
_results = sa.Table(
    "results", _tables,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("task", sa.String(200), nullable=False),
    sa.Column("created", sa.String(40), nullable=False),
    sa.Column("body", _BODY, nullable=False),
)  # fmt: skip


class Ledger:
    """Fits, runs and the newest experiments. Use `Ledger.open`, as a context manager.

    Rows are only ever added, and a row whose key is there already is left as it is, so that any number of programs can
    write to one ledger at once.

    Attributes:
        url: Where it is, for messages.
        store: The content store of artefacts that belongs to it.
    """

    def __init__(self, engine: sa.Engine, url: str, store: ArtefactStore) -> None:
        self._engine, self.url, self.store = engine, url, store

    @classmethod
    def open(cls, url: str | None = None, *, wait_s: float = 30.0) -> Self:
        """Open a ledger, which is made where there is none.

        Args:
            url: A SQLAlchemy URL or the path of a SQLite file; None for ``UNSEAT_LEDGER``, and without that a file in
                the user's data folder.
            wait_s: How long to wait for another program that has locked it.

        Raises:
            UserError: It cannot be opened or made, or it is not a ledger, or one of a newer unseat.
        """
        url = url or os.environ.get("UNSEAT_LEDGER") or str(user_data_path("unseat") / "ledger.db")
        path = None if "://" in url else Path(url).expanduser().absolute()
        try:
            parsed = sa.make_url(url) if path is None else sa.URL.create("sqlite", database=str(path))
            if path is None and parsed.get_backend_name() == "sqlite" and parsed.database not in (None, "", ":memory:"):
                path = Path(str(parsed.database)).absolute()
            if path is not None:
                _make_folder(path)
            waits = {"connect_args": {"timeout": wait_s}} if path is not None else {}
            engine = sa.create_engine(parsed, **waits)
        except (ArgumentError, NoSuchModuleError, ImportError) as error:
            shown = re.sub(r"://([^:/@]*):[^@]*@", r"://\1:***@", f"{url}: not a ledger's address ({_line(error)})")
            raise UserError(f"{shown}; give a path or a URL") from error
        folder = path.with_suffix(".artefacts") if path else cache_folder().absolute() / "artefacts"
        ledger = cls(engine, str(path or parsed.render_as_string(hide_password=True)), ArtefactStore(folder))
        ledger._prepare(path)
        return ledger

    def runs(self, keys: Iterable[str]) -> dict[str, Run]:
        """The runs that are there, by key."""
        return {row.key: self._read(row.body, Run.from_record) for row in self._by_key(_runs, keys)}

    def add_runs(self, runs: Sequence[Run]) -> None:
        """Add runs in one transaction: all of them are kept, or none and an error says so."""
        now = _now()
        self._insert(_runs, [_row(run, run.to_record(), now) for run in runs])

    def query(self, task: str | None = None, contender: str | None = None) -> list[Run]:
        """All runs of a task (with or without its version) and contender, oldest first."""
        asked = sa.select(_runs.c.body).order_by(_runs.c.created, _runs.c.key)
        if task is not None:
            asked = asked.where(_of_task(_runs, task))
        if contender is not None:
            asked = asked.where(_runs.c.contender == contender)
        with self._work() as connection:
            return [self._read(row.body, Run.from_record) for row in connection.execute(asked)]

    def find(self, prefix: str) -> Run:
        """The one run whose key begins so.

        Raises:
            UserError: There is none, or there are several.
        """
        asked = sa.select(_runs.c.body).where(_runs.c.key.startswith(prefix, autoescape=True)).limit(2)
        with self._work() as connection:
            rows = list(connection.execute(asked))
        if len(rows) != 1 or not prefix:
            how = "no run" if not rows else "more than one run"
            raise UserError(f"{self.url}: {how} has a key that begins with {prefix!r}; `unseat run --json` shows keys")
        return self._read(rows[0].body, Run.from_record)

    def fits(self, keys: Iterable[str]) -> dict[str, Fit]:
        """The fits that are there, by key."""
        return {row.key: self._read(row.body, Fit.from_record) for row in self._by_key(_fits, keys)}

    def fit(self, key: str) -> Fit:
        """The fit of that key.

        Raises:
            UserError: There is none.
        """
        found = self.fits([key])
        if key not in found:
            raise UserError(f"{self.url}: no fit has the key {key}")
        return found[key]

    def fitted(self, fit: Fit) -> Artefact:
        """The policy that a fit gave, with the record of that very fit, under the contender's name: to be shipped.

        The store holds equal policies once, whatever made them, so a record that lies there may be another fit's.

        Raises:
            UserError: The fit gave no policy, or the store has lost it.
        """
        if fit.artefact is None:
            raise UserError(f"the fit of {fit.contender} gave no policy: {fit.message}")
        spent = {"runs": fit.runs, "tokens": fit.tokens, "dollars": fit.dollars}
        return replace(self.store.get(fit.artefact), name=fit.contender, fit={**fit.job["record"], **spent})

    def add_fit(self, fit: Fit) -> None:
        """Add a fit; its artefact is in the store already."""
        self._insert(_fits, [_row(fit, fit.to_record(), _now())])

    def remember(self, results: Results) -> None:
        """Keep what an experiment gave as the newest of its task; its runs and fits must be here."""
        body = json.dumps(results.to_record())
        self._insert(_results, [{"task": results.task, "created": _now(), "body": body}])

    def last(self, task: str | None = None) -> Results:
        """The newest experiment, of a task (with or without its version) or of any.

        Raises:
            UserError: There is none.
        """
        asked = sa.select(_results.c.body).order_by(_results.c.id.desc()).limit(1)
        if task is not None:
            asked = asked.where(_of_task(_results, task))
        with self._work() as connection:
            row = connection.execute(asked).first()
        if row is None:
            what = f"of {task} " if task else ""
            raise UserError(f"{self.url}: no experiment {what}yet; do one with `unseat run {task or 'TASK'}`")
        return self._read(row.body, self._whole)

    def latest(self) -> list[Results]:
        """The newest experiment of every task, by task."""
        newest = sa.select(sa.func.max(_results.c.id)).group_by(_results.c.task)
        asked = sa.select(_results.c.body).where(_results.c.id.in_(newest)).order_by(_results.c.task)
        with self._work() as connection:
            bodies = [row.body for row in connection.execute(asked)]
        return [self._read(body, self._whole) for body in bodies]

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self, body: str, make: Callable[[dict[str, Any]], Row]) -> Row:
        """A row as what it stands for; another program, or a stranger, may have written it."""
        try:
            return make(json.loads(body))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            what = f"{type(error).__name__}: {error}"
            raise UserError(f"{self.url}: a damaged row, {body[:60]!r} ({what:.80}); give another ledger with --ledger"
                            ) from error  # fmt: skip

    def _whole(self, body: dict[str, Any]) -> Results:
        runs = self.runs(entry["key"] for entry in body["runs"])
        fits = self.fits(body["fits"])
        return Results.from_record(body, runs, fits)

    def _by_key(self, table: sa.Table, keys: Iterable[str]) -> list[Any]:
        wanted = sorted(set(keys))
        rows: list[Any] = []
        with self._work() as connection:
            for start in range(0, len(wanted), _CHUNK):
                chunk = wanted[start : start + _CHUNK]
                rows += connection.execute(sa.select(table.c.key, table.c.body).where(table.c.key.in_(chunk))).all()
        return rows

    def _insert(self, table: sa.Table, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        with self._work() as connection:
            if connection.dialect.name in ("sqlite", "postgresql"):
                dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
                connection.execute(dialect.insert(table).on_conflict_do_nothing(), rows)
                return
            for row in rows:
                try:
                    with connection.begin_nested():
                        connection.execute(sa.insert(table), row)
                except IntegrityError:
                    # Another program has added the same key; the first row stays.
                    continue

    def _prepare(self, path: Path | None) -> None:
        with self._work() as connection:
            if path is not None:
                connection.exec_driver_sql("PRAGMA synchronous=NORMAL")
                connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            there = set(sa.inspect(connection).get_table_names())
            if there and _about.name not in there:
                raise UserError(f"{self.url}: this database is not a ledger of unseat; give another with --ledger")
            if not there.issuperset(_tables.tables):
                _create(connection)
        self._insert(_about, [{"schema": SCHEMA}])
        with self._work() as connection:
            newest = connection.execute(sa.select(sa.func.max(_about.c.schema))).scalar_one()
        if newest != SCHEMA:
            raise UserError(f"{self.url}: a ledger of schema {newest}, and this unseat knows {SCHEMA}; upgrade unseat")

    @contextmanager
    def _work(self) -> Iterator[sa.Connection]:
        """A transaction, whose failures become one line that names the file."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except IntegrityError:
            raise
        except SQLAlchemyError as error:
            raise UserError(f"{self.url}: {_advice(error)}") from error


def _create(connection: sa.Connection) -> None:
    """Make the tables that are not there; where the dialect can, so that another program may do the same right now.

    What tells a ledger from other databases comes first, since another program may look at any moment.
    """
    tables = [_about, _runs, _fits, _results]
    if connection.dialect.name not in ("sqlite", "postgresql"):
        for table in tables:
            _tables.create_all(connection, [table])
        return
    for table in tables:
        connection.execute(CreateTable(table, if_not_exists=True))
        for index in table.indexes:
            connection.execute(CreateIndex(index, if_not_exists=True))


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{path}: its folder cannot be made ({error.strerror}); give another with --ledger") from error


def _advice(error: SQLAlchemyError) -> str:
    """What a person can do about a database's failure, in one line; what was committed before stays."""
    text = _line(getattr(error, "orig", None) or error)
    lower = text.lower()
    known = {
        "locked": "the ledger is locked by another program; wait for it or give another with --ledger",
        "full": "the disk is full; make room and run again, and what has finished is kept",
        "disk i/o error": "the disk is full or failing; make room and run again, and what has finished is kept",
        "readonly": "the ledger cannot be written; give another with --ledger",
        "unable to open": "the ledger cannot be opened or made there; give another with --ledger",
        "not a database": "this file is not a ledger of unseat; give another with --ledger",
        "malformed": "the ledger is damaged; keep a copy and give another with --ledger",
    }
    for sign, advice in known.items():
        if isinstance(error, DatabaseError) and sign in lower:
            return f"{advice} ({text})"
    return f"the database refused ({text})"


def _line(error: object) -> str:
    return str(error).strip().partition("\n")[0]


def _of_task(table: sa.Table, task: str) -> sa.ColumnElement[bool]:
    return sa.or_(table.c.task == task, table.c.task.startswith(f"{task}-v", autoescape=True))


def _row(record: Run | Fit, body: Mapping[str, Any], now: str) -> dict[str, Any]:
    created = record.created or now
    content = json.dumps({**body, "created": created})
    return {"key": record.key, "task": record.task, "contender": record.contender, "created": created, "body": content}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
