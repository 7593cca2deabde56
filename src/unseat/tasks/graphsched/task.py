"""The task `graphsched`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from unseat.core.answers import solve
from unseat.core.card import Card
from unseat.core.outcome import Limits, Outcome
from unseat.core.policy import Form, InvalidAnswer, Policy, Question
from unseat.core.sources import SourcedTask
from unseat.core.task import Exported, Instance, Objective, Task

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

    from unseat.core.learner import Contender
    from unseat.tasks.graphsched.engine.problem import Problem
    from unseat.tasks.graphsched.suites import Source

PLAN = Question("Which operators run together, cut how, in which order, and what stays in the fast memory?")
WORST = 1e18
"""What a run counts with whose problem could not even be loaded."""


class Options(BaseModel):
    """Options of `unseat run graphsched --data FILE_OR_FOLDER`: none; a file says everything."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class GraphSchedTask(SourcedTask["Source"]):
    """Which operators run together, cut how, in which order, and what stays in the fast memory?"""

    forms = frozenset({Form.DECIDE, Form.ANSWERS})
    options = Options

    def __init__(self, sources: Sequence[Source] | None = None) -> None:
        super().__init__(sources)
        self.card = _card()
        self.objective = Objective("latency", "", worst=lambda problem, limits: worst(problem) if problem else WORST)

    def built_in(self) -> Sequence[Source]:
        """The sources of both suites."""
        from unseat.tasks.graphsched.suites import built_in

        return built_in()

    @property
    def questions(self) -> Mapping[str, Question]:
        """One question, put once."""
        return {"plan": PLAN}

    def content(self, instance: Instance) -> str:
        """Hash of what it is drawn from, or of its file, and of the time that is given."""
        source = self.sources[instance.id]
        return hashlib.sha256(f"{source.digest()} {source.seconds}".encode()).hexdigest()

    def run(self, problem: Problem, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        """Ask once, for as long as the instance gives; the answer is scored when the clock has stopped."""
        return solve(policy, "plan", PLAN, problem.facts(), seed=seed, limits=limits.within(problem.seconds))

    def score(self, problem: Problem, answer: Any) -> Outcome:
        """The sum of the subgraphs' latencies; what the answer says of them itself does not count."""
        from unseat.tasks.graphsched.engine.latency import BadSubgraph
        from unseat.tasks.graphsched.engine.schedule import Evaluator, from_json

        steps = from_json(answer, problem)
        try:
            took = Evaluator(problem).latencies(steps)
        except BadSubgraph as error:
            raise InvalidAnswer(str(error)) from error
        if max(took) == float("inf"):
            raise InvalidAnswer(f"step {took.index(max(took))} does not fit into the fast memory")
        return Outcome(sum(took), metrics={"steps": float(len(steps))})

    def contenders(self) -> Mapping[str, Contender]:
        """Incumbents, challengers, the bound."""
        from unseat.tasks.graphsched.contenders import contenders

        return contenders()

    def open(self, source: str, options: Mapping[str, Any]) -> Task:
        """A file of the contest's format, or a folder of them."""
        from unseat.tasks.graphsched.suites import opened

        return GraphSchedTask(opened(source))

    def draw(self, rng: np.random.Generator, folder: Path) -> None:
        from unseat.tasks.graphsched.drawing import draw

        draw(rng, folder)

    def exporters(self) -> Mapping[str, Exported]:
        """A schedule in the contest's JSON."""
        from unseat.tasks.graphsched.exporters import exporters

        return exporters(self.sources)

    def figures(self, instance: Instance, policies: Mapping[str, Policy], seed: int) -> Mapping[str, Figure]:
        """Each policy's subgraphs over time, and what bounds them."""
        from unseat.tasks.graphsched.figures import timeline

        return {"Subgraphs over time": timeline(self.load(instance), policies, seed)}

    def warm(self) -> None:
        """Compile the loops."""
        from unseat.tasks.graphsched.data.generators import Recipe, generate
        from unseat.tasks.graphsched.engine.schedule import Evaluator
        from unseat.tasks.graphsched.solver.anneal import anneal
        from unseat.tasks.graphsched.solver.partitions import single

        problem = generate(Recipe("chain", 0, 1))
        evaluator, looks = Evaluator(problem), iter((0.0, 1.0))
        steps = single(problem)
        evaluator.total([step for _, step in evaluator.completed(steps)])
        anneal(problem, steps, lambda: next(looks), lambda better, took: None, seed=0, weights={})


def worst(problem: Problem) -> float:
    """More than one operator a step takes: every element of every tile's inputs moved for each native tile alone."""
    total = 0.0
    for op, tensor in enumerate(problem.outputs):
        size = problem.size[tensor]
        total += size * (problem.costs[op] + (2 * problem.reduction(op) + 4) / problem.bandwidth)
    return 10 * total


@lru_cache(maxsize=1)
def _card() -> Card:
    return Card.read(Path(__file__).with_name("card.toml"))
