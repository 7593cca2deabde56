"""The tasks `query`, `query-orders` and `query-duckdb` on small tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from unseat.core.learner import Contender
from unseat.core.task import Task
from unseat.tasks.database.query.suites import Source, generated
from unseat.tasks.database.query.task import QueryTask
from unseat.testing import TaskSuite, check_baselines

SCALE = 0.1

DRAWS = {("owner-votes/count", 0): (1,), ("owner-comments/group", 0): (0,), ("votes-links/group", 2): (0,),
         ("history-votes/group", 3): (0,), ("owner-comments-badges/count", 3): (1,)}  # fmt: skip
"""Templates and seeds to draws of their parameters; the last two are to judge by."""


def sources(space: str = "query") -> list[Source]:
    """Every instance is in both suites."""
    made = generated(1.0, DRAWS, "duckdb") if space == "query-duckdb" else generated(SCALE, DRAWS)
    return [replace(one, suites=frozenset({"quick", "full"})) for one in made]


class SmallQuery(QueryTask):
    """The task, quickly loaded."""

    def __init__(self, space: str = "query") -> None:
        super().__init__(sources(space), space)

    def contenders(self) -> Mapping[str, Contender]:
        """All but those whose reading of a text takes longer than these small queries."""
        return {name: one for name, one in super().contenders().items() if not name.startswith("LLMSteer")}


class SmallDuck(SmallQuery):
    """The task on DuckDB."""

    def __init__(self) -> None:
        super().__init__("query-duckdb")


class SmallSuite(TaskSuite):
    """The contract, where a few queries are judged."""

    def test_baselines(self, task: Task) -> None:
        """No unlisted random policy wins; every hint set is what `best fixed` may answer, so no constant is unlisted.

        Of two queries any of them may be the best, and of one plan the one that is planned a little faster.
        """
        check_baselines(task, self.policies(task), self.instances(task), actions=())
