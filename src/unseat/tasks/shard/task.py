"""The task `shard`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unseat.core.answers import solve
from unseat.core.card import Card
from unseat.core.outcome import Limits, Outcome
from unseat.core.policy import Form, Policy, Question
from unseat.core.sources import SourcedTask
from unseat.core.task import Exported, Instance, Need, Objective, Task
from unseat.tasks.shard.options import Options

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

    from unseat.core.learner import Contender
    from unseat.sandbox.programs import Offer
    from unseat.tasks.shard.engine.problem import Problem
    from unseat.tasks.shard.suites import Source

CHOOSE = Question("Which strategy does each node get? An integer for each node, in their order.")
WORST = 1e30
"""What a run counts with whose problem could not even be loaded."""


class ShardTask(SourcedTask["Source"]):
    """Which sharding strategy does each tensor operation get?"""

    forms = frozenset({Form.DECIDE, Form.ANSWERS, Form.PROGRAM})
    options = Options
    kept = 16

    def __init__(self, sources: Sequence[Source] | None = None) -> None:
        super().__init__(sources)
        self.card = _card()
        self.objective = Objective("cost", "", worst=lambda problem, limits: problem.worst() if problem else WORST)

    def built_in(self) -> Sequence[Source]:
        """The sources of both suites."""
        from unseat.tasks.shard.suites import built_in

        return built_in()

    @property
    def questions(self) -> Mapping[str, Question]:
        """One question, put once."""
        return {"strategies": CHOOSE}

    def content(self, instance: Instance) -> str:
        """Hash of what it is drawn from, or of its file, and of the time that is given."""
        source = self.sources[instance.id]
        return hashlib.sha256(f"{source.digest()} {source.seconds}".encode()).hexdigest()

    def run(self, problem: Problem, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        """Ask once, for as long as the instance gives; the answer is scored when the clock has stopped."""
        return solve(policy, "strategies", CHOOSE, problem.facts(), seed=seed, limits=limits.within(problem.seconds))

    def score(self, problem: Problem, answer: Any) -> Outcome:
        """Total cost, if the limit is kept; exact, then as the nearest float."""
        from unseat.core.policy import InvalidAnswer
        from unseat.tasks.shard.engine.problem import NO_LIMIT

        chosen = problem.checked(answer)
        peak = problem.peak(chosen)
        if problem.limit != NO_LIMIT and peak > problem.limit:
            raise InvalidAnswer(f"it uses {peak} bytes at its peak, and the limit is {problem.limit}")
        share = peak / problem.limit if problem.limit > 0 else 0.0
        return Outcome(float(problem.cost(chosen)), metrics={"peak_bytes": float(peak), "peak_share": share})

    def contenders(self) -> Mapping[str, Contender]:
        """Incumbents, challengers, the bound."""
        from unseat.tasks.shard.contenders import contenders

        return contenders()

    def open(self, source: str, options: Mapping[str, Any]) -> Task:
        """A file of the contest's format, or a folder of them."""
        from unseat.tasks.shard.suites import opened

        return ShardTask(opened(source))

    def draw(self, rng: np.random.Generator, folder: Path) -> None:
        from unseat.tasks.shard.drawing import draw

        draw(rng, folder)

    def exporters(self) -> Mapping[str, Exported]:
        """A command with the contest's interface, or a solution by operators' names."""
        from unseat.tasks.shard.exporters import exporters

        return exporters(self.sources)

    def figures(self, instance: Instance, policies: Mapping[str, Policy], seed: int) -> Mapping[str, Figure]:
        """Memory over time under each policy's answer."""
        from unseat.tasks.shard.figures import memory

        return {"Memory in use": memory(self.load(instance), policies, seed)}

    def needs(self) -> Sequence[Need]:
        """HiGHS, for the integer program."""
        try:
            found: str | None = version("highspy")
        except PackageNotFoundError:
            found = None
        return [Need("HiGHS", found, "1.7 or newer", "pip install 'unseat[solvers]'", True, "the contender ILP")]

    def program(self) -> Offer:
        """A score for the strategies of the next node."""
        from unseat.tasks.shard.programs import offer

        return offer()

    def warm(self) -> None:
        """Compile the loops."""
        from unseat.tasks.shard.warming import warm

        warm()


@lru_cache(maxsize=1)
def _card() -> Card:
    return Card.read(Path(__file__).with_name("card.toml"))
