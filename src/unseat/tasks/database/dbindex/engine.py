"""Indexes that exist inside a transaction only: planned with, built, measured, and rolled back."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from psycopg import sql

from unseat.core.outcome import Outcome, Status
from unseat.core.policy import DeadlineReached, InvalidAnswer, Policy, View
from unseat.tasks.database.dbindex.candidates import Index, candidates, checked
from unseat.tasks.database.engine.connection import Connection, StatementError, digest_of
from unseat.tasks.database.query import problem as query
from unseat.tasks.database.query.features import features
from unseat.tasks.database.query.problem import Query, load

MEASUREMENTS = 6
"""How often a policy may have a configuration built and measured before it chooses."""
LONGEST_MS = 60_000


class Database(query.Database, Protocol):
    """A PostgreSQL server on which transactions may write, and are rolled back."""

    @property
    def dsn(self) -> str:
        """What libpq connects to; a private server is started for it."""
        ...


@dataclass(frozen=True)
class Problem:
    """What the engine runs.

    Attributes:
        database: Tables with primary keys only.
        queries: The workload, with what it takes without further indexes.
        budget: Bytes that all indexes together may hold.
        tables: Rows by table, as the planner thinks.
    """

    database: Database
    queries: tuple[Query, ...]
    budget: int
    tables: tuple[tuple[str, int], ...]

    @property
    def worst_ms(self) -> float:
        """What a failed run counts with."""
        return sum(query.worst_ms for query in self.queries)


def open_problem(database: Database, texts: tuple[str, ...], share: float) -> Problem:
    """Run the workload without indexes; the budget is a share of the tables' bytes."""
    plain = load(database, texts)
    session = Connection(database.dsn)
    held = session.query("SELECT sum(pg_table_size(oid))::bigint FROM pg_class WHERE relkind = 'r' "
                         "AND relnamespace = 'public'::regnamespace")[0][0]  # fmt: skip
    session.close()
    return Problem(database, plain.queries, int(share * held), plain.tables)


@dataclass
class Estimates:
    """What the planner said of a problem, and sizes of indexes; kept for a process, as they do not change.

    Attributes:
        plans: Query and the indexes that concern it to the estimate and the plan's numbers.
        bytes: Sizes of indexes.
    """

    plans: dict[tuple[int, tuple[Index, ...]], tuple[float, list[float]]] = field(default_factory=dict)
    bytes: dict[Index, int] = field(default_factory=dict)


_estimates: dict[tuple[Problem, bool], Estimates] = {}


def _definition(index: Index, name: str | None) -> sql.Composed:
    columns = sql.SQL(", ").join(sql.Identifier(column) for column in index[1:])
    told = sql.SQL("") if name is None else sql.Identifier(name)
    return sql.SQL("CREATE INDEX {} ON {} ({})").format(told, sql.Identifier(index[0]), columns)


class Bench:
    """A transaction in which indexes are built once and shown to the planner as asked; it is always rolled back.

    An index is hidden from the planner by marking it as not valid in the catalogue, which the transaction takes back
    too; who is no superuser drops it instead. Where a database has HypoPG, what-if questions are answered by
    hypothetical indexes, and only what is measured is built.

    Args:
        problem: What to ask about.
        real: Whether nothing is hypothetical, HypoPG or not.
    """

    def __init__(self, problem: Problem, *, real: bool = False) -> None:
        self._problem, self.session = problem, Connection(problem.database.dsn, writes=True)
        self._built: dict[Index, tuple[int, str]] = {}
        self._superuser = self.session.query("SELECT current_setting('is_superuser')") == [("on",)]
        self.hypothetical = not real and bool(self.session.query("SELECT 1 FROM pg_extension WHERE extname = 'hypopg'"))
        self._known = _estimates.setdefault((problem, self.hypothetical), Estimates())
        self._count = 0
        self._relevant = [frozenset(candidates(query.text)) for query in problem.queries]
        self.session.send(f"BEGIN; SET LOCAL statement_timeout = {LONGEST_MS}".encode())

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *rest: object) -> None:
        # With the connection goes the transaction, whatever state it is in.
        self.session.close()

    def bytes(self, index: Index) -> int:
        """Size of an index; where nobody knows it yet it is built for that."""
        if index not in self._known.bytes:
            if self.hypothetical:
                self._suppose((index,))
                found = self.session.query("SELECT hypopg_relation_size(indexrelid) FROM hypopg_list_indexes")
                self._known.bytes[index] = int(found[0][0])
            else:
                self._build(index)
        return self._known.bytes[index]

    def _suppose(self, chosen: Sequence[Index]) -> None:
        """Let the planner believe in these indexes, and in no other of HypoPG's."""
        self.session.query("SELECT hypopg_reset()")
        for index in chosen:
            self.session.query("SELECT * FROM hypopg_create_index(%s)", _definition(index, None).as_string(None))

    def _build(self, index: Index) -> int:
        """The object id of an index, which is built if it is not there."""
        if index not in self._built:
            name = f"unseat_{self._count}"
            self._count += 1
            self.session.send(_definition(index, name).as_bytes(None))
            found = "SELECT %s::text::regclass::oid::bigint, pg_relation_size(%s::text::regclass)"
            oid, size = self.session.query(found, name, name)[0]
            self._built[index], self._known.bytes[index] = (int(oid), name), int(size)
        return self._built[index][0]

    def show(self, chosen: Sequence[Index]) -> None:
        """Let the planner see these indexes, and no other of those that were built or supposed."""
        if self.hypothetical:
            self.session.query("SELECT hypopg_reset()")
        if not self._superuser:
            for index in [one for one in self._built if one not in chosen]:
                self.session.send(
                    sql.SQL("DROP INDEX {}").format(sql.Identifier(self._built.pop(index)[1])).as_bytes(None)
                )
        seen = [self._build(index) for index in chosen]
        if not self._superuser:
            return
        mark = "UPDATE pg_index SET indisvalid = indexrelid::bigint = ANY(%s)"
        self.session.query(
            f"{mark} WHERE indexrelid::bigint = ANY(%s) RETURNING 1", seen, [oid for oid, _ in self._built.values()]
        )

    def costs(self, chosen: Sequence[Index]) -> list[float]:
        """The planner's estimate for every query of the workload."""
        return [cost for cost, _ in self.plans(chosen)]

    def plans(self, chosen: Sequence[Index]) -> list[tuple[float, list[float]]]:
        """The planner's estimate for every query, and the numbers of its plan (`features`)."""
        known = self._known.plans
        keys = [(number, tuple(index for index in chosen if index in self._relevant[number]))
                for number in range(len(self._problem.queries))]  # fmt: skip
        missing = [key for key in keys if key not in known]
        if missing:
            (self._suppose if self.hypothetical else self.show)(chosen)
            for key in missing:
                told = self.session.run(f"EXPLAIN (FORMAT JSON) {self._problem.queries[key[0]].text}")
                plan = json.loads(told.get_value(0, 0) or b"")[0]["Plan"]
                known[key] = float(plan["Total Cost"]), features(plan).tolist()
        return [known[key] for key in keys]

    def measured(self, chosen: Sequence[Index]) -> list[float]:
        """Milliseconds of CPU time of every query under these indexes; three times the default at most.

        Raises:
            InvalidAnswer: A query gives other rows.
        """
        self.show(chosen)
        return [self._measure(query) for query in self._problem.queries]

    def _measure(self, query: Query) -> float:
        # Indexes that come into sight empty the backend's caches of the catalogue: planned once, they are full again.
        self.session.run(f"EXPLAIN {query.text}")
        self.session.send(f"SAVEPOINT query; SET LOCAL statement_timeout = {max(1, round(query.patience_ms))}".encode())
        cpu = self.session.cpu_s()
        try:
            result = self.session.run(query.text)
        except StatementError as error:
            if error.status is not Status.TIMEOUT:
                raise
            self.session.send(b"ROLLBACK TO query")
            return query.worst_ms
        took = 1e3 * (self.session.cpu_s() - cpu)
        self.session.send(f"RELEASE query; SET LOCAL statement_timeout = {LONGEST_MS}".encode())
        if (result.ntuples, digest_of(result)) != (query.rows, query.digest):
            raise InvalidAnswer("with these indexes a query gives other rows than without")
        return min(took, query.worst_ms)


def run(problem: Problem, policy: Policy, seed: int, deadline: float | None) -> Outcome:
    """Answer what-if questions until the policy chooses, then build what it chose in a new transaction, and measure.

    Raises:
        InvalidAnswer: An answer is none, or holds more bytes than the budget.
        DeadlineReached: The time was up.
    """
    known = sorted({index for query in problem.queries for index in candidates(query.text)})
    told = {"queries": [query.text for query in problem.queries], "budget": problem.budget,
            "candidates": [list(index) for index in known], "tables": dict(problem.tables),
            "default_ms": [query.cpu_ms for query in problem.queries]}  # fmt: skip
    began, asked, measured = time.perf_counter(), 0, 0
    session = policy.start(View("indexes", told, deadline=deadline), seed)
    start_s, decide_s, seen = time.perf_counter() - began, 0.0, dict[str, Any]()
    try:
        with Bench(problem) as bench:
            while True:
                before = time.perf_counter()
                answer = session.decide(seen)
                decide_s += time.perf_counter() - before
                asked += 1
                if deadline is not None and time.monotonic() > deadline:
                    raise DeadlineReached("time was up before the indexes were chosen")
                kind, chosen = _read(answer, known)
                if kind == "choose":
                    break
                measured += kind == "measure"
                if measured > MEASUREMENTS:
                    raise InvalidAnswer(f"more than {MEASUREMENTS} configurations are measured")
                costs = bench.measured(chosen) if kind == "measure" else bench.costs(chosen)
                seen = {"costs": costs, "bytes": [bench.bytes(index) for index in chosen],
                        "plans": [numbers for _, numbers in bench.plans(chosen)]}  # fmt: skip
        advise_s = time.perf_counter() - began
        with Bench(problem, real=True) as bench:
            held = sum(bench.bytes(index) for index in chosen)
            if held > problem.budget:
                raise InvalidAnswer(f"the indexes hold {held:,} bytes; the budget is {problem.budget:,}")
            costs = bench.measured(chosen)
            estimate, plain = sum(bench.costs(chosen)), sum(bench.costs(()))
    except StatementError as error:
        status = error.status if error.status is not Status.TIMEOUT else Status.CRASHED
        return Outcome(float("nan"), status, decisions=asked, message=str(error))
    metrics = {"indexes": float(len(chosen)), "bytes": float(held), "advise_s": advise_s, "measured": float(measured),
               "estimated_gain": plain / max(estimate, 1e-9), "default_ms": sum(one.cpu_ms for one in problem.queries),
               **{f"query_{number}_ms": took for number, took in enumerate(costs)}}  # fmt: skip
    return Outcome(sum(costs), decisions=asked, start_s=start_s, decide_s=decide_s, metrics=metrics)


def _read(answer: Any, known: Sequence[Index]) -> tuple[str, tuple[Index, ...]]:
    """What an answer asks for, and which indexes it is about."""
    if isinstance(answer, Mapping) and len(answer) == 1:
        kind, value = next(iter(answer.items()))
        chosen = checked(value, known)
        if kind in ("what_if", "measure", "choose") and chosen is not None:
            return str(kind), chosen
    raise InvalidAnswer(f"an answer is what_if, measure or choose with a list of candidates, and not {answer!r:.80}")
