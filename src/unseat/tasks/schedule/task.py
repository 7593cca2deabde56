"""The task `schedule`."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unseat.core.card import Card
from unseat.core.outcome import Limits, Outcome
from unseat.core.policy import Asker, DeadlineReached, Form, Policy, Question
from unseat.core.sources import SourcedTask
from unseat.core.task import Exported, Instance, Need, Objective, Task
from unseat.tasks.schedule.options import Options

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

    from unseat.core.learner import Contender
    from unseat.sandbox.programs import Offer
    from unseat.tasks.schedule.env import ScheduleEnv
    from unseat.tasks.schedule.problem import Problem
    from unseat.tasks.schedule.suites import Own, Source
    from unseat.tasks.schedule.vector_env import ScheduleVectorEnv

WORST_S = 1e6
"""What a run counts with whose problem could not even be loaded, in seconds."""


class ScheduleTask(SourcedTask["Source | Own"]):
    """Which stage of which job gets the free executors, and how many may the job hold?"""

    forms = frozenset({Form.DECIDE, Form.KERNEL, Form.PROGRAM, Form.FUSED})
    options = Options
    recorded = "recorded.json"
    no_folds = (
        "its workloads draw from the same query templates, so a policy would be judged by templates that it learned "
        "from; use --split test, whose templates are held out, or --folds with --data and a folder of your own jobs"
    )

    def __init__(self, sources: Sequence[Source | Own] | None = None) -> None:
        super().__init__(sources)
        self.card = _card()
        self.objective = Objective(
            "completion time", "s", worst=lambda problem, limits: problem.worst_s if problem else WORST_S
        )

    def built_in(self) -> Sequence[Source | Own]:
        """The sources of both suites."""
        from unseat.tasks.schedule.suites import built_in

        return built_in()

    @cached_property
    def questions(self) -> Mapping[str, Question]:
        """One question, put for the executors of one source until all of them are given away."""
        from unseat.tasks.schedule.question import assign

        return {"assign": assign()}

    def run(self, problem: Problem, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        """Run the cluster with the policy."""
        from unseat.tasks.schedule.question import serve

        deadline = limits.deadline()
        began = time.perf_counter()
        session = policy.start(problem.view(deadline), seed)
        start_s = time.perf_counter() - began
        m = problem.cluster.begin(seed)
        asker = Asker(session, self.questions["assign"], deadline)
        decide_s = serve(m, problem.cluster, asker)
        outcome = problem.outcome(m, start_s=start_s, decide_s=decide_s)
        if deadline is not None and time.monotonic() > deadline:
            raise DeadlineReached(f"time was up after {outcome.decisions} decisions")
        return outcome

    def contenders(self) -> Mapping[str, Contender]:
        """Incumbents, tuned incumbents, challengers, the bound and the baseline."""
        from unseat.tasks.schedule.contenders import contenders

        return contenders()

    def env(self, instance: Instance) -> ScheduleEnv:
        """The native environment, which pauses the engine instead of running it in a thread."""
        from unseat.tasks.schedule.env import ScheduleEnv

        return ScheduleEnv(self.load(instance), self.questions["assign"])

    def vector_env(self, instances: Sequence[Instance]) -> ScheduleVectorEnv:
        """Many clusters that are stepped together, one an instance; an instance may come several times."""
        from unseat.tasks.schedule.vector_env import ScheduleVectorEnv

        return ScheduleVectorEnv([self.load(instance) for instance in instances], self.questions["assign"])

    def open(self, source: str, options: Mapping[str, Any]) -> Task:
        """A file of jobs, or a folder of them, on the clusters that were asked for."""
        from unseat.tasks.schedule.suites import opened

        return ScheduleTask(opened(source, options))

    def program(self) -> Offer:
        """A score for the stages that wait."""
        from unseat.tasks.schedule.challengers.programs import offer

        return offer()

    def draw(self, rng: np.random.Generator, folder: Path) -> None:
        from unseat.tasks.schedule.drawing import draw

        draw(rng, folder)

    def exporters(self) -> Mapping[str, Exported]:
        """One Python file that needs NumPy only, or a Gantt picture of an instance."""
        from unseat.tasks.schedule.exporters import exporters

        return exporters(self.sources)

    def figures(self, instance: Instance, policies: Mapping[str, Policy], seed: int) -> Mapping[str, Figure]:
        """Who ran what and when, one policy above the other, and how Decima learned."""
        from unseat.tasks.schedule.figures import gantt, learning_curve

        drawn = {"Gantt chart": gantt(self.load(instance), policies, seed)}
        decima = self.contenders()["Decima"].shipped
        if decima is not None:
            drawn["Learning curve of Decima"] = learning_curve(decima().curve)  # type: ignore[attr-defined]
        return drawn

    def record(self, command: Sequence[str] | None, log: Path | None, output: Path) -> str:
        """Jobs from the event log that a Spark program writes, or has written."""
        from unseat.tasks.schedule.recorder import record

        said = record(command or (), log, output)
        return f"{said}\nnext: unseat run {self.card.id} --data {output} --executors 50"

    def needs(self) -> Sequence[Need]:
        """Java and PySpark, to hold the simulator against a real Spark and to record programs."""
        purpose = "a real Spark beside the simulator; unseat record"
        return [
            Need("java", _java(), "17 or newer", "apt-get install openjdk-17-jre-headless", True, purpose),
            Need("pyspark", _pyspark(), "4.0 or newer", "pip install 'unseat[spark]'", True, purpose),
        ]

    def warm(self) -> None:
        """Compile the loops."""
        from unseat.tasks.schedule.warming import warm

        warm()


def _java() -> str | None:
    if shutil.which("java") is None:
        return None
    told = subprocess.run(["java", "-version"], capture_output=True, text=True, timeout=10, check=False).stderr
    return told.splitlines()[0].strip() if told else "found"


def _pyspark() -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("pyspark")
    except PackageNotFoundError:
        return None


@lru_cache(maxsize=1)
def _card() -> Card:
    return Card.read(Path(__file__).with_name("card.toml"))
