"""Jobs on machines, as the engine runs them, and what a run measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from unseat.core.errors import ContractError
from unseat.core.outcome import Outcome
from unseat.core.policy import View
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.graphs import Arrivals
from unseat.tasks.schedule.engine.layout import Float64, Memory
from unseat.tasks.schedule.engine.memory import Cluster, Machines, lay_out, table

QUESTION = "assign"

SENSIBLE = "FIFO", "fair", "SJF", "SJF-CP"
"""Rules that a failed run is measured by. Without a cap Tetris, HEFT and Graphene may give one job all there is, which
takes HEFT 58 times as long as fair shares on a long stream: a failure at twice that would drown every other run."""

FAULTS = {
    at.TOO_MANY_EVENTS: "more events, or a longer time, than the simulator numbers; give fewer jobs at once",
    at.STUCK: "jobs are left that no executor can work on",
}


@dataclass(frozen=True, eq=False)
class Problem:
    """What the engine runs.

    Attributes:
        arrivals: The jobs and when they come.
        machines: The executors.
    """

    arrivals: Arrivals
    machines: Machines

    @cached_property
    def cluster(self) -> Cluster:
        """The state before the first event."""
        return lay_out(self.arrivals, self.machines)

    def view(self, deadline: float | None = None) -> View:
        """What a policy is told beforehand: the machines. Jobs show when they have arrived."""
        facts = {
            "executors": self.machines.executors, "classes": list(self.machines.counts),
            "class_memory": list(self.machines.memory), "moving_ms": self.machines.moving_ms,
        }  # fmt: skip
        return View(QUESTION, facts, deadline=deadline)

    @cached_property
    def worst_s(self) -> float:
        """What a failed run counts with: twice the mean completion time of the worst sensible rule.

        Draws are those of seed 0, so that it is the problem's own. Where no rule comes to an end, it is `serial_s`.
        """
        from unseat.tasks.schedule.policies import RuleOf

        worst = 0.0
        for rule in SENSIBLE:
            m = self.cluster.begin(0)
            RuleOf(rule, rule).play(m, self.cluster)
            worst = worst if m[at.FAULT] else max(worst, float(completion_s(m).mean()))
        return 2 * worst or self.serial_s

    @property
    def serial_s(self) -> float:
        """An upper limit of the mean completion time: one executor runs everything once the last job is there, each
        task as long as the longest of its stage, with a move before each stage."""
        slowest = 0.0
        for graph, _ in self.arrivals:
            for stage in graph.stages:
                longest = max(int(wave.max()) for p in stage.profiles for wave in p.waves() if wave.size)
                slowest += stage.tasks * (longest + self.machines.warm_up_ms) + self.machines.moving_ms
        return (slowest + max(self.arrivals.at_ms)) / 1000

    def outcome(self, m: Memory, **times: Any) -> Outcome:
        """What a run measured, from its last state.

        Raises:
            ContractError: The run did not come to its end.
        """
        if m[at.FAULT]:
            raise ContractError(FAULTS[int(m[at.FAULT])])
        seconds = completion_s(m)
        # The clock runs on to the last executor that moves.
        makespan = float(table(m, at.ALL_JOBS)[:, at.DONE_AT].max()) / 1000
        metrics: Mapping[str, float] = {
            "p95_completion_s": float(np.quantile(seconds, 0.95)),
            "makespan_s": makespan,
            "idle_share": 1 - float(m[at.BUSY_MS]) / 1000 / max(makespan, 1e-9) / self.machines.executors,
            "moves": int(m[at.MOVES]),
            "tasks": int(m[at.STARTED_TASKS]),
            "jobs": int(m[at.JOBS]),
        }
        return Outcome(float(seconds.mean()), decisions=int(m[at.DECISIONS]), metrics=metrics, **times)


def completion_s(m: Memory) -> Float64:
    """float64 [J], each job's time from its arrival to its end, in seconds."""
    jobs = table(m, at.ALL_JOBS)
    return np.asarray((jobs[:, at.DONE_AT] - jobs[:, at.ARRIVAL]) / 1000.0)
