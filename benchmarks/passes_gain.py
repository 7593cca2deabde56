"""How much smaller held-out programs get: beside -Oz, and beside random search at equal wall time.

    python -m benchmarks.passes_gain [--contenders A,B] [--split test] [--seeds N] [--keep FILE]

Each challenger runs on every program, as it ships. Then random search, without a limit to its passes, gets the wall
time that the challenger took on that very program, code generation and all. Of each pair the geometric mean over
programs is printed, with a 95% interval from a bootstrap over programs (seeds of one program stay together), and the
seconds. What `--keep FILE` has got from a run before, of the same code and compiler, is not run again. A failed run
ends the benchmark: it has no size that a mean could take. Ends with 1 unless the goals are met by the challenger that
`valid` chooses: 1.05 times smaller than -Oz, and smaller than random search with the whole interval.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.kept import Kept

from unseat.core import registry
from unseat.core.outcome import Limits, Outcome, Status
from unseat.core.policy import Policy
from unseat.core.task import Instance, Task
from unseat.lab.attempt import attempt
from unseat.tasks.llvm.passes.policies import RandomSequences, fixed
from unseat.tasks.llvm.passes.problem import Problem
from unseat.tasks.llvm.passes.task import PassesTask

GOAL = 1.05
_UNLIMITED = 10**9


class Endless(PassesTask):
    """The task without a limit to the passes of an episode: time is what ends it."""

    def load(self, instance: Instance) -> Problem:
        """The problem."""
        problem: Problem = super().load(instance)
        return replace(problem, steps=_UNLIMITED)


def policy_of(task: Task, name: str) -> Policy:
    """A contender's policy, as it ships."""
    contender = task.contenders()[name]
    made: Any = contender.shipped() if contender.shipped else contender.make()
    if not isinstance(made, Policy):
        sys.exit(f"{name} has no shipped policy; `python -m benchmarks.ship passes` makes one")
    return made


def run(task: Task, instance: Instance, policy: Policy, seed: int, wall_s: float | None = None) -> Outcome:
    """One run; a failure ends all, so that none is left out of a mean.

    A search that its time ends is no failure: what it found counts.
    """
    outcome = attempt(task, instance, policy, seed=seed, limits=Limits(wall_s=wall_s))
    print(f"  {instance.id:22} {policy.name:16} {outcome.value:8.0f} B {outcome.wall_s:6.2f} s {outcome.message}",
          file=sys.stderr, flush=True)  # fmt: skip
    if outcome.status is not Status.OK:
        sys.exit(f"{instance.id}: {policy.name}: {outcome.status}: {outcome.message}")
    return outcome


def interval(logs: Sequence[Sequence[float]]) -> tuple[float, float, float]:
    """The geometric mean, and a percentile interval from a bootstrap over programs.

    Args:
        logs: By program, a logarithm of each seed.
    """
    found = np.array(logs).mean(1)
    draws = np.random.default_rng(0).integers(found.size, size=(10_000, found.size))
    low, high = np.percentile(found[draws].mean(1), [2.5, 97.5])
    return float(np.exp(found.mean())), float(np.exp(low)), float(np.exp(high))


def main() -> None:
    """Measure, print, and say whether the goals are met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contenders", default="portfolio,gbt,clone,climb")
    parser.add_argument("--split", default="test")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a file for sizes and seconds as they are measured")
    arguments = parser.parse_args()
    task, endless = registry.task("passes"), Endless()
    kept = Kept(arguments.keep, task)
    names = arguments.contenders.split(",")
    chosen = by_valid(task, names)
    instances = [instance for instance in task.instances() if instance.split == arguments.split]
    met = False
    print(f"{len(instances)} programs of {arguments.split}, {arguments.seeds} seeds; load {os.getloadavg()[0]:.1f}")
    default = {one.id: run(task, one, fixed("-Oz", ["-Oz"]), 0) for one in instances}
    for name in names:
        policy, seconds = policy_of(task, name), list[float]()
        to_default: list[list[float]] = [[] for _ in instances]
        to_random: list[list[float]] = [[] for _ in instances]
        for place, instance in enumerate(instances):
            for seed in range(arguments.seeds):
                if kept.get(policy, instance.id, seed) is None:
                    own = run(task, instance, policy, seed)
                    drawn = run(endless, instance, RandomSequences(passes=_UNLIMITED), seed, own.wall_s)
                    kept.add(policy, instance.id, [own.value, drawn.value, own.wall_s], seed)
                size, random, wall_s = kept.get(policy, instance.id, seed)
                to_default[place].append(float(np.log(default[instance.id].value / size)))
                to_random[place].append(float(np.log(random / size)))
                seconds.append(wall_s)
        by_default, by_random = interval(to_default), interval(to_random)
        took = f"{np.mean(seconds):.1f} s a program, -Oz {mean_wall(default):.1f} s"
        print(f"{name:10} {_shown(by_default)} smaller than -Oz, "
              f"{_shown(by_random)} smaller than random search in equal time ({took})", flush=True)  # fmt: skip
        if name == chosen:
            met = by_default[0] >= GOAL and by_random[1] > 1
    print(f"{chosen}, which valid chooses: {'the goals are met' if met else 'the goals are MISSED'}")
    sys.exit(int(not met))


def by_valid(task: Task, names: Sequence[str]) -> str:
    """The challenger that is best on the validation programs."""
    if len(names) == 1:
        return names[0]
    instances = [instance for instance in task.instances() if instance.split == "valid"]
    worth = {name: sum(np.log(run(task, one, policy_of(task, name), 0).value) for one in instances) for name in names}
    return min(worth, key=lambda name: worth[name])


def mean_wall(outcomes: dict[str, Outcome]) -> float:
    """Mean seconds of wall time."""
    return float(np.mean([outcome.wall_s for outcome in outcomes.values()]))


def _shown(found: tuple[float, float, float]) -> str:
    return f"{found[0]:.3f}× [{found[1]:.3f}, {found[2]:.3f}]"


if __name__ == "__main__":
    main()
