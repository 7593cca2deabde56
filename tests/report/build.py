"""Made-up results for the tests of the report: no engine runs, every figure is drawn from a seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from unseat.core.card import Card, Paper
from unseat.core.learner import Bounder, Contender, Kind, Role
from unseat.core.outcome import Limits, Outcome, Status
from unseat.core.task import Objective, Task
from unseat.lab import statistics
from unseat.lab.records import Fit, Results, Run, digest
from unseat.lab.statistics import windows

MISSES = Objective("miss ratio", "", lambda problem, limits: 1.0)
SPEED = Objective("speed", "1/s", lambda problem, limits: 1.0, minimise=False)
HOSTILE = '<script>alert("1")</script>&\'"$x_1$'

INCUMBENTS = {"S3-FIFO (tuned)": 0.0, "LRU": 0.06, "SIEVE": 0.02, "W-TinyLFU": 0.03, "ARC": 0.015}
CHALLENGERS = {"relaxed Belady": -0.02, "mixture of experts": 0.01, "random search": 0.03}


def task(objective: Objective = MISSES, level: str = "capacity, share of distinct objects") -> Task:
    """All that the report asks of a task: its card and its objective."""
    card = Card(
        id="cache", version=0, title="Which object does a full cache evict?", system="a cache", problem="online",
        summary="A cache holds a fixed number of objects.", measured="Misses over requests, after a warm-up.",
        leaves_out="Writes.", repeatability="exact", min_headroom=0.003, level=level,
        versions={"S3-FIFO": "SOSP 2023, Algorithm 1"},
        papers=[Paper(title="Learning Relaxed Belady", authors="Song et al.", venue="NSDI", year=2020,
                      link="https://example.org/lrb")],
    )  # fmt: skip
    bounds = {
        "Belady": Contender("Belady", Role.BOUND, lambda: Proof("Belady", Kind.OPTIMAL)),
        "popularity": Contender("popularity", Role.BOUND, lambda: Proof("popularity", Kind.BEST_KNOWN)),
    }
    return cast(Task, SimpleNamespace(card=card, objective=objective, contenders=lambda: bounds))


@dataclass(frozen=True)
class Proof(Bounder):
    """A bound that is never solved here."""

    name: str
    kind: Kind

    def solve(self, problem: Any, *, seed: int, limits: Limits) -> Outcome:
        raise NotImplementedError


def find(objective: Objective = MISSES) -> Callable[[str], Task]:
    """Stands in for the registry."""
    return lambda name: task(objective)


def run(name: str, role: Role, instance: str, group: str, series: str, level: float | None, value: float,
        **given: Any) -> Run:  # fmt: skip
    """One run."""
    outcome = Outcome(
        value, given.pop("status", Status.OK), 1000, 0.001, None if role is Role.INCUMBENT else 0.0004, 0.02, 0.11, 0.1,
        {"requests": 100_000.0, "misses": 100_000.0 * value}, message=given.pop("message", ""),
    )  # fmt: skip
    key = digest([name, instance, given.get("seed", 0)])
    fields = {"split": "test", "seed": 0, "weight": 1.0, **given}
    provenance = {"unseat": "0.1.0", "machine": {"cpu": "a CPU", "cores": 2}}
    return Run(key=key, task="cache-v0", contender=name, role=role, instance=instance, group=group, level=level,
               series=series, outcome=outcome, artefact=None, job={"task": "cache", "data": None, "options": {}},
               provenance=provenance, fit="f" * 64 if role is Role.CHALLENGER else None, **fields)  # fmt: skip


def runs(
    offsets: Mapping[str, tuple[Role, float]],
    *,
    groups: int = 6,
    traces: int = 1,
    levels: Sequence[float] = (0.01, 0.1),
    seed: int = 0,
    maximise: bool = False,
    prefix: str = "",
) -> list[Run]:
    """Runs of every contender on every instance: a value of the instance's own, plus the contender's offset."""
    rng, made = np.random.default_rng(seed), []
    for group in range(groups):
        for trace in range(traces):
            base = rng.uniform(0.35, 0.6)
            for level in levels:
                at = base - 0.12 * (np.log10(level) + 2)
                for name, (role, offset) in offsets.items():
                    noise = 0.0 if role is Role.BOUND else rng.normal(0, 0.008)
                    value = at + offset * rng.uniform(0.6, 1.4) + noise
                    series = f"{prefix}trace-{group}-{trace}"
                    made.append(run(name, role, f"{series}@{level:g}", f"{prefix}family {group}", series, level,
                                    float(1 - value if maximise else value)))  # fmt: skip
    return made


def results(
    made: Sequence[Run],
    *,
    objective: Objective = MISSES,
    incumbent: str | None = "S3-FIFO (tuned)",
    challenger: str | None = "relaxed Belady",
    bound: str | None = "Belady",
    **given: Any,
) -> Results:
    """Compared as the laboratory does it."""
    own = statistics.by_contender(made)
    best = statistics.hindsight(made, objective)
    challengers = [name for name, ran in own.items() if ran[0].role is Role.CHALLENGER]

    def against(name: str, other: list[Run]) -> Any:
        return statistics.compare(own[name], other, objective=objective, bound=own.get(bound or ""), best=best,
                                  min_headroom=0.003, resamples=1000)  # fmt: skip

    return Results(
        task="cache-v0", runs=tuple(made), fits=given.pop("fits", (fit("relaxed Belady"),)),
        comparisons=statistics.holm([against(name, own[incumbent]) for name in challengers]) if incumbent else (),
        hindsight=statistics.holm([against(name, best) for name in challengers]) if best else (),
        incumbent=incumbent, challenger=challenger, bound=bound,
        violations=tuple(statistics.violations(made, {bound or "": Kind.OPTIMAL}, objective)),
        choice="The incumbent to beat and the headline challenger are those with the best mean on valid.", **given,
    )  # fmt: skip


def fit(contender: str) -> Fit:
    """A fit of a challenger."""
    return Fit("f" * 64, "cache-v0", contender, "a" * 64, {"seed": 0}, ("web", "database"), 41.3, 80.1, 25, "limit",
               "the last proposal is the result", {})  # fmt: skip


def contenders(
    incumbents: Mapping[str, float] = INCUMBENTS,
    challengers: Mapping[str, float] = CHALLENGERS,
    bound: float | None = -0.12,
    random: float = 0.09,
) -> dict[str, tuple[Role, float]]:
    """Who takes part, with offsets from the incumbent to beat."""
    found = {name: (Role.INCUMBENT, offset) for name, offset in incumbents.items()}
    found |= {name: (Role.CHALLENGER, offset) for name, offset in challengers.items()}
    found["random"] = (Role.BASELINE, random)
    return found | ({} if bound is None else {"Belady": (Role.BOUND, bound)})


def win() -> Results:
    """The headline challenger beats the incumbent."""
    return results(runs(contenders()))


def loss() -> Results:
    """Every challenger is worse."""
    worse = {"relaxed Belady": 0.04, "mixture of experts": 0.05, "random search": 0.06}
    return results(runs(contenders(challengers=worse)))


def tie() -> Results:
    """The headline challenger is a little better in the mean, within the noise."""
    return results(runs(contenders(challengers={"relaxed Belady": 0.0}), seed=2))


def baseline_wins() -> Results:
    """Random eviction is better than everything else."""
    return results(runs(contenders(random=-0.06)))


def no_bound() -> Results:
    """Nothing is proven about what is left."""
    return results(runs(contenders(bound=None)), bound=None)


def own_data(offsets: Mapping[str, tuple[Role, float]], groups: int = 6, fold: int | None = None) -> Results:
    """Data that a person brought, while others were there for choosing: the built-in ones, or those of other folds."""
    job = {"task": "cache", "data": "mine.csv", "options": {}}
    judged = [replace(one, job=job, fold=fold) for one in runs(offsets, groups=groups)]
    chosen_by = [replace(one, split="valid", fold=fold) for one in runs(offsets, prefix="built-in ", seed=9)]
    found = results(
        judged, challenger=next(iter(one for one, (role, _) in offsets.items() if role is Role.CHALLENGER), None)
    )
    return replace(found, runs=(*judged, *chosen_by))


def no_challenger() -> Results:
    """Incumbents only."""
    return results(runs(contenders(challengers={})), challenger=None, fits=())


def beaten_bound() -> Results:
    """A challenger goes below the bound on one instance."""
    made = win().runs
    first = next(one for one in made if one.contender == "relaxed Belady")
    broken = [replace(one, outcome=replace(one.outcome, value=0.1)) if one is first else one for one in made]
    return results(broken)


def one_group() -> Results:
    """One trace that a person brought, at three capacities; one challenger failed on one of them."""
    made = runs(contenders(), groups=1, levels=(0.001, 0.01, 0.1))
    missing = {"imitation": "needs the extra torch: pip install 'unseat[torch]'"}
    return results(failing(made, "mixture of experts"), skipped=missing)


def one_record() -> Results:
    """One trace that a person brought, with its values over time."""
    rng, made = np.random.default_rng(1), []
    for one in runs(contenders(), groups=1):
        record = one.outcome.value + rng.normal(0, 0.002, windows.MIN_WINDOWS)
        record += one.outcome.value - record.mean()
        metrics = {f"{windows.PREFIX}{place}": float(value) for place, value in enumerate(record)}
        made.append(replace(one, outcome=replace(one.outcome, metrics=metrics)))
    return results(made)


def solving() -> Results:
    """Whole answers, which get better as time goes by: the challenger's are late, and in the end better."""

    def reports(one: Run) -> tuple[tuple[float, float], ...]:
        if one.role is Role.INCUMBENT:
            return ((0.001, one.outcome.value),)
        if one.role is not Role.CHALLENGER:
            return ()
        better = ((0.01 * 1.5**place, one.outcome.value + 0.2 / 2**place) for place in range(12))
        return (*better, (2.0, one.outcome.value))

    return results([replace(one, outcome=replace(one.outcome, progress=reports(one))) for one in runs(contenders())])


def failing(made: Sequence[Run], contender: str) -> list[Run]:
    """The contender's first run fails."""
    first = next(one for one in made if one.contender == contender)
    message = "IndexError: index 7 is out of bounds for axis 0 with size 7 <b>in decide</b>"
    failed = replace(first.outcome, value=1.0, status=Status.CRASHED, message=message)
    return [replace(one, outcome=failed) if one is first else one for one in made]


def hostile() -> Results:
    """Every name that a stranger may choose is an attempt to break out of the page."""
    offsets = {
        HOSTILE: (Role.INCUMBENT, 0.0),
        HOSTILE + "2": (Role.CHALLENGER, -0.02),
        HOSTILE + "3": (Role.BOUND, -0.1),
    }
    made = runs(offsets, prefix=HOSTILE)
    return results(made, incumbent=HOSTILE, challenger=HOSTILE + "2", bound=HOSTILE + "3", skipped={HOSTILE: HOSTILE})


def many() -> Results:
    """Forty instances in ten groups, with failures."""
    made = runs(contenders(), groups=10, traces=2, levels=(0.01, 0.1), seed=5)
    return results(failing(made, "random search"))


def faster() -> Results:
    """An objective that is maximised."""
    made = runs(contenders(), maximise=True)
    return results(made, objective=SPEED)
