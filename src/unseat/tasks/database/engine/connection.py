"""One connection, on which statements run in transactions of their own and are measured."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import pq, sql
from psycopg.pq.abc import PGresult

from unseat.core.errors import UserError
from unseat.core.outcome import Status

Settings = Mapping[str, str]

TIMED_OUT, READ_ONLY = "57014", "25006"
FLOATS = (700, 701)
DIGITS = 6
"""Significant digits of floating point results that are compared: plans add in different orders."""


class StatementError(Exception):
    """A statement did not end well; `status` is what a run counts as."""

    def __init__(self, text: str, status: Status = Status.CRASHED) -> None:
        super().__init__(text)
        self.status = status


class Lost(StatementError):
    """The connection is gone, and perhaps the server."""


@dataclass(frozen=True)
class Measured:
    """What a statement took, and what it gave.

    Attributes:
        cpu_ms: Milliseconds of CPU time of the backend, planning included; wall time where that cannot be read.
        wall_ms: Milliseconds until the last row was here.
        rows: Number of rows.
        digest: A hash of the rows, whatever their order.
    """

    cpu_ms: float
    wall_ms: float
    rows: int
    digest: int


class Connection:
    """A session on a server, in which nothing can be written.

    Args:
        dsn: What libpq connects to.
        writes: Whether transactions may write; they are rolled back all the same.

    Raises:
        UserError: It cannot be reached.
    """

    def __init__(self, dsn: str, *, writes: bool = False) -> None:
        try:
            self._connection = psycopg.connect(dsn, autocommit=True, connect_timeout=10)
        except psycopg.Error as error:
            raise UserError(f"PostgreSQL cannot be reached: {_line(error)}; check --data, and the server") from error
        self._begin = b"BEGIN" if writes else b"BEGIN READ ONLY"
        self._pg = self._connection.pgconn
        self._clock = _clock(self._pg)

    @property
    def counts_cpu(self) -> bool:
        """Whether the backend's CPU time can be read: it runs on this machine, and this is Linux."""
        return self._clock is not None

    @property
    def version(self) -> str:
        """The server's version."""
        return str(self._connection.info.parameter_status("server_version"))

    @property
    def alive(self) -> bool:
        """Whether the connection still stands."""
        return bool(self._pg.status == pq.ConnStatus.OK)

    def close(self) -> None:
        """End the session."""
        self._connection.close()

    def query(self, text: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of a statement that is not measured, with values for its ``%s``.

        Raises:
            StatementError: It failed.
        """
        try:
            # The statement's text is this package's own; whatever comes from outside is among the values.
            return self._connection.execute(text, values or None).fetchall()
        except psycopg.Error as error:
            raise self._error(_line(error)) from error

    def tables(self) -> list[tuple[str, int]]:
        """Names of tables, and their rows as the planner thinks."""
        found = self.query("SELECT relname::text, greatest(reltuples, 0)::bigint FROM pg_class WHERE relkind = 'r' "
                           "AND relnamespace = 'public'::regnamespace ORDER BY relname")  # fmt: skip
        return [(str(name), int(rows)) for name, rows in found]

    def cpu_s(self) -> float:
        """Seconds of CPU time that the backend has used; of wall time where that cannot be read."""
        if self._clock is None:
            return time.perf_counter()
        try:
            return int(self._clock.read_text().split()[0]) / 1e9
        except (OSError, IndexError, ValueError) as error:
            raise Lost("the server's process is gone") from error

    def execute(self, text: str, settings: Settings, timeout_ms: float) -> Measured:
        """Run a statement under settings of its own transaction, fetch all rows, and roll back.

        Raises:
            StatementError: It failed, or ran out of time.
            Lost: The connection is gone.
        """
        with _Transaction(self, settings, timeout_ms):
            cpu, wall = self.cpu_s(), time.perf_counter()
            result = self.run(text)
            wall_ms, cpu_ms = 1e3 * (time.perf_counter() - wall), 1e3 * (self.cpu_s() - cpu)
        return Measured(cpu_ms, wall_ms, result.ntuples, digest_of(result))

    def explain(self, text: str, settings: Settings, timeout_ms: float = 60_000) -> tuple[dict[str, Any], float]:
        """The plan of a statement under settings, and the milliseconds of CPU time that it took to make it.

        Raises:
            StatementError: It cannot be planned.
            Lost: The connection is gone.
        """
        with _Transaction(self, settings, timeout_ms):
            cpu = self.cpu_s()
            result = self.run(f"EXPLAIN (FORMAT JSON) {text}")
            cpu_ms = 1e3 * (self.cpu_s() - cpu)
        data = result.get_value(0, 0) or b"[]"
        plan: dict[str, Any] = json.loads(data)[0]["Plan"]
        return plan, cpu_ms

    def run(self, text: str) -> PGresult:
        """One statement, and never two, in the transaction that is open.

        Raises:
            StatementError: It failed.
        """
        result = self._pg.exec_params(text.encode(), None)
        if result.status not in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
            state = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
            message = (result.error_message or b"").decode(errors="replace")
            raise self._error(message, state)
        return result

    def send(self, data: bytes) -> None:
        """Commands of this package, several in one message.

        Raises:
            StatementError: One failed.
        """
        result = self._pg.exec_(data)
        if result.status not in (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK):
            raise self._error((result.error_message or b"").decode(errors="replace"))

    def _error(self, message: str, state: str = "") -> StatementError:
        told = " ".join(message.split())[:300] or "no answer"
        if not state and "server closed the connection" in told:
            # libpq may not know it yet.
            self._connection.close()
        if self._pg.status != pq.ConnStatus.OK:
            return Lost(f"the connection to the server is lost: {told}")
        if state == TIMED_OUT:
            return StatementError(f"stopped by its time limit: {told}", Status.TIMEOUT)
        return StatementError(told, Status.INVALID if state == READ_ONLY else Status.CRASHED)


class _Transaction:
    """A transaction with settings of its own, which leaves nothing."""

    def __init__(self, connection: Connection, settings: Settings, timeout_ms: float) -> None:
        self._connection = connection
        own = {**settings, "statement_timeout": str(max(1, round(timeout_ms)))}
        self._begin = connection._begin + b"".join(_local(name, value) for name, value in own.items())

    def __enter__(self) -> None:
        self._connection.send(self._begin)

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if self._connection.alive:
            self._connection.send(b"ROLLBACK")


def _local(name: str, value: str) -> bytes:
    command = sql.SQL("; SET LOCAL {} = {}").format(sql.Identifier(*name.split(".")), sql.Literal(value))
    return command.as_bytes(None)


def digest_of(result: PGresult) -> int:
    """A sum over the rows' hashes: the same rows in another order give the same."""
    columns = range(result.nfields)
    inexact = {column for column in columns if result.ftype(column) in FLOATS}
    total = 0
    for row in range(result.ntuples):
        told = hashlib.blake2b(digest_size=8)
        for column in columns:
            value = result.get_value(row, column)
            if value is not None and column in inexact:
                value = f"{float(value):.{DIGITS}g}".encode()
            told.update(b"N" if value is None else b"%d:%s" % (len(value), value))
        total += int.from_bytes(told.digest(), "little")
    return total % 2**53


def _clock(connection: Any) -> Path | None:
    """Where the backend's CPU time stands, if it is a process of this machine."""
    if not (connection.host or b"").startswith((b"/", b"@")):
        return None
    path = Path(f"/proc/{connection.backend_pid}")
    try:
        ours = (path / "comm").read_text().startswith("postgres") and (path / "schedstat").read_text()
    except OSError:
        return None
    return path / "schedstat" if ours else None


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
