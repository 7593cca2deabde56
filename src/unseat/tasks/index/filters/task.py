"""The task `index-filter`."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unseat.core.card import Card
from unseat.core.outcome import Limits, Outcome
from unseat.core.policy import DeadlineReached, Form, InvalidAnswer, Policy, Question
from unseat.core.task import Instance, Objective, Task
from unseat.tasks.index.filters.suites import Options, Source, built_in, opened

if TYPE_CHECKING:
    from unseat.core.learner import Contender
    from unseat.tasks.index.filters.problem import Problem

WORST_BITS = 128.0
"""What a failed run counts with: a hash table of the keys' hashes, with a place each."""


class FilterTask(Task):
    """How few bits tell a set's strings from others?"""

    forms = frozenset({Form.DECIDE})
    options = Options

    def __init__(self, sources: Sequence[Source] | None = None) -> None:
        super().__init__()
        self.card = _card()
        self.objective = Objective("bits a key", "bits", worst=lambda problem, limits: WORST_BITS)
        self._sources = sources

    @cached_property
    def sources(self) -> Mapping[str, Source]:
        """The sets by name."""
        sources = built_in() if self._sources is None else self._sources
        return {source.name: source for source in sources}

    @cached_property
    def questions(self) -> Mapping[str, Question]:
        """One question, put for a batch of strings. It has no spaces: strings are of any length."""
        text = (
            "Which of these strings (`Strings`) may be in the set? Answer bool[n]; the session's `nbytes` is charged."
        )
        return {"contains": Question(text)}

    def instances(self) -> Sequence[Instance]:
        """Every set at every size."""
        return [instance for source in self.sources.values() for instance in source.instances()]

    def load(self, instance: Instance) -> Problem:
        """Read or generate the strings, and divide the non-keys."""
        return self.sources[instance.series].problem(instance.facts["keys"])

    def content(self, instance: Instance) -> str:
        """Hash of the strings, the number of keys and the rate."""
        told = f"{self.sources[instance.series].digest()} {sorted(instance.facts.items())}"
        return hashlib.sha256(told.encode()).hexdigest()

    def run(self, problem: Problem, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        """Let the policy build its filter, and judge it."""
        from unseat.tasks.index.filters.problem import judge

        deadline = None if limits.wall_s is None else time.monotonic() + limits.wall_s
        began = time.perf_counter()
        session = policy.start(problem.view(deadline), seed)
        start_s = time.perf_counter() - began
        nbytes = getattr(session, "nbytes", None)
        if not isinstance(nbytes, int) or nbytes < 0:
            raise InvalidAnswer(f"the session's nbytes is {nbytes!r}, not the bytes that its filter holds")
        value, metrics = judge(problem, session.decide, nbytes, seed)
        if deadline is not None and time.monotonic() > deadline:
            raise DeadlineReached("time was up before the filter was judged")
        decisions = len(problem.keys) + len(problem.asked)
        return Outcome(value, decisions=decisions, start_s=start_s, metrics=metrics)

    def contenders(self) -> Mapping[str, Contender]:
        """Filters over hashes, learned ones, and what is best known for hashes."""
        from unseat.tasks.index.filters.contenders import contenders

        return contenders()

    def open(self, source: str, options: Mapping[str, Any]) -> Task:
        """A text file of keys, a line each, and one of non-keys (`--others`)."""
        return FilterTask(opened(source, options))

    def warm(self) -> None:
        """Compile every filter."""
        from unseat.tasks.index.filters.problem import divided

        words = [f"{number**3:x}" for number in range(600)]
        problem = divided(words[:300], words[300:], 0.25)
        for contender in self.contenders().values():
            policy = contender.make()
            if isinstance(policy, Policy):
                policy.start(problem.view(), 0).decide(problem.asked)


@lru_cache(maxsize=1)
def _card() -> Card:
    return Card.read(Path(__file__).with_name("card.toml"))
