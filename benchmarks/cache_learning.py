"""What learning gains over the cache's incumbents: every cell of the card, judged on its last 70%.

``python benchmarks/cache_learning.py`` runs the nine published policies, their tuned forms, Belady's bound and the
challengers that learn on their own past over every cell of ``card.toml`` whose trace is at hand (``UNSEAT_DATA``),
prints a table a cell, the means with intervals over trace groups, and requests a second; it exits with 1 where a
target is missed.

Gap closed is (incumbent misses - challenger misses) / (incumbent misses - Belady's misses), never clamped; cells whose
headroom over the best incumbent in hindsight is not above .003 leave it.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass, field

import numpy as np

from unseat.core.errors import UserError
from unseat.core.learner import Role
from unseat.core.outcome import Limits
from unseat.core.policy import Policy
from unseat.core.task import Instance
from unseat.tasks.cache import bounds
from unseat.tasks.cache.challengers.lrb import RelaxedBelady
from unseat.tasks.cache.challengers.miniature import Miniature
from unseat.tasks.cache.challengers.mixture import LearningMixture, Mixture
from unseat.tasks.cache.contenders import contenders
from unseat.tasks.cache.engine.simulate import simulate
from unseat.tasks.cache.incumbents import FUSED
from unseat.tasks.cache.problem import Problem
from unseat.tasks.cache.task import CacheTask

INCUMBENTS = ("fifo", "lru", "clock", "sieve", "s3fifo", "lfu", "arc", "lirs", "wtinylfu")
HEADROOM = 0.003
TARGETS = {"mean": 0.20, "low": 0.0, "median": 0.15, "single": 0.27, "least": -0.02, "requests_per_s": 100_000.0}
LINEAR = 700_000.0
"""Requests a second that the linear scorers have to serve."""


@dataclass
class Cell:
    """Judged misses of everything on one instance."""

    name: str
    group: str
    capacity: int
    requests: int
    judged: int
    bound: int
    misses: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def hindsight(self) -> str:
        """The incumbent that missed least here."""
        return min(INCUMBENTS, key=lambda name: self.misses[name])

    @property
    def headroom(self) -> float:
        """Miss ratio between the best incumbent and the bound."""
        return (self.misses[self.hindsight] - self.bound) / self.judged

    def gap(self, challenger: str, incumbent: str) -> float:
        """The share of the headroom over an incumbent that a challenger takes."""
        base = self.misses[incumbent]
        return (base - self.misses[challenger]) / max(base - self.bound, 1)


def shipped(role: Role) -> list[Policy]:
    """Fitted policies as they ship: tuned incumbents or linear scorers; cells of their training groups flatter them."""
    return [one.shipped() for one in contenders(False).values() if one.role is role and one.shipped]


def measure(task: CacheTask, instance: Instance, challengers: list[Policy], seed: int) -> Cell:
    """Run everything on one instance."""
    problem: Problem = task.load(instance)
    trace, warm = problem.trace, problem.judged_from
    bound = bounds.belady(trace, problem.capacity, warm).misses
    cell = Cell(instance.id, instance.group, problem.capacity, trace.n_requests, trace.n_requests - warm, bound)
    for name in INCUMBENTS:
        cell.misses[name] = simulate(FUSED[name], trace, problem.capacity, warm)[1].misses
    for policy in (
        [*shipped(Role.INCUMBENT), *shipped(Role.CHALLENGER), *challengers] if cell.headroom > HEADROOM else []
    ):
        began = time.process_time()
        found = task.run(problem, policy, seed=seed, limits=Limits())
        cell.misses[policy.name] = int(found.metrics["judged_misses"])
        cell.seconds[policy.name] = time.process_time() - began
    return cell


def interval(values: dict[str, list[float]], draws: int = 2000) -> tuple[float, float]:
    """95% bootstrap interval of the mean: groups are drawn, then cells within each."""
    rng, groups, means = np.random.default_rng(0), list(values), []
    for _ in range(draws):
        drawn = [
            rng.choice(values[groups[g]], len(values[groups[g]])) for g in rng.integers(0, len(groups), len(groups))
        ]
        means.append(np.concatenate(drawn).mean())
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def rate(cells: list[Cell], name: str) -> float:
    """Requests a second of CPU time, learning included."""
    return sum(cell.requests for cell in cells) / sum(cell.seconds[name] for cell in cells)


def summary(cells: list[Cell], name: str, single: str) -> dict[str, float]:
    """The figures that the targets name, printed as a line."""
    by_group: dict[str, list[float]] = {}
    for cell in cells:
        by_group.setdefault(cell.group, []).append(cell.gap(name, cell.hindsight))
    gaps = np.concatenate([np.array(part) for part in by_group.values()])
    low, high = interval(by_group)
    found = {
        "mean": float(gaps.mean()), "low": low, "median": float(np.median(gaps)), "least": float(gaps.min()),
        "single": float(np.mean([cell.gap(name, single) for cell in cells])),
        "requests_per_s": rate(cells, name),
    }  # fmt: skip
    print(f"{name:12s} against the best of each trace: mean {found['mean']:+.3f} [{low:+.3f}, {high:+.3f}], median "
          f"{found['median']:+.3f}, least {found['least']:+.3f}; against {single}: mean {found['single']:+.3f}; "
          f"{found['requests_per_s'] / 1e3:,.0f}k requests/s")  # fmt: skip
    return found


def main() -> int:
    """Run, print, compare with the targets."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="cells whose name contains one of these, comma-separated")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    task = CacheTask(False)
    wanted = {instance.id: instance for instance in task.instances()}
    challengers: list[Policy] = [RelaxedBelady(), Mixture(), Miniature(), LearningMixture()]
    names = [policy.name for policy in challengers]
    warm_up_compiler(task, challengers)
    cells: list[Cell] = []
    for name in task.card.cells:
        if name not in wanted or not any(part in name for part in options.only.split(",")):
            continue
        try:
            cell = measure(task, wanted[name], challengers, options.seed)
        except UserError as error:
            print(f"{name:22s} left out: {error}")
            continue
        if cell.headroom <= HEADROOM:
            print(f"{name:22s} C={cell.capacity:6d} headroom {cell.headroom:.4f}: no gap figures")
            continue
        cells.append(cell)
        gaps = "  ".join(f"{n} {cell.gap(n, cell.hindsight):+.3f} ({cell.requests / cell.seconds[n] / 1e3:.0f}k/s)"
                         for n in names)  # fmt: skip
        print(
            f"{name:22s} C={cell.capacity:6d} headroom {cell.headroom:.4f} over {cell.hindsight:8s} {gaps}", flush=True
        )
    if not cells:
        print("no cell could be run: set UNSEAT_DATA, or loosen --only", file=sys.stderr)
        return 2
    singles = [*INCUMBENTS, *(policy.name for policy in shipped(Role.INCUMBENT))]
    single = min(singles, key=lambda name: np.mean([cell.misses[name] / cell.judged for cell in cells]))
    found = [summary(cells, name, single) for name in names][-1]
    linear = {policy.name: rate(cells, policy.name) for policy in shipped(Role.CHALLENGER)}
    print("linear scorers: " + ", ".join(f"{name} {speed / 1e6:.2f}M requests/s" for name, speed in linear.items()))
    missed = [f"{key} {found[key]:.3f} < {target}" for key, target in TARGETS.items() if found[key] < target]
    missed += [f"{name} {speed:.0f} < {LINEAR}" for name, speed in linear.items() if speed < LINEAR]
    print(f"{names[-1]}: " + ("all targets reached" if not missed else "missed: " + "; ".join(missed)))
    return 1 if missed else 0


def warm_up_compiler(task: CacheTask, challengers: list[Policy]) -> None:
    """Compile every loop before anything is timed."""
    from unseat.tasks.cache.engine.trace import from_raw

    problem = Problem(from_raw(np.arange(200) % 90), 64, 0)
    for policy in [*shipped(Role.INCUMBENT), *shipped(Role.CHALLENGER), *challengers]:
        task.run(problem, policy, seed=0, limits=Limits())


if __name__ == "__main__":
    sys.exit(main())
