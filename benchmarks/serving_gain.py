"""What learning is worth in `serving`, on the later, unseen parts of the traces and on unseen generated requests.

    python -m benchmarks.serving_gain [--quick] [--jobs 2]

The incumbent to beat (published and tuned ones) and the headline challenger are those with the best geometric mean of
goodputs on the validation instances; both are then run on the test instances, at 90% and at 99% attainment. Prints the
ratio of their goodputs with a bootstrap interval over instances, and, at 80% of the incumbent's goodput, the ratio of
the 99th percentiles of both times. Goals: 1.15 at 90%, the interval above 1; at 99% no less than 1; latencies at 80% no
worse. Predicting, ordering and routing happen in the timed loop, whose time for each iteration is printed: it is the
decisions' cost, and the engine's own is in it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context

import numpy as np

import unseat
from unseat.core.learner import Role
from unseat.core.policy import Policy
from unseat.tasks.serving.engine import layout as at
from unseat.tasks.serving.policies import RuleOf
from unseat.tasks.serving.problem import Problem, measured

GOAL, GOAL_99 = 1.15, 1.0


def geometric(values: list[float]) -> float:
    """The geometric mean."""
    return float(np.exp(np.mean(np.log(values))))


@cache
def known() -> tuple[dict[str, RuleOf], dict[str, Role]]:
    """Policies that run in the compiled loop, and what they are."""
    policies: dict[str, RuleOf] = {}
    roles: dict[str, Role] = {}
    for name, contender in unseat.task("serving").contenders().items():
        made = contender.shipped() if contender.shipped else contender.make()
        if (
            isinstance(made, Policy)
            and contender.role in (Role.INCUMBENT, Role.CHALLENGER)
            and isinstance(made, RuleOf)
        ):
            policies[name], roles[name] = made, contender.role
    return policies, roles


def goodputs(job: tuple[str, list[str], float]) -> dict[str, float]:
    """The goodput of each policy on an instance, at an attainment."""
    one, names, share = job
    task = unseat.task("serving")
    problem = task.load(next(instance for instance in task.instances() if instance.id == one))
    return {name: problem.goodput(known()[0][name].play, 0, share) for name in names}


def main() -> None:
    """Print the table and the goals."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--jobs", type=int, default=1)
    given = parser.parse_args()
    task = unseat.task("serving")
    instances = [one for one in task.instances() if ("quick" if given.quick else "full") in one.suites]
    policies, roles = known()
    valid, test = ([one.id for one in instances if one.split == split] for split in ("valid", "test"))
    problems: dict[str, Problem] = {one.id: task.load(one) for one in instances if one.split != "train"}
    found: dict[tuple[str, str, float], float] = {}

    def measure(names: list[str], ids: list[str], share: float) -> None:
        for one, values in zip(ids, mapped([(one, names, share) for one in ids], given.jobs), strict=True):
            found.update({(name, one, share): value for name, value in values.items()})
            told = " ".join(f"{name}={found[name, one, share]:.2f}" for name in names)
            print(f"{one} at {share:.0%}: {told}", flush=True)

    measure(list(policies), valid, 0.9)

    def best(role: Role) -> str:
        some = [name for name in policies if roles[name] is role]
        return max(some, key=lambda name: geometric([found[name, one, 0.9] for one in valid]))

    old, new = best(Role.INCUMBENT), best(Role.CHALLENGER)
    print(f"\nincumbent to beat: {old}; headline challenger: {new} (both chosen on validation)")
    ok = True
    rng = np.random.default_rng(0)
    for share, goal in ((0.9, GOAL), (0.99, GOAL_99)):
        measure([old, new], test, share)
        logs = np.log([found[new, one, share] / found[old, one, share] for one in test])
        drawn = np.exp(rng.choice(logs, (4000, len(logs))).mean(axis=1))
        low, high = np.quantile(drawn, [0.025, 0.975])
        ratio = float(np.exp(logs.mean()))
        print(
            f"goodput at {share:.0%}: {ratio:.3f} times the incumbent's, 95% from {low:.3f} to {high:.3f}, goal {goal}"
        )
        ok = ok and ratio >= goal and (share != 0.9 or low > 1)
        print("  " + ", ".join(f"{one} {np.exp(log):.2f}" for one, log in zip(test, logs, strict=True)))
    ok = latencies(problems, test, found, policies[old], policies[new]) and ok
    sys.exit(0 if ok else 1)


def mapped(jobs: list[tuple[str, list[str], float]], workers: int) -> Iterable[dict[str, float]]:
    """The answers to all jobs, in order."""
    if workers == 1:
        yield from map(goodputs, jobs)
        return
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        yield from pool.map(goodputs, jobs)


def latencies(problems: dict[str, Problem], test: list[str], found: dict[tuple[str, str, float], float], old: RuleOf,
              new: RuleOf) -> bool:  # fmt: skip
    """Print both times at 80% of the incumbent's goodput; whether they are no worse in the geometric mean."""
    ratios: dict[str, list[float]] = {"p99_ttft_s": [], "p99_tpot_s": [], "mean_ttft_s": [], "mean_tpot_s": []}
    spent, decided = 0.0, 0
    for one in test:
        told = []
        for policy in (old, new):
            s = problems[one].begin(0, 0.8 * found[old.name, one, 0.9])
            began = time.process_time()
            policy.play(s)
            if policy is new:
                spent, decided = spent + time.process_time() - began, decided + int(s.g[at.ITERATIONS])
            told.append(measured(s))
        for name, values in ratios.items():
            values.append(told[1][name] / told[0][name])
    print("at 80% of the incumbent's goodput, new over old: "
          + ", ".join(f"{name} {geometric(values):.3f}" for name, values in ratios.items()))  # fmt: skip
    print(
        f"engine and decisions together take {1e6 * spent / decided:.1f} us an iteration (iterations take milliseconds)"
    )
    return all(geometric(ratios[name]) <= 1.0 for name in ("p99_ttft_s", "p99_tpot_s"))


if __name__ == "__main__":
    main()
