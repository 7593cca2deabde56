"""DuckDB as a second engine: in this process, on one thread, with the same measures as a connection to PostgreSQL."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unseat.core.errors import MissingExtra, UserError
from unseat.core.outcome import Status
from unseat.tasks.database.engine.connection import DIGITS, Measured, StatementError

if TYPE_CHECKING:
    from unseat.tasks.database.data.generator import Tables

INSTALL = "pip install 'unseat[duckdb]'"
CONFIG: Mapping[str, Any] = {"threads": 1, "memory_limit": "2GB"}


class DuckSession:
    """A session on a file, in which nothing can be written.

    Args:
        path: A DuckDB database.

    Raises:
        UserError: It cannot be opened.
        MissingExtra: DuckDB is not installed.
    """

    def __init__(self, path: Path) -> None:
        try:
            import duckdb
        except ImportError as error:
            raise MissingExtra(f"DuckDB is not installed; {INSTALL}") from error
        self._error = duckdb.Error
        try:
            self._connection = duckdb.connect(str(path), read_only=True, config=dict(CONFIG))
        except duckdb.Error as error:
            raise UserError(f"{path}: cannot be opened as a DuckDB database: {_line(error)}") from error

    @property
    def alive(self) -> bool:
        """It lives as long as this process."""
        return True

    @property
    def version(self) -> str:
        """DuckDB's."""
        import duckdb

        return str(duckdb.__version__)

    def close(self) -> None:
        """End the session."""
        self._connection.close()

    def tables(self) -> list[tuple[str, int]]:
        """Names of tables, and their rows as the planner thinks."""
        found = self._connection.execute("SELECT table_name, estimated_size FROM duckdb_tables() ORDER BY 1").fetchall()
        return [(str(name), int(rows)) for name, rows in found]

    def execute(self, text: str, settings: Mapping[str, str], timeout_ms: float) -> Measured:
        """Run a statement under settings that are taken back, and fetch all rows.

        Raises:
            StatementError: It failed, or ran out of time.
        """
        with self._under(settings), self._stopped_after(timeout_ms):
            cpu, wall = time.process_time(), time.perf_counter()
            try:
                result = self._connection.execute(text)
            except self._error as error:
                raise self._told(error) from error
            cpu_ms, wall_ms = 1e3 * (time.process_time() - cpu), 1e3 * (time.perf_counter() - wall)
            # The result is whole; making Python's objects of it is no work of the engine's.
            rows = result.fetchall()
        return Measured(cpu_ms, wall_ms, len(rows), digest(rows))

    def explain(
        self, text: str, settings: Mapping[str, str], timeout_ms: float = 60_000
    ) -> tuple[dict[str, Any], float]:
        """The plan of a statement under settings as PostgreSQL would write it, and the CPU time of making it.

        Raises:
            StatementError: It cannot be planned.
        """
        with self._under(settings), self._stopped_after(timeout_ms):
            cpu = time.process_time()
            try:
                told = self._connection.execute(f"EXPLAIN (FORMAT json) {text}").fetchall()[0][1]
            except self._error as error:
                raise self._told(error) from error
            cpu_ms = 1e3 * (time.process_time() - cpu)
        return plan_of(json.loads(told)[0]), cpu_ms

    def _told(self, error: Exception) -> StatementError:
        stopped = type(error).__name__ == "InterruptException"
        return StatementError(_line(error), Status.TIMEOUT if stopped else Status.CRASHED)

    @contextlib.contextmanager
    def _under(self, settings: Mapping[str, str]) -> Iterator[None]:
        try:
            for name, value in settings.items():
                # A setting's value takes no parameter; names and values are this package's own.
                self._connection.execute(f"SET {name} = '{value}'")
            yield
        finally:
            for name in settings:
                self._connection.execute(f"RESET {name}")

    @contextlib.contextmanager
    def _stopped_after(self, timeout_ms: float) -> Iterator[None]:
        timer = threading.Timer(timeout_ms / 1e3, self._connection.interrupt)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def digest(rows: Sequence[tuple[Any, ...]]) -> int:
    """A sum over the rows' hashes: the same rows in another order give the same."""
    total = 0
    for row in rows:
        told = "\0".join(f"{value:.{DIGITS}g}" if isinstance(value, float) else repr(value) for value in row)
        total += int.from_bytes(hashlib.blake2b(told.encode(), digest_size=8).digest(), "little")
    return total % 2**53


_NODES = {"HASH_JOIN": "Hash Join", "NESTED_LOOP_JOIN": "Nested Loop", "PIECEWISE_MERGE_JOIN": "Merge Join",
          "CROSS_PRODUCT": "Nested Loop", "SEQ_SCAN": "Seq Scan", "INDEX_SCAN": "Index Scan", "ORDER_BY": "Sort",
          "TOP_N": "Limit", "HASH_GROUP_BY": "Aggregate", "PERFECT_HASH_GROUP_BY": "Aggregate",
          "UNGROUPED_AGGREGATE": "Aggregate", "LEFT_DELIM_JOIN": "Hash Join",
          "RIGHT_DELIM_JOIN": "Hash Join"}  # fmt: skip


def plan_of(node: Mapping[str, Any]) -> dict[str, Any]:
    """A plan in PostgreSQL's words. DuckDB tells no costs: rows that flow, added up, stand for them."""
    info, below = node.get("extra_info", {}), [plan_of(child) for child in node.get("children", ())]
    rows = float(info.get("Estimated Cardinality", 0) or 0)
    made: dict[str, Any] = {
        "Node Type": _NODES.get(node["name"].strip(), node["name"].strip().title()), "Plan Rows": rows,
        "Startup Cost": 0.0, "Total Cost": rows + sum(child["Total Cost"] for child in below),
    }  # fmt: skip
    made |= {"Relation Name": info["Table"]} if "Table" in info else {}
    made |= {"Filter": str(info["Filters"])} if "Filters" in info else {}
    made |= {"Conditions": str(info["Conditions"])} if "Conditions" in info else {}
    return {**made, "Plans": below} if below else made


def once(name: str, tables: Callable[[], Tables]) -> Path:
    """A file of the cache folder with generated tables, written by whoever comes first."""
    from unseat.data.store import cache_folder

    path = (cache_folder() / "duckdb" / name).absolute()
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists():
                store(path, tables())
    return path


def store(path: Path, tables: Tables) -> None:
    """Write generated tables into a new file, whole or not at all."""
    import duckdb

    from unseat.tasks.database.data.generator import NULL, TIMES

    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    with duckdb.connect(str(partial), config=dict(CONFIG)) as connection:
        for table, columns in tables.columns.items():
            made = {name: np.ma.masked_equal(values, NULL) for name, values in columns.items()}
            connection.register("made", made)
            kept = ", ".join(f'make_timestamp("{name}" * 1000000) AS "{name.lower()}"' if name in TIMES
                             else f'"{name}"::INTEGER AS "{name.lower()}"' for name in made)  # fmt: skip
            connection.execute(f'CREATE TABLE "{table.lower()}" AS SELECT {kept} FROM made')
            connection.unregister("made")
        connection.execute("CHECKPOINT")
    partial.rename(path)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
