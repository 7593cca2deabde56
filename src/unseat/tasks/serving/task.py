"""The task `serving`."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unseat.core.card import Card
from unseat.core.outcome import Limits, Outcome
from unseat.core.policy import Asker, DeadlineReached, Form, Policy, Question
from unseat.core.sources import SourcedTask
from unseat.core.task import Exported, Instance, Need, Objective, Task
from unseat.tasks.serving.options import Options

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

    from unseat.core.learner import Contender
    from unseat.sandbox.programs import Offer
    from unseat.tasks.serving.engine.layout import State
    from unseat.tasks.serving.problem import Problem
    from unseat.tasks.serving.suites import Own, Source
    from unseat.tasks.serving.vector_env import ServingVectorEnv

STRICT = 0.99
"""The attainment of the metric `goodput_99`, which is found to a tenth."""

WORST = 1e-6
"""What a run counts with whose problem could not even be loaded, in requests a second."""


class ServingTask(SourcedTask["Source | Own"]):
    """Which requests run in the next batch, how much of each prompt, who is preempted, and where does a request go?"""

    forms = frozenset({Form.DECIDE, Form.KERNEL, Form.PROGRAM, Form.FUSED})
    options = Options
    kept = 32
    recorded = "recorded.jsonl"
    no_folds = (
        "the parts of a trace follow each other in time, so a policy would learn from what came later; use --split"
    )

    def __init__(self, sources: Sequence[Source | Own] | None = None) -> None:
        super().__init__(sources)
        self.card = _card()
        self.objective = Objective(
            "goodput", "requests/s", worst=lambda problem, limits: problem.worst if problem else WORST, minimise=False
        )

    def built_in(self) -> Sequence[Source | Own]:
        """The sources of both suites."""
        from unseat.tasks.serving.suites import built_in

        return built_in()

    @cached_property
    def questions(self) -> Mapping[str, Question]:
        """Batch, route, preempt, admit."""
        from unseat.tasks.serving.question import questions

        return questions()

    def default(self, question: str) -> Policy:
        """In order of coming, to the replica with the fewest requests, preempting the last, refusing nobody."""
        from unseat.tasks.serving.incumbents import Default

        return Default("default", question)

    def run(self, problem: Problem, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        """Find the goodput, and run once more at a fixed load."""
        from unseat.tasks.serving.engine.layout import DECISIONS
        from unseat.tasks.serving.kernels import play as play_kernel
        from unseat.tasks.serving.policies import Fused
        from unseat.tasks.serving.problem import measured, sound
        from unseat.tasks.serving.question import ask

        deadline, spent = limits.deadline(), 0
        began = time.perf_counter()
        sessions = {name: self.player(policy, name).start(problem.view(name, deadline), seed)
                    for name in self.questions}  # fmt: skip
        start_s = time.perf_counter() - began
        fused = next((session for session in sessions.values() if isinstance(session, Fused)), None)
        kernel = sessions["batch"].kernel
        askers = {name: Asker(session, self.questions[name], deadline) for name, session in sessions.items()}

        def play(s: State) -> None:
            nonlocal spent
            if fused:
                fused.play(s)
            elif kernel:
                play_kernel(s, kernel)
            else:
                ask(s, askers)
            spent += int(s.g[DECISIONS])

        value = problem.goodput(play, seed, problem.attainment, deadline)
        strict = problem.goodput(play, seed, STRICT, deadline, begin=value / 2, steps=3)
        state = problem.begin(seed, problem.capacity / 2)
        play(state)
        sound(state)
        if deadline is not None and time.monotonic() > deadline:
            raise DeadlineReached("time was up before the run at a fixed load")
        decide_s = None if fused or kernel else sum(asker.decide_s for asker in askers.values())
        return Outcome(value, decisions=spent, start_s=start_s, decide_s=decide_s,
                       metrics={**measured(state), "goodput_99": strict})  # fmt: skip

    def contenders(self) -> Mapping[str, Contender]:
        """Incumbents, tuned incumbents, challengers, the bound and the baseline."""
        from unseat.tasks.serving.contenders import contenders

        return contenders()

    def program(self) -> Offer:
        """A score for the requests that wait."""
        from unseat.tasks.serving.challengers.programs import offer

        return offer()

    def vector_env(self, instances: Sequence[Instance], question: str = "route") -> ServingVectorEnv:
        """Clusters that are stepped together, one an instance, which ask `route` or `admit`.

        Raises:
            UserError: It is another question.
        """
        from unseat.core.errors import UserError
        from unseat.tasks.serving.vector_env import ASKS, ServingVectorEnv

        if question not in ASKS:
            raise UserError(f"a native environment asks {' or '.join(ASKS)}, not {question!r}")
        return ServingVectorEnv([self.load(one) for one in instances], question, self.questions[question])

    def figures(self, instance: Instance, policies: Mapping[str, Policy], seed: int) -> Mapping[str, Figure]:
        """How many requests are on time at which rate, and both times of all requests at one."""
        from unseat.tasks.serving.figures import attainment, latencies

        problem = self.load(instance)
        return {
            "On time, by rate": attainment(problem, policies, seed),
            "Latencies": latencies(problem, policies, seed),
        }

    def open(self, source: str, options: Mapping[str, Any]) -> Task:
        """A file of requests, or a folder of them, at the cluster that was asked for."""
        from unseat.tasks.serving.suites import opened

        return ServingTask(opened(source, options))

    def draw(self, rng: np.random.Generator, folder: Path) -> None:
        from unseat.tasks.serving.drawing import draw

        draw(rng, folder)

    def exporters(self) -> Mapping[str, Exported]:
        """One Python file that needs nothing."""
        from unseat.tasks.serving.exporters import exporters

        return exporters()

    def record(self, command: Sequence[str] | None, log: Path | None, output: Path) -> str:
        """Requests from the access log that a server writes, or has written."""
        from unseat.tasks.serving.recorder import record

        said = record(command or (), log, output)
        return f"{said}\nnext: unseat run {self.card.id} --data {output} --replicas 2"

    def needs(self) -> Sequence[Need]:
        """A local server, to hold the simulator against a real one."""
        purpose = "a real server beside the simulator; unseat serve serving"
        return [
            Need("xllamacpp", _version("xllamacpp"), "0.2 or newer", "pip install 'unseat[serving]'", True, purpose),
            Need("aiohttp", _version("aiohttp"), "3.9 or newer", "pip install 'unseat[serving]'", True, purpose),
        ]

    def warm(self) -> None:
        """Compile the loops."""
        from unseat.tasks.serving.warming import warm

        warm()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


@lru_cache(maxsize=1)
def _card() -> Card:
    return Card.read(Path(__file__).with_name("card.toml"))
