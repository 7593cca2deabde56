"""TPC-H and TPC-DS tables by `tpcgen-cli`, loaded into a private server, and the queries that go with them."""

from __future__ import annotations

import csv
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from unseat.core.errors import MissingExtra, UserError

if TYPE_CHECKING:
    import psycopg

Kind = Literal["tpch", "tpcds"]
INSTALL = "pip install 'unseat[postgres]'"
QUERIES = Path(__file__).with_name("tpc")
SEEN = 3000
"""Rows by which a column's type is told."""

KEYS: Mapping[str, Sequence[str]] = {
    "lineitem": ("l_orderkey", "l_linenumber"),
    "partsupp": ("ps_partkey", "ps_suppkey"),
}
"""Primary keys that are not the first column; tables of sales and returns of TPC-DS get none."""
FACTS = re.compile("_sales$|_returns$|^inventory$|^dbgen_version$")
FOREIGN = re.compile("^(l_partkey|l_suppkey|o_custkey|c_nationkey|s_nationkey|ps_suppkey|n_regionkey)$"
                     "|^(ss|cs|ws)_(item|sold_date|customer|bill_customer|store)_sk$")  # fmt: skip
"""Columns with an index of their own."""

NAMED: Mapping[str, Literal["integer", "text"]] = {"_sk": "integer", "_zip": "text"}
"""Types of TPC-DS that values do not tell, by the end of a name: a column of keys may be empty, codes are digits."""

_TYPES = (("integer", re.compile(r"-?\d{1,9}")), ("numeric", re.compile(r"-?\d+(\.\d+)?")),
          ("date", re.compile(r"\d{4}-\d\d-\d\d")))  # fmt: skip


def queries(kind: Kind) -> dict[str, str]:
    """Queries by name, with the specification's validation parameters: all 22 of TPC-H, all 99 of TPC-DS.

    The four of TPC-DS with two parts are two each (`ds14a`, `ds14b`).
    """
    begin = {"tpch": "h", "tpcds": "ds"}[kind]
    return {path.stem: path.read_text(encoding="utf-8").strip() for path in sorted(QUERIES.glob(f"{begin}[0-9]*.sql"))}


def digest() -> str:
    """A hash of how tables are laid out, and of which program makes them."""
    told = Path(__file__).read_text(encoding="utf-8") + str(_version())
    return hashlib.sha256(told.encode()).hexdigest()[:8]


def _version() -> str | None:
    try:
        return version("tpcgen-cli")
    except PackageNotFoundError:
        return None


def program() -> str | None:
    """Where `tpcgen-cli` is: beside this Python, or on PATH."""
    beside = Path(sys.executable).with_name("tpcgen-cli")
    return str(beside) if beside.exists() else shutil.which("tpcgen-cli")


def fill(connection: psycopg.Connection, kind: Kind, scale: float) -> None:
    """Generate all tables of a kind and load them.

    Raises:
        MissingExtra: `tpcgen-cli` is not installed.
        UserError: It fails.
    """
    found = program()
    if found is None:
        raise MissingExtra(f"tpcgen-cli is not installed; {INSTALL}")
    with tempfile.TemporaryDirectory(prefix="unseat-tpc-") as folder:
        done = subprocess.run([found, kind, "csv", "-s", f"{scale:g}", "-o", folder, "-n", "1", "--quiet"],
                              capture_output=True, text=True, check=False)  # fmt: skip
        if done.returncode:
            raise UserError(f"tpcgen-cli {kind} -s {scale:g}: {' '.join(done.stderr.split())[-200:]}")
        for path in sorted(Path(folder).glob("*.csv")):
            _load(connection, path)


def _load(connection: psycopg.Connection, path: Path) -> None:
    from psycopg import sql

    table = sql.Identifier(path.stem)
    columns = types(path)
    made = [sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in columns.items()]
    connection.execute(sql.SQL("CREATE TABLE {} ({})").format(table, sql.SQL(", ").join(made)))
    command = sql.SQL("COPY {} FROM STDIN WITH (FORMAT csv, HEADER true)").format(table)
    with path.open("rb") as file, connection.cursor() as cursor, cursor.copy(command) as copy:
        while piece := file.read(1 << 20):
            copy.write(piece)
    if not FACTS.search(path.stem):
        key = [sql.Identifier(name) for name in KEYS.get(path.stem, (next(iter(columns)),))]
        connection.execute(sql.SQL("ALTER TABLE {} ADD PRIMARY KEY ({})").format(table, sql.SQL(", ").join(key)))
    for name in filter(FOREIGN.match, columns):
        connection.execute(sql.SQL("CREATE INDEX ON {} ({})").format(table, sql.Identifier(name)))


def types(path: Path) -> dict[str, Literal["integer", "numeric", "date", "text"]]:
    """Columns of a file with a header, and their types: what the name says, else the narrowest that fits the values."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        names = next(rows)
        seen = [row for _, row in zip(range(SEEN), rows, strict=False)]
    found: dict[str, Literal["integer", "numeric", "date", "text"]] = {}
    for place, name in enumerate(names):
        values = [row[place] for row in seen if row[place]]
        fits = (kind for kind, form in _TYPES if values and all(form.fullmatch(value) for value in values))
        told = (kind for ending, kind in NAMED.items() if name.endswith(ending))
        found[name] = next(told, None) or next(fits, "text")  # type: ignore[arg-type]
    return found
