"""The task `index`."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unseat.core.card import Card
from unseat.core.outcome import Limits, Outcome
from unseat.core.policy import Form, Policy, Question, Signature
from unseat.core.task import Exported, Instance, Need, Objective, Task
from unseat.tasks.index.options import Options
from unseat.tasks.index.suites import Source, built_in, opened

if TYPE_CHECKING:
    from unseat.core.learner import Contender
    from unseat.tasks.index.problem import Problem

WORST_NS = 2500.0
"""What a run counts with whose problem could not even be loaded: twice numpy.searchsorted on ten million keys."""


class IndexTask(Task):
    """Where is this key in the sorted array?"""

    forms = frozenset({Form.DECIDE, Form.KERNEL, Form.FUSED})
    options = Options

    def __init__(self, sources: Sequence[Source] | None = None) -> None:
        super().__init__()
        self.card = _card()
        self.objective = Objective(
            "time of a lookup", "ns", worst=lambda problem, limits: WORST_NS if problem is None else problem.worst
        )
        self._sources = sources

    @cached_property
    def sources(self) -> Sequence[Source]:
        """The key sets; one may come twice, with other budgets."""
        return built_in() if self._sources is None else self._sources

    @cached_property
    def questions(self) -> Mapping[str, Question]:
        """One question, put for a batch of lookups. It has no spaces: an answer is right or wrong."""
        kernel = Signature({"code": "uint64, the order-preserving code of the key that is looked up"},
                           "(int, int): the number of smaller keys lies between the two, both included")  # fmt: skip
        return {"locate": Question("How many keys of the sorted array are less than each of these?", kernel=kernel)}

    def instances(self) -> Sequence[Instance]:
        """Every key set at every budget."""
        return [instance for source in self.sources for instance in source.instances()]

    def load(self, instance: Instance) -> Problem:
        """Read or generate the keys; the last few sets are kept."""
        from unseat.tasks.index.problem import Problem

        source = self._source(instance)
        return Problem(source.keys(), source.budget(instance.facts["budget"]), instance.facts["lookups"])

    def content(self, instance: Instance) -> str:
        """Hash of the keys, the budget and the number of lookups."""
        facts = f"{self._source(instance).digest()} {sorted(instance.facts.items())}"
        return hashlib.sha256(facts.encode()).hexdigest()

    def run(self, problem: Problem, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        """Let the policy build its index, and time lookups in it."""
        from unseat.tasks.index import engine
        from unseat.tasks.index.policies import Built

        deadline = None if limits.wall_s is None else time.monotonic() + limits.wall_s
        view = problem.view(deadline)
        began = time.perf_counter()
        session = policy.start(view, seed)
        start_s = time.perf_counter() - began
        del view  # With it goes the copy of the keys, unless the session holds it.
        copies = isinstance(policy, Built) and policy.copies
        nbytes = engine.held(problem, session, policy.form, copies)
        answer = engine.answerer(problem, session, policy.form)
        return engine.outcome(problem, engine.clock(problem, answer, seed, deadline), nbytes, start_s)

    def contenders(self) -> Mapping[str, Contender]:
        """Incumbents, tuned incumbents, challengers, baseline and bound."""
        from unseat.tasks.index.contenders import contenders

        return contenders()

    def open(self, source: str, options: Mapping[str, Any]) -> Task:
        """A file of keys, or a published set by its name, at the budgets that were asked for."""
        return IndexTask(opened(source, options))

    def exporters(self) -> Mapping[str, Exported]:
        """An index built on a file of keys: a C++ header, or the structure's arrays."""
        from unseat.tasks.index.exporters import exporters

        return exporters(self._sources)

    def record(self, command: Sequence[str] | None, log: Path | None, output: Path) -> str:
        """Keys from what a program prints, from a log, or from the files below a folder."""
        from unseat.tasks.index import recorder

        if log is None:
            count, what, column = recorder.record(command or (), output), "numbers", ""
        elif log.is_dir():
            count, what = recorder.from_folder(log, output), f"files' {', '.join(recorder.FILE_COLUMNS)}"
            column = f" --column {recorder.FILE_COLUMNS[0]}"
        else:
            count, what, column = recorder.from_log(log, output), "numbers", ""
        return f"{count:,} {what} written to {output}\nnext: unseat run {self.card.id} --data {output}{column}"

    def needs(self) -> Sequence[Need]:
        """A library to read Parquet."""
        from unseat.tasks.index.readers import parquet_library

        purpose = "unseat run index --data KEYS.parquet"
        return [
            Need("Parquet reader", parquet_library(), "pyarrow, Polars or DuckDB", "pip install pyarrow", True, purpose)
        ]

    def warm(self) -> None:
        """Compile every structure for the key types of the suites."""
        from unseat.tasks.index.warming import warm

        warm()

    def _source(self, instance: Instance) -> Source:
        return self._by_instance[instance.id]

    @cached_property
    def _by_instance(self) -> Mapping[str, Source]:
        return {instance.id: source for source in self.sources for instance in source.instances()}


@lru_cache(maxsize=1)
def _card() -> Card:
    return Card.read(Path(__file__).with_name("card.toml"))
