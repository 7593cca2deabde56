"""The instances: workloads of a split's queries on a seed's tables, at several budgets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from unseat.core.errors import UserError
from unseat.core.task import Instance, Split

if TYPE_CHECKING:
    from unseat.tasks.database.dbindex.engine import Database
    from unseat.tasks.database.query.problem import Session

BUDGETS = (0.05, 0.2)
QUERIES = 8
"""Queries of a workload at most."""


@dataclass(frozen=True)
class Bare:
    """The generated tables of a seed with primary keys only, on this machine's private server."""

    seed: int
    scale: float

    @property
    def dsn(self) -> str:
        """Started and loaded if need be."""
        from unseat.tasks.database.data.loading import generated
        from unseat.tasks.database.engine.server import private

        return generated(private(), self.seed, self.scale, bare=True)

    def connect(self) -> Session:
        """A session on it."""
        from unseat.tasks.database.engine.connection import Connection

        return Connection(self.dsn)


@dataclass(frozen=True)
class Own:
    """A user's server."""

    dsn: str

    def connect(self) -> Session:
        """A session on it."""
        from unseat.tasks.database.engine.connection import Connection

        return Connection(self.dsn)


@dataclass(frozen=True)
class Workload:
    """Queries on one database at one budget.

    Attributes:
        name: The instance's id.
        group: The workload.
        split: Of its templates and its seed.
        database: Where.
        texts: The queries.
        share: The budget, as a share of the tables' bytes.
        suites: Its suites.
    """

    name: str
    group: str
    split: Split
    database: Database
    texts: tuple[str, ...]
    share: float
    suites: frozenset[str]

    def instance(self) -> Instance:
        """The instance."""
        facts = {"queries": list(self.texts), "database": str(self.database)}
        series = self.name.rpartition("@")[0]
        return Instance(self.name, self.group, self.split, self.share, series, suites=self.suites, facts=facts)


def built_in() -> list[Workload]:
    """For every seed two workloads: one of every other admitted template, and one of the others."""
    from unseat.tasks.database.data.admission import SCALE, admitted
    from unseat.tasks.database.data.templates import templates

    by_seed: dict[int, list[tuple[str, str]]] = {}
    for (name, seed), draws in sorted(admitted().draws.items()):
        if templates()[name].graph.drawn:
            continue
        by_seed.setdefault(seed, []).append((name, templates()[name].bind(seed, draws[0])))
    made = []
    for seed, queries in by_seed.items():
        split = templates()[queries[0][0]].graph.split
        for half in (0, 1):
            own = tuple(text for _, text in queries[half::2])[:QUERIES]
            made += workloads(f"{split}-{seed}{'ab'[half]}", split, Bare(seed, SCALE), own)
    return made


def workloads(group: str, split: Split, database: Database, texts: tuple[str, ...]) -> list[Workload]:
    """One workload at every budget; the quick suite has the first of each split, with two queries, at one budget."""
    quick = group in QUICK
    made = [
        Workload(f"{group}@{share:.0%}", group, split, database, texts, share, frozenset({"full"})) for share in BUDGETS
    ]
    if quick:
        made.append(
            Workload(f"{group}-quick@20%", group, split, database, texts[0:3:2], 0.2, frozenset({"quick", "full"}))
        )
    return made


def opened(dsn: str, options: Mapping[str, Any]) -> list[Workload]:
    """A user's queries on a user's server, at every budget.

    Raises:
        UserError: There are none, one of them is no query, the server cannot be reached, or nobody has said that
            indexes may be built there.
    """
    from unseat.tasks.database.query.suites import given

    sources = given(dsn, options)
    if not options.get("build_indexes"):
        raise UserError("dbindex builds indexes on the server of --data, in transactions that are rolled back, and "
                        "writes to their tables wait meanwhile; allow it by --build-indexes")  # fmt: skip
    texts = tuple(text for source in sources for text in source.texts)
    both = frozenset({"quick", "full"})
    return [Workload(f"own@{share:.0%}", "own", "test", Own(dsn), texts, share, both) for share in BUDGETS]


QUICK: Mapping[str, None] = dict.fromkeys(("train-0a", "valid-2a", "test-3a"))
"""Groups with an instance in the quick suite."""
