"""How long the scorer's training takes on two cores: the same fit on one thread and on two, in turns.

    UNSEAT_DATA=DIR python -m benchmarks.schedule_training [--runs 20000] [--rounds 3]

A generation's runs are shared out among threads, and its result does not depend on how many there are: both fits give
the same weights, to the bit. Printed are simulated runs a second and, from the ratio, how long the fit that is
shipped (its record says how long that took on one thread) takes on two. Exit status 1 where that is over 30 minutes,
or the weights differ. `UNSEAT_DATA` has the TPC-H graphs.
"""

from __future__ import annotations

import argparse
import json
import sys
import time

import numpy as np

import unseat
from unseat.core.outcome import Limits
from unseat.lab.study import LocalStudy
from unseat.tasks.schedule.challengers.scorer import Scorer, ScorerByEvolution
from unseat.tasks.schedule.contenders import SHIPPED

GOAL_S = 1800.0


def main() -> None:
    """Fit in turns, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    task = unseat.task("schedule")
    train, valid = ([one for one in task.instances() if one.split == split] for split in ("train", "valid"))

    def fit(threads: int, runs: int) -> tuple[float, Scorer]:
        study = LocalStudy(task, train, valid, Limits(threads=threads, runs=runs), seed=0)
        for instance in train + valid:
            study.load(instance)
        began = time.perf_counter()
        policy = ScorerByEvolution("scorer").fit(study)
        assert isinstance(policy, Scorer)
        return time.perf_counter() - began, policy

    fit(2, 1000)  # compiles
    took: dict[int, list[float]] = {1: [], 2: []}
    same = True
    for _ in range(arguments.rounds):
        weights = []
        for threads, times in took.items():
            seconds, policy = fit(threads, arguments.runs)
            times.append(seconds)
            weights.append(vars(policy))
        same &= all(np.array_equal(weights[0][key], weights[1][key]) for key in ("inputs", "bias", "outputs", "prices"))
    one, two = (float(np.median(times)) for times in took.values())
    for threads, seconds in (1, one), (2, two):
        print(f"{threads} thread{'s' * (threads > 1)}: {arguments.runs / seconds:,.0f} simulated runs a second")
    record = json.loads((SHIPPED / "schedule" / "scorer" / "manifest.json").read_text())["fit"]
    alone = record["limits"]["wall_s"]
    shipped = alone * two / one
    print(f"weights {'equal' if same else 'DIFFER'}; the shipped fit's {alone:.0f} s on one thread are {shipped:.0f} s "
          f"on two (goal {GOAL_S:.0f})")  # fmt: skip
    sys.exit(0 if same and shipped <= GOAL_S else 1)


if __name__ == "__main__":
    main()
