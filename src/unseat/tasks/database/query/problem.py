"""A few queries on one database, and what the default plans give and take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from unseat.core.errors import UserError
from unseat.tasks.database.engine.connection import Lost, Measured, Settings, StatementError
from unseat.tasks.database.query.space import HINTS, Space, Statement

REFERENCES = 3
"""Runs of the default plan before any contender's; the first warms the cache."""

PATIENCE = 3.0
"""A query is stopped after so many times the default's latency, and counts as this many times its CPU time."""
SLACK_MS = 150.0
LONGEST_MS = 120_000.0
"""Of a query's default plan."""


class Database(Protocol):
    """Where queries run; hashable, plain data."""

    def connect(self) -> Session:
        """A session; a private server is started for it."""
        ...


class Session(Protocol):
    """A connection to an engine, as `unseat.tasks.database.engine.connection.Connection` is one."""

    @property
    def alive(self) -> bool: ...
    @property
    def version(self) -> str: ...
    def execute(self, text: str, settings: Settings, timeout_ms: float) -> Measured: ...
    def explain(self, text: str, settings: Settings, timeout_ms: float = ...) -> tuple[dict[str, Any], float]: ...
    def tables(self) -> list[tuple[str, int]]: ...


@dataclass(frozen=True)
class Query:
    """A query and its default plan's result.

    Attributes:
        text: SQL.
        rows: Number of rows that it gives.
        digest: Hash of these rows.
        cpu_ms: What the default took when the problem was loaded.
        wall_ms: The same by the clock on the wall, at most.
    """

    text: str
    rows: int
    digest: int
    cpu_ms: float
    wall_ms: float

    @property
    def worst_ms(self) -> float:
        """What it counts with if it is stopped or fails."""
        return PATIENCE * self.cpu_ms

    @property
    def patience_ms(self) -> float:
        """When it is stopped, by the clock on the wall."""
        return PATIENCE * self.wall_ms + SLACK_MS


@dataclass(frozen=True)
class Problem:
    """What the engine runs.

    Attributes:
        database: Where.
        queries: What, in this order.
        tables: Rows by table, as the planner thinks.
        space: What may be done to a query.
    """

    database: Database
    queries: tuple[Query, ...]
    tables: tuple[tuple[str, int], ...]
    space: Space = HINTS

    def statement(self, query: Query, arm: int) -> Statement:
        """What runs for an arm."""
        return self.space.make(query.text, arm)

    @property
    def worst_ms(self) -> float:
        """What a failed run counts with."""
        return sum(query.worst_ms for query in self.queries)


_open: dict[Database, Session] = {}


def connection(database: Database) -> Session:
    """The connection of this process to a database; another one where the last is lost."""
    found = _open.get(database)
    if found is None or not found.alive:
        found = _open[database] = database.connect()
    return found


def load(database: Database, texts: tuple[str, ...], space: Space = HINTS) -> Problem:
    """Run every query under the default plan.

    Raises:
        UserError: One of them fails, or takes too long.
    """
    for again in (True, False):
        session = connection(database)
        try:
            queries = tuple(_reference(session, text) for text in texts)
            return Problem(database, queries, tuple(session.tables()), space)
        except Lost as error:
            if not again:
                raise UserError(f"{error}; start the server again and repeat the command") from error
    raise AssertionError("unreachable")


def _reference(session: Session, text: str) -> Query:
    try:
        runs = [session.execute(text, {}, LONGEST_MS) for _ in range(REFERENCES)]
    except Lost:
        raise
    except StatementError as error:
        raise UserError(f"a query fails under the default plan: {error}; the query begins {text[:80]!r}") from error
    first, *later = runs
    if any((one.digest, one.rows) != (first.digest, first.rows) for one in later):
        raise UserError(
            f"a query gives other rows each time, so that no answer can be checked; it begins {text[:80]!r}"
        )
    cpu = sorted(one.cpu_ms for one in later)[len(later) // 2]
    return Query(text, first.rows, first.digest, max(cpu, 1e-3), max(one.wall_ms for one in later))
