"""The rules as policies: a name, a rule and its parameters."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from unseat.core.policy import Form, Policy, Session, View
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.layout import Float64, Memory
from unseat.tasks.schedule.engine.memory import Cluster, table
from unseat.tasks.schedule.incumbents.shared import NO_CAP


class Knob(NamedTuple):
    """A parameter of a rule: its place in the rule's array, its published value, and the range in which it is tuned."""

    place: int
    default: float
    low: float
    high: float


class Rule(NamedTuple):
    """A rule.

    Attributes:
        number: Which one `incumbents.play` plays.
        knobs: Its parameters by name; a range that is no range is not tuned.
        ranks: What ranks stages beforehand: `path` (longest path to the end, a task a stage), `work` (the same, all
            tasks of a stage), `graphene`, or nothing.
        paper: What defines it.
    """

    number: int
    knobs: Mapping[str, Knob]
    ranks: str
    paper: str


_DECIMA = "Mao et al. (Decima), SIGCOMM 2019, section 7.1"
_ALPHA = Knob(0, 1.0, -2.0, 2.0)

RULES: Mapping[str, Rule] = {
    "FIFO": Rule(0, {}, "", "Apache Spark, FIFO scheduling of jobs"),
    "fair": Rule(1, {"alpha": Knob(0, 0.0, 0.0, 0.0)}, "", "Apache Spark, FAIR pools; " + _DECIMA),
    "SJF": Rule(2, {}, "", "shortest job first; Conway, Maxwell and Miller, Theory of Scheduling, 1967"),
    "SJF-CP": Rule(3, {}, "work", _DECIMA),
    "weighted-fair": Rule(1, {"alpha": _ALPHA}, "", _DECIMA),
    "weighted-fair-conserving": Rule(1, {"alpha": _ALPHA, "conserving": Knob(1, 1.0, 1.0, 1.0)}, "", _DECIMA),
    "weighted-fair-srpt": Rule(
        1, {"alpha": _ALPHA, "conserving": Knob(1, 1.0, 1.0, 1.0), "shortest": Knob(2, 1.0, 1.0, 1.0)}, "", _DECIMA
    ),
    "Tetris": Rule(
        4, {"cap": Knob(0, NO_CAP, -2.0, 2.0), "fairness": Knob(1, 0.25, 0.0, 0.9), "short": Knob(2, 1.0, 0.0, 4.0)},
        "", "Grandl et al. (Tetris), SIGCOMM 2014",
    ),
    "HEFT": Rule(5, {"cap": Knob(0, NO_CAP, -2.0, 2.0)}, "path", "Topcuoglu, Hariri and Wu (HEFT), IEEE TPDS 2002"),
    "Graphene": Rule(
        6, {"cap": Knob(0, NO_CAP, -2.0, 2.0), "short": Knob(1, 1.0, 0.0, 4.0)}, "graphene",
        "Grandl et al. (Graphene), OSDI 2016",
    ),
    "random": Rule(7, {}, "", "any candidate, any number"),
}  # fmt: skip
"""The rules by name. The caps of Tetris, HEFT and Graphene are not the papers' own: their tuned rows have them, as
Decima's paper tuned the parallelism of its Graphene, and without them a job takes all it can."""


class Fused(Session):
    """A session whose policy and engine are one compiled loop.

    Attributes:
        play: Runs a state to its end, and gives the seconds that its decisions took if it knows them.
    """

    def __init__(self, play: Callable[[Memory, Cluster], float | None]) -> None:
        self.play = play


class Fast(NamedTuple):
    """A policy at a cluster: its answer (a stage and a limit) to a question, and a run by it up to a time in ms."""

    choose: Callable[[Memory], tuple[int, int]]
    play: Callable[[Memory, int], None]


class FastPolicy(Policy):
    """A policy that decides in microseconds, so that others can simulate with it."""

    form = Form.FUSED

    @abstractmethod
    def fast(self, m: Memory, cluster: Cluster) -> Fast:
        """Prepare for the runs of a state."""

    def start(self, view: View, seed: int) -> Session:
        """Everything is done when the jobs are known."""
        return Fused(self.play)

    def play(self, m: Memory, cluster: Cluster) -> float | None:
        """Run a state to its end; what decisions take cannot be told from the engine's own time."""
        self.fast(m, cluster).play(m, at.NEVER_MS)
        return None


@dataclass(frozen=True)
class RuleOf(FastPolicy):
    """A rule with its parameters.

    Attributes:
        name: Its name in tables.
        rule: Its name in `RULES`.
        parameters: Values of its knobs, where they are not the published ones.
    """

    name: str
    rule: str
    parameters: Mapping[str, float] = field(default_factory=dict)

    @property
    def values(self) -> Float64:
        """The parameters as the rule takes them."""
        values = np.zeros(4)
        for name, knob in RULES[self.rule].knobs.items():
            values[knob.place] = self.parameters.get(name, knob.default)
        return values

    def fast(self, m: Memory, cluster: Cluster) -> Fast:
        """Rank the stages."""
        from unseat.tasks.schedule.incumbents import play as rules

        rule, values, ranked = RULES[self.rule], self.values, ranks(RULES[self.rule].ranks, cluster)

        def choose(m: Memory) -> tuple[int, int]:
            return rules.choose(m, rule.number, values, ranked)

        def play(m: Memory, until_ms: int) -> None:
            rules.play(m, cluster.durations, rule.number, values, ranked, until_ms)

        return Fast(choose, play)


def ranks(kind: str, cluster: Cluster) -> Float64:
    """float64 [stages], by what the rule ranks its stages; one number where it does not."""
    if kind == "path":
        return table(cluster.memory, at.ALL_STAGES)[:, at.PATH_US].astype(np.float64)
    if kind == "work":
        return np.concatenate([cluster.library.work_paths[graph] for graph in cluster.arrivals.jobs])
    if kind == "graphene":
        from unseat.tasks.schedule.incumbents import graphene

        return graphene.ranks([graph for graph, _ in cluster.arrivals], cluster.machines.executors)
    return np.zeros(1)
