"""What the learned parts of the sharding solver are worth: the same solver with them and without, at equal time.

    UNSEAT_DATA=... python -m benchmarks.shard_learning [--seconds 10] [--seeds 3] [--only NAME,NAME] [--jobs 2]
                                                        [--policies blocks-moves,blocks-bandit,blocks-tuned]

Instances that nobody learned from: generated models of the test families, and the contest's. Each run of each policy
gets so many CPU seconds of one thread, policies one after the other in one process, seed by seed. The room of an
instance is what the solver without learned parts leaves to the best bound that is known, the published one or any run's
own; instances with at most 0.2% of it say nothing. Printed is the share of the room that each learned part closes, with
a 95% interval from a bootstrap over instances. Ends with 1 unless one closes at least 20%, its interval above zero.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from benchmarks.shard_contest import solver
from benchmarks.telling import teller
from numpy.typing import NDArray

from unseat.tasks.shard.engine.problem import Int64
from unseat.tasks.shard.policies import settings
from unseat.tasks.shard.solver.bandit import selector
from unseat.tasks.shard.solver.search import together
from unseat.tasks.shard.suites import Source, built_in
from unseat.tasks.shard.warming import warm

PLAIN = "blocks"
ROOM, GOAL = 0.002, 0.2


def run(source: Source, names: Sequence[str], seed: int, seconds: float) -> tuple[list[float], float]:
    """The cost that each policy reaches, infinite where it keeps no limit, and the best bound of any."""
    problem, costs, bound = source.problem(), list[float](), -np.inf
    for name in names:
        policy, answers = solver(name), list[Int64]()
        schedule, chooser = settings(policy.schedule), selector(policy.weights, policy.online)
        found = together(problem, seconds, None, answers.append, threads=1, seed=seed, schedule=schedule,
                         selectors=[chooser])  # fmt: skip
        feasible = bool(answers) and problem.peak(answers[-1]) <= problem.limit
        costs.append(float(problem.cost(answers[-1])) if feasible else np.inf)
        bound = max(bound, *(one.bound for one in found))
    return costs, bound


def closed(left: NDArray[np.float64]) -> tuple[float, float, float]:
    """The mean share of the room that is closed, and its interval over instances; `left` is what each leaves of it."""
    shares = 1 - left
    drawn = shares[np.random.default_rng(0).integers(len(shares), size=(10_000, len(shares)))].mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(shares.mean()), float(low), float(high)


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", default="")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--policies", default="blocks-moves,blocks-bandit,blocks-tuned")
    arguments = parser.parse_args()
    names = [PLAIN, *arguments.policies.split(",")]
    only = {name for name in arguments.only.split(",") if name}
    sources = [one for one in built_in() if one.split == "test" and (not only or one.name in only)]
    pairs = [(source, seed) for source in sources for seed in range(arguments.seeds)]
    told = teller("shard")
    # Compiling must not be on any clock.
    with ProcessPoolExecutor(arguments.jobs, initializer=warm) as pool:
        running = [pool.submit(run, source, names, seed, arguments.seconds) for source, seed in pairs]
        found = []
        for future in running:
            found.append(future.result())
            told("run", len(found), len(pairs))
    left: dict[str, list[float]] = {name: [] for name in names[1:]}
    for source in sources:
        mine = [outcome for (one, _), outcome in zip(pairs, found, strict=True) if one is source]
        costs = np.array([each for each, _ in mine]).mean(axis=0)
        proven = float(source.entry.details["lower_bound"]) if source.entry else -np.inf
        bound = max(proven, *(each for _, each in mine))
        rooms = costs / bound - 1
        counts = ROOM < rooms[0] < np.inf
        print(f"{source.name:24} room {rooms[0]:8.3%}{'' if counts else ' (left out)'}: "
              + ", ".join(f"{name} {room:.3%}" for name, room in zip(names[1:], rooms[1:], strict=True)))  # fmt: skip
        for name, room in zip(names[1:], rooms[1:], strict=True):
            if counts:
                left[name].append(float(room / rooms[0]))
    reached = False
    for name, shares in left.items():
        share, low, high = closed(np.array(shares))
        reached |= share >= GOAL and low > 0
        between = f"[{low:.1%}, {high:.1%}]"
        print(f"{name:14} closes {share:.1%} {between} of the room of {len(shares)} instances (goal {GOAL:.0%})")
    print("goal reached" if reached else "MISSED")
    return int(not reached)


if __name__ == "__main__":
    sys.exit(main())
