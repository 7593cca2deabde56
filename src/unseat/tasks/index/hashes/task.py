"""The task `index-hash`."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unseat.core.card import Card
from unseat.core.outcome import Limits, Outcome
from unseat.core.policy import DeadlineReached, Form, InvalidAnswer, Policy, Question, Signature
from unseat.core.task import Instance, Objective, Task
from unseat.tasks.index.hashes.suites import Options, Source, built_in, opened

if TYPE_CHECKING:
    from unseat.core.learner import Contender
    from unseat.tasks.index.hashes.problem import Problem


class HashTask(Task):
    """Which slot of a hash table does a key go to?"""

    forms = frozenset({Form.KERNEL})
    options = Options

    def __init__(self, sources: Sequence[Source] | None = None) -> None:
        super().__init__()
        self.card = _card()
        self.objective = Objective("conflicts", "", worst=lambda problem, limits: 1.0, can_be_zero=True)
        self._sources = sources

    @cached_property
    def sources(self) -> Mapping[str, Source]:
        """The key sets by name."""
        sources = built_in() if self._sources is None else self._sources
        return {source.name: source for source in sources}

    @cached_property
    def questions(self) -> Mapping[str, Question]:
        """One question, put for a batch of keys. It has no spaces: any slot of the table is an answer."""
        arguments = {"keys": "uint64[n]", "out": "int64[n], to be filled with slots", "slots": "int"}
        kernel = Signature(arguments, "None; out[i] is from 0 to slots - 1, and the same whenever a key is asked for")
        return {"place": Question("Which slot does each of these keys go to?", kernel=kernel)}

    def instances(self) -> Sequence[Instance]:
        """Every key set at every load."""
        return [instance for source in self.sources.values() for instance in source.instances()]

    def load(self, instance: Instance) -> Problem:
        """Read or generate the keys; the last few sets are kept."""
        from unseat.tasks.index.hashes.problem import Problem

        return Problem(self.sources[instance.series].keys(), instance.facts["load"], instance.facts["lookups"])

    def content(self, instance: Instance) -> str:
        """Hash of the keys and the load."""
        told = f"{self.sources[instance.series].digest()} {sorted(instance.facts.items())}"
        return hashlib.sha256(told.encode()).hexdigest()

    def run(self, problem: Problem, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        """Let the policy make its function, count conflicts, and look keys up in tables that use it."""
        from unseat.tasks.index.footprint import footprint
        from unseat.tasks.index.hashes.problem import conflicts, function, probes

        if policy.form is not Form.KERNEL:
            raise InvalidAnswer(f"this task takes compiled functions, not policies of the form {policy.form}")
        deadline = None if limits.wall_s is None else time.monotonic() + limits.wall_s
        began = time.perf_counter()
        session = policy.start(problem.view(deadline), seed)
        start_s = time.perf_counter() - began
        chosen = function(session)
        value, metrics = conflicts(problem, chosen)
        metrics |= probes(problem, chosen, seed)
        metrics["bytes"] = footprint(*session.kernel) if session.kernel else 0
        if deadline is not None and time.monotonic() > deadline:
            raise DeadlineReached("time was up before all tables were measured")
        return Outcome(value, decisions=len(problem.keys), start_s=start_s, metrics=metrics)

    def contenders(self) -> Mapping[str, Contender]:
        """Good functions, learned ones and the bound."""
        from unseat.tasks.index.hashes.contenders import contenders

        return contenders()

    def open(self, source: str, options: Mapping[str, Any]) -> Task:
        """A file of keys, at the loads that were asked for."""
        return HashTask(opened(source, options))

    def warm(self) -> None:
        """Compile every function and table."""
        import numpy as np

        from unseat.tasks.index.hashes.problem import Problem

        problem = Problem(np.arange(1000, dtype=np.uint64) ** np.uint64(2), 1.0, 1000)
        for contender in self.contenders().values():
            policy = contender.make()
            if isinstance(policy, Policy):
                self.run(problem, policy, seed=0, limits=Limits())


@lru_cache(maxsize=1)
def _card() -> Card:
    return Card.read(Path(__file__).with_name("card.toml"))
