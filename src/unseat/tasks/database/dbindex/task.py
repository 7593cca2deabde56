"""The task `dbindex`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unseat.core.card import Card
from unseat.core.outcome import Limits, Outcome
from unseat.core.policy import Form, Policy, Question
from unseat.core.task import Instance, Need, Objective, Task
from unseat.tasks.database.dbindex.options import Options

if TYPE_CHECKING:
    from unseat.core.learner import Contender
    from unseat.tasks.database.dbindex.engine import Problem
    from unseat.tasks.database.dbindex.suites import Workload

WORST_MS = 5000.0
"""What a run counts with whose problem could not even be loaded."""


class DbIndexTask(Task):
    """Which indexes does a workload get?"""

    forms = frozenset({Form.DECIDE})
    options = Options

    def __init__(self, workloads: Sequence[Workload] | None = None) -> None:
        super().__init__()
        self.card = _card()
        self.objective = Objective(
            "CPU time of the workload", "ms",
            worst=lambda problem, limits: WORST_MS if problem is None else problem.worst_ms,
        )  # fmt: skip
        self._workloads = workloads

    @cached_property
    def workloads(self) -> Mapping[str, Workload]:
        """The instances' workloads by id."""
        from unseat.tasks.database.dbindex.suites import built_in

        return {one.name: one for one in (built_in() if self._workloads is None else self._workloads)}

    @cached_property
    def questions(self) -> Mapping[str, Question]:
        """One question, put until the policy chooses."""
        return {"indexes": Question("Which indexes does this workload get, or what would these cost?")}

    def instances(self) -> Sequence[Instance]:
        """Workloads at budgets."""
        return [workload.instance() for workload in self.workloads.values()]

    def load(self, instance: Instance) -> Problem:
        """Start the server, load the tables, and run the workload without indexes; kept for this process."""
        return _loaded(self.workloads[instance.id])

    def run(self, problem: Problem, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        """Let the policy choose, build, and measure."""
        from unseat.tasks.database.dbindex import engine

        return engine.run(problem, policy, seed, limits.deadline())

    def contenders(self) -> Mapping[str, Contender]:
        """Published advisors, and two that measure."""
        from unseat.tasks.database.dbindex.contenders import contenders

        return contenders()

    def open(self, source: str, options: Mapping[str, Any]) -> Task:
        """A PostgreSQL server of one's own, and a folder of queries."""
        from unseat.tasks.database.dbindex.suites import opened

        return DbIndexTask(opened(source, options))

    def needs(self) -> Sequence[Need]:
        """PostgreSQL, its driver, and HypoPG."""
        from unseat.tasks.database.engine.doctor import index_needs

        return index_needs()


@lru_cache(maxsize=128)
def _loaded(workload: Workload) -> Problem:
    from unseat.tasks.database.dbindex.engine import open_problem

    return open_problem(workload.database, workload.texts, workload.share)


@lru_cache(maxsize=1)
def _card() -> Card:
    return Card.read(Path(__file__).with_name("card.toml"))
