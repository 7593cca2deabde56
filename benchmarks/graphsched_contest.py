"""Schedules of the contest's published graphs, against greedy fusion and the compulsory bound.

    UNSEAT_DATA=... python -m benchmarks.graphsched_contest [--seconds 20] [--seeds 1] [--goal 1.3] [--policy annealing]

Prints ours divided by the bound, and greedy fusion divided by ours; fails where the geometric mean of the latter is
below the goal.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np

from unseat.core.learner import Learner
from unseat.core.outcome import Limits
from unseat.core.policy import Policy
from unseat.lab.attempt import attempt
from unseat.tasks.graphsched.bounds import Compulsory
from unseat.tasks.graphsched.task import GraphSchedTask


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--goal", type=float, default=1.3)
    parser.add_argument("--policy", default="annealing")
    arguments = parser.parse_args()
    task = GraphSchedTask()
    task.warm()
    gains = []
    for source in task.sources.values():
        if source.entry is None:
            continue
        instance, limits = source.instance(), Limits(wall_s=arguments.seconds)
        bound = Compulsory().solve(task.load(instance), seed=0, limits=limits).value
        values = {}
        for name in ("one by one", "greedy fusion", arguments.policy):
            contender = task.contenders()[name]
            made = contender.shipped() if contender.shipped else contender.make()
            if isinstance(made, Learner) or not isinstance(made, Policy):
                sys.exit(f"{name} does not ship")
            began = time.monotonic()
            runs = [attempt(task, instance, made, seed=seed, limits=limits) for seed in range(arguments.seeds)]
            values[name] = float(np.mean([run.value for run in runs]))
            first = runs[0].progress[0][0] / arguments.seconds
            print(f"  {source.name} {name}: {values[name]:,.0f} ({runs[0].status}), {values[name] / bound:.3f} times "
                  f"the bound, first answer after {first:.1%} of the limit, {time.monotonic() - began:.0f} s",
                  flush=True)  # fmt: skip
        gains.append(values["greedy fusion"] / values[arguments.policy])
        print(
            f"{source.name}: greedy fusion / ours {gains[-1]:.3f}, ours / bound {values[arguments.policy] / bound:.3f}"
        )
    mean = float(np.exp(np.mean(np.log(gains))))
    print(f"geometric mean of greedy fusion / ours: {mean:.3f}, goal {arguments.goal}")
    sys.exit(0 if mean >= arguments.goal else 1)


if __name__ == "__main__":
    main()
