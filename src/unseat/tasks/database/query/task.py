"""The task `query`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unseat.core.card import Card
from unseat.core.errors import UserError
from unseat.core.outcome import Limits, Outcome
from unseat.core.policy import Form, Policy, Question
from unseat.core.task import Exported, Instance, Need, Objective, Task
from unseat.tasks.database.query.options import Options

if TYPE_CHECKING:
    from unseat.core.learner import Contender
    from unseat.tasks.database.query.problem import Problem
    from unseat.tasks.database.query.space import Space
    from unseat.tasks.database.query.suites import Source

WORST_MS = 2000.0
"""What a run counts with whose problem could not even be loaded."""


class QueryTask(Task):
    """Which hint set does this query run under?"""

    forms = frozenset({Form.DECIDE})
    options = Options

    def __init__(self, sources: Sequence[Source] | None = None, space: str = "query") -> None:
        super().__init__()
        self.card, self._space = _card(space), space
        self.objective = Objective(
            "CPU time of the workload", "ms",
            worst=lambda problem, limits: WORST_MS if problem is None else problem.worst_ms,
        )  # fmt: skip
        self._sources = sources

    @cached_property
    def sources(self) -> Mapping[str, Source]:
        """The instances' sources by id."""
        from unseat.tasks.database.query.suites import built_in

        made = partial(built_in, "duckdb" if self._space == "query-duckdb" else "postgres")
        return {one.name: one for one in (made() if self._sources is None else self._sources)}

    @cached_property
    def space(self) -> Space:
        """What may be done to a query."""
        from unseat.tasks.database.query.space import SPACES

        return SPACES[self._space]

    @cached_property
    def questions(self) -> Mapping[str, Question]:
        """One question a query, put again after each plan that was asked for."""
        from unseat.tasks.database.query.question import QUESTION, question

        return {QUESTION: question(self.space)}

    def instances(self) -> Sequence[Instance]:
        """Templates on data of seeds, or a user's files."""
        return [source.instance() for source in self.sources.values()]

    def content(self, instance: Instance) -> str:
        """Hash of the queries, of the tables, and of where they are."""
        told = f"{instance.id} {sorted(instance.facts.items())} {self.source}"
        return hashlib.sha256(told.encode()).hexdigest()

    def load(self, instance: Instance) -> Problem:
        """Start the server, load the tables, and run the queries under the default plan; kept for this process."""
        return _loaded(self.sources[instance.id], self._space)

    def run(self, problem: Problem, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        """Ask about every query, run it, and check its rows."""
        from unseat.tasks.database.query import engine

        return engine.run(problem, policy, self.questions["hints"], seed, limits.deadline())

    def contenders(self) -> Mapping[str, Contender]:
        """Incumbents, challengers, baselines, and the best known."""
        from unseat.tasks.database.query.contenders import contenders

        return contenders(self.space)

    def open(self, source: str, options: Mapping[str, Any]) -> Task:
        """Published queries, a TPC benchmark, or a PostgreSQL server of one's own and a folder of queries."""
        from unseat.tasks.database.query.suites import opened

        if self._space == "query-duckdb":
            raise UserError("query-duckdb has generated data only; unseat run query --data SOURCE")
        return QueryTask(opened(source, options), self._space)

    def exporters(self) -> Mapping[str, Exported]:
        """Hints for pg_hint_plan, where they are what is chosen."""
        if self._space != "query":
            return {}
        from unseat.tasks.database.query.exporters import exporters

        return exporters(self)

    def needs(self) -> Sequence[Need]:
        """PostgreSQL, its driver, and what single contenders need."""
        from unseat.tasks.database.engine.doctor import duck_needs, needs

        return duck_needs() if self._space == "query-duckdb" else needs()

    def warm(self) -> None:
        """Compile what walks trees; a server's start and the loading of its data belong on no clock either."""
        import numpy as np

        from unseat.learn.trees import score
        from unseat.tasks.database.query import encoder
        from unseat.tasks.database.query.suites import Ducked, Generated

        for database in {one.database for one in self.sources.values() if "quick" in one.suites}:
            if isinstance(database, Generated):
                _ = database.dsn
            elif isinstance(database, Ducked):
                _ = database.path
        if encoder.found() is not None and find_spec("tokenizers") is not None:
            encoder.encoder()
        none, node = np.zeros(0, np.int32), np.zeros((0, 2), np.int32)
        score(np.zeros(1), none, np.zeros(0), node, np.zeros(1), none)


@lru_cache(maxsize=512)
def _loaded(source: Source, space: str) -> Problem:
    from unseat.tasks.database.query.problem import load
    from unseat.tasks.database.query.space import SPACES

    return load(source.database, source.texts, SPACES[space])


@lru_cache(maxsize=4)
def _card(space: str) -> Card:
    return Card.read(Path(__file__).with_name(f"card{space.removeprefix('query')}.toml"))
