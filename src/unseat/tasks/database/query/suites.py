"""The instances: two queries of a template on the data of a seed; or a user's own files on a user's own server."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qs, urlsplit

from unseat.core.errors import UserError
from unseat.core.task import Instance, Split

if TYPE_CHECKING:
    from unseat.tasks.database.data.tpcgen import Kind
    from unseat.tasks.database.query.problem import Database, Session

QUICK = frozenset({
    "voter-posts/rows@3", "related-history/group@3", "votes-links/count@2", "owner-votes/group@0",
    "owner-comments/group@0",
})  # fmt: skip
"""Instances of the quick suite: two to judge by, one to choose by, two to learn from."""

STARS = ("ds03", "ds07", "ds19", "ds42", "ds43", "ds52", "ds55", "ds96")
"""Queries of TPC-DS that run where none are named: joins of one table of sales; all of them take long."""

PER_GRAPH = 1
"""Test instances of the full suite for each join graph; benchmarks run them all."""


@dataclass(frozen=True)
class Generated:
    """The generated tables of a seed, on this machine's private server."""

    seed: int
    scale: float

    @property
    def dsn(self) -> str:
        """Started and loaded if need be."""
        from unseat.tasks.database.data.loading import generated
        from unseat.tasks.database.engine.server import private

        return generated(private(), self.seed, self.scale)

    def connect(self) -> Session:
        """A session on it."""
        from unseat.tasks.database.engine.connection import Connection

        return Connection(self.dsn)


@dataclass(frozen=True)
class Ducked:
    """The generated tables of a seed in a file of DuckDB's, in the cache folder."""

    seed: int
    scale: float

    @property
    def path(self) -> Path:
        """The file, written if need be."""
        from unseat.tasks.database.data.generator import generate
        from unseat.tasks.database.data.loading import digest
        from unseat.tasks.database.engine.duck import once

        name = f"made_{self.seed}_{str(self.scale).replace('.', '_')}_{digest()[:8]}.duckdb"
        return once(name, lambda: generate(self.seed, self.scale))

    def connect(self) -> Session:
        """A session on it."""
        from unseat.tasks.database.engine.duck import DuckSession

        return DuckSession(self.path)


Engine = Literal["postgres", "duckdb"]
DATABASES: Mapping[Engine, Callable[[int, float], Database]] = {"postgres": Generated, "duckdb": Ducked}
LARGER = 8.0
"""By how much DuckDB's tables are larger, as it is that much faster."""


@dataclass(frozen=True)
class Stats:
    """The published tables, and generated ones for those that are missing, on this machine's private server."""

    @property
    def dsn(self) -> str:
        """Started and loaded if need be."""
        from unseat.tasks.database.data.loading import published
        from unseat.tasks.database.engine.server import private

        return published(private())

    def connect(self) -> Session:
        """A session on it."""
        from unseat.tasks.database.engine.connection import Connection

        return Connection(self.dsn)


@dataclass(frozen=True)
class Tpc:
    """The tables of TPC-H or TPC-DS, on this machine's private server."""

    kind: Kind
    scale: float

    @property
    def dsn(self) -> str:
        """Started and loaded if need be."""
        from unseat.tasks.database.data.loading import tpc
        from unseat.tasks.database.engine.server import private

        return tpc(private(), self.kind, self.scale)

    def connect(self) -> Session:
        """A session on it."""
        from unseat.tasks.database.engine.connection import Connection

        return Connection(self.dsn)


@dataclass(frozen=True)
class Given:
    """A user's server."""

    dsn: str

    def connect(self) -> Session:
        """A session on it."""
        from unseat.tasks.database.engine.connection import Connection

        return Connection(self.dsn)


@dataclass(frozen=True)
class Source:
    """An instance and where its queries come from.

    Attributes:
        name: Its id.
        group: Join graph, or file.
        split: Of the group.
        database: Where the queries run.
        texts: The queries.
        data: A hash of the tables; empty for a user's server, which may change.
        suites: Its suites.
    """

    name: str
    group: str
    split: Split
    database: Database
    texts: tuple[str, ...]
    data: str
    suites: frozenset[str]

    def instance(self) -> Instance:
        """The instance."""
        return Instance(self.name, self.group, self.split, suites=self.suites,
                        facts={"queries": self.digest(), "data": self.data})  # fmt: skip

    def digest(self) -> str:
        """A hash of the queries' text."""
        return hashlib.sha256("\0".join(self.texts).encode()).hexdigest()[:16]


def generated(
    scale: float, draws: Mapping[tuple[str, int], Sequence[int]], engine: Engine = "postgres"
) -> Iterator[Source]:
    """An instance for every template and seed of some draws of parameters."""
    from unseat.tasks.database.data.loading import digest
    from unseat.tasks.database.data.templates import templates

    for (name, seed), own in draws.items():
        template, key = templates()[name], f"{name}@{seed}"
        yield Source(
            key, template.graph.name, template.graph.split, DATABASES[engine](seed, scale),
            tuple(template.bind(seed, draw) for draw in own), f"{digest()[:16]} {seed} {scale}",
            frozenset({"quick", "full"} if key in QUICK else {"full"}),
        )  # fmt: skip


def every(engine: Engine = "postgres") -> list[Source]:
    """All instances that were admitted, on PostgreSQL, whatever they run on; drawn graphs are for PostgreSQL only."""
    from unseat.tasks.database.data.admission import SCALE, admitted
    from unseat.tasks.database.data.templates import templates

    draws = admitted().draws
    if engine == "duckdb":
        kept = {key: own for key, own in draws.items() if not templates()[key[0]].graph.drawn}
        return list(generated(LARGER * SCALE, kept, engine))
    return list(generated(SCALE, draws, engine))


def built_in(engine: Engine = "postgres") -> list[Source]:
    """Those of the suites: of the test split so many for each graph as the full suite has time for."""
    seen: Counter[str] = Counter()
    kept = []
    # The quick ones first, and then in an order that says nothing of what they are.
    for source in sorted(every(engine), key=lambda one: ("quick" not in one.suites, one.digest())):
        seen[source.group] += 1
        if source.split != "test" or seen[source.group] <= PER_GRAPH:
            kept.append(source)
    return sorted(kept, key=lambda one: one.name)


BOTH = frozenset({"quick", "full"})


def opened(source: str, options: Mapping[str, Any]) -> list[Source]:
    """What ``--data`` names: ``stats``, ``tpch:SCALE``, ``tpcds:SCALE[:QUERIES]``, or a user's server.

    Raises:
        UserError: It is none of these, or a file or program is not at hand.
    """
    kind, _, told = source.partition(":")
    scale, _, named = told.partition(":")
    if source != "stats" and kind not in ("tpch", "tpcds"):
        return given(source, options)
    if options.get("workload"):
        raise UserError(f"--data {source} has queries of its own; leave --workload out, or name a server")
    if source == "stats":
        return published()
    try:
        size = float(scale or 0.1)
    except ValueError:
        size = 0.0
    if not 0 < size <= 100:
        raise UserError(f"--data {source}: write a scale factor behind the colon, such as {kind}:0.1")
    return tpc("tpch" if kind == "tpch" else "tpcds", size, named)


def tpc(kind: Kind, scale: float, named: str = "") -> list[Source]:
    """Queries of a TPC benchmark, one an instance.

    Args:
        kind: Which benchmark.
        scale: Its scale factor.
        named: Which queries, with commas between, or ``all``; empty for all of TPC-H and the stars of TPC-DS.

    Raises:
        UserError: There is no such query.
    """
    from unseat.tasks.database.data.tpcgen import digest, queries

    texts = queries(kind)
    some = named.split(",") if named else STARS if kind == "tpcds" else ("all",)
    for name in set(some) - {"all", *texts}:
        raise UserError(f"{kind} has no query {name!r}; write all, or names from {min(texts)} to {max(texts)}")
    wanted = sorted(texts if "all" in some else set(some))
    return [Source(f"{kind}/{name}", f"{kind}/{name}", "test", Tpc(kind, scale), (texts[name],),
                   f"{digest()} {scale:g}", BOTH) for name in wanted]  # fmt: skip


def published() -> list[Source]:
    """The published queries that were admitted by the rule; ``real/`` ones read real tables only."""
    from unseat.tasks.database.data.admission import published
    from unseat.tasks.database.data.published import digest, queries

    kept = set(published()["admitted"])
    return [Source(one.name, one.name, "test", Stats(), (one.text,), digest()[:16], BOTH)
            for one in queries() if one.name in kept]  # fmt: skip


def given(dsn: str, options: Mapping[str, Any]) -> list[Source]:
    """A user's queries on a user's server.

    Raises:
        UserError: There are none, one of them is no query, or the server cannot be reached.
    """
    from unseat.tasks.database.engine.connection import Connection

    if not dsn.startswith(("postgresql://", "postgres://")):
        raise UserError(f"--data {dsn}: write a server as postgresql://USER@HOST:PORT/DATABASE, or stats, tpch:SCALE, "
                        "tpcds:SCALE")  # fmt: skip
    parts = urlsplit(dsn)
    if parts.password or "password" in parse_qs(parts.query):
        # What --data says is kept in the ledger and shown on the page.
        raise UserError("--data holds a password, which would be kept with the results; "
                        "leave it out, and set PGPASSWORD or write a ~/.pgpass")  # fmt: skip
    folder = options.get("workload")
    if not folder:
        raise UserError("--data names a server; say with --workload FOLDER where the .sql files are")
    files = sorted(Path(folder).glob("*.sql"))
    if not files:
        raise UserError(f"{folder}: there is no .sql file in this folder; put one SELECT into each file")
    found = [
        Source(file.stem, file.stem, "test", Given(dsn), (_query(file),), "", BOTH)
        for file in files
    ]  # fmt: skip
    Connection(dsn).close()
    return found


def _query(file: Path) -> str:
    """The one SELECT of a file.

    Raises:
        UserError: It is something else.
    """
    import sqlglot
    from sqlglot import expressions

    try:
        text = file.read_text(encoding="utf-8").strip().rstrip(";")
        found = [one for one in sqlglot.parse(text, read="postgres") if one is not None]
    except (OSError, UnicodeDecodeError, sqlglot.errors.SqlglotError) as error:
        why = " ".join(str(error).split())[:120]
        raise UserError(f"{file}: cannot be read as a query: {why}; put one SELECT into each file") from error
    if len(found) != 1 or not isinstance(found[0], expressions.Query):
        raise UserError(
            f"{file}: holds {len(found)} statements, or one that is no SELECT; put one SELECT into each file"
        )
    return text
