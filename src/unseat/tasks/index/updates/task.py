"""The task `index-updates`."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unseat.core.card import Card
from unseat.core.outcome import Limits, Outcome
from unseat.core.policy import Form, InvalidAnswer, Policy, Question
from unseat.core.task import Instance, Objective, Task
from unseat.tasks.index.updates.suites import Options, Source, built_in, opened

if TYPE_CHECKING:
    from unseat.core.learner import Contender
    from unseat.tasks.index.updates.problem import Problem

WORST_NS = 5000.0
"""What a failed run counts with: what an operation on a sorted container in Python takes at ten million keys."""


class UpdatesTask(Task):
    """Which structure holds an ordered map that changes?"""

    forms = frozenset({Form.DECIDE})
    options = Options

    def __init__(self, sources: Sequence[Source] | None = None) -> None:
        super().__init__()
        self.card = _card()
        self.objective = Objective("time of an operation", "ns", worst=lambda problem, limits: WORST_NS)
        self._sources = sources

    @cached_property
    def sources(self) -> Sequence[Source]:
        """The key sets."""
        return built_in() if self._sources is None else self._sources

    @cached_property
    def questions(self) -> Mapping[str, Question]:
        """One question, put for a batch of operations. It has no spaces: a result is right or wrong.

        A session's `decide` gets (ops uint8 [m], keys [m], values int64 [m]) and gives (results int64 [m],
        done bool [m]), as `unseat.structures.operations.OrderedMap.apply` says.
        """
        return {"apply": Question("What do these operations on an ordered map give, one after the other?")}

    def instances(self) -> Sequence[Instance]:
        """Every key set under its mixes."""
        return [instance for source in self.sources for instance in source.instances()]

    def load(self, instance: Instance) -> Problem:
        """Generate or read the keys; the last few sets are kept."""
        from unseat.tasks.index.updates.problem import Problem

        keys = self._by_instance[instance.id].keys()
        return Problem(keys, instance.facts["mix"], instance.facts["operations"])

    def content(self, instance: Instance) -> str:
        """Hash of the keys, the mix and the number of operations."""
        told = f"{self._by_instance[instance.id].digest()} {sorted(instance.facts.items())}"
        return hashlib.sha256(told.encode()).hexdigest()

    def run(self, problem: Problem, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        """Let the policy load its structure, and time operations on it."""
        from unseat.tasks.index.updates import engine

        if policy.form is not Form.DECIDE:
            raise InvalidAnswer(f"this task takes policies of the form decide, not {policy.form}")
        deadline = None if limits.wall_s is None else time.monotonic() + limits.wall_s
        workload = problem.workload(seed)
        view = problem.view(workload, deadline)
        began = time.perf_counter()
        session = policy.start(view, seed)
        start_s = time.perf_counter() - began
        return engine.outcome(workload, session, engine.clock(workload, session.decide, deadline), start_s)

    def contenders(self) -> Mapping[str, Contender]:
        """The B+-tree and the learned index, each as published and tuned."""
        from unseat.tasks.index.updates.contenders import contenders

        return contenders()

    def open(self, source: str, options: Mapping[str, Any]) -> Task:
        """A file of keys, under the mixes that were asked for."""
        return UpdatesTask(opened(source, options))

    def warm(self) -> None:
        """Compile both structures for each type of keys."""
        from unseat.tasks.index.updates.warming import warm

        warm()

    @cached_property
    def _by_instance(self) -> Mapping[str, Source]:
        return {instance.id: source for source in self.sources for instance in source.instances()}


@lru_cache(maxsize=1)
def _card() -> Card:
    return Card.read(Path(__file__).with_name("card.toml"))
