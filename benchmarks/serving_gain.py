"""What learning is worth in `serving`, on the later, unseen parts of the traces and on unseen generated requests.

    UNSEAT_DATA=DIR python -m benchmarks.serving_gain [--suite quick] [--jobs 2] [--ledger FILE]

The incumbent to beat (published and tuned ones) and the headline challenger are those with the best geometric mean of
goodputs on the validation instances; these two, and the challengers that `BESIDE` names, are then run on the test
instances. Prints the ratio of their goodputs at 90% and at 99% attainment (the latter are found to a tenth) with a
bootstrap interval over instances, and, at 80% of the incumbent's goodput, the ratio of the 99th percentiles of both
times. Goals: 1.15 at 90%, the interval above 1; at 99% no less than 1; latencies at 80% no worse. What the ledger holds
is not run again, so that a run that was interrupted goes on. Predicting, ordering and routing happen in the timed loop,
whose time for each iteration is printed: it is the decisions' cost, and the engine's own is in it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from benchmarks.telling import teller

import unseat
from unseat.core.learner import Role
from unseat.core.policy import Policy
from unseat.tasks.serving.engine import layout as at
from unseat.tasks.serving.policies import RuleOf
from unseat.tasks.serving.problem import measured

GOAL, GOAL_99 = 1.15, 1.0

BESIDE = ("admission", "adaptive", "settings-evolved", "settings-random", "learned")
"""Challengers that are shown on the test instances whichever is the headline."""

Table = Mapping[str, Mapping[str, tuple[float, float]]]
"""Contender to instance to its goodputs at 90% and at 99%."""


def geometric(values: Sequence[float]) -> float:
    """The geometric mean."""
    return float(np.exp(np.mean(np.log(values))))


def rules() -> tuple[dict[str, RuleOf], dict[str, Role]]:
    """Policies that run in the compiled loop, and what they are."""
    policies: dict[str, RuleOf] = {}
    roles: dict[str, Role] = {}
    for name, contender in unseat.task("serving").contenders().items():
        made = contender.shipped() if contender.shipped else contender.make()
        if isinstance(made, Policy) and isinstance(made, RuleOf):
            policies[name], roles[name] = made, contender.role
    return policies, roles


def ran(names: Sequence[str], split: str, asked: dict[str, Any]) -> Table:
    """The goodputs of contenders on the instances of a split."""
    results = unseat.evaluate("serving", contenders=names, split=split, progress=teller(split), **asked)
    found: dict[str, dict[str, tuple[float, float]]] = {name: {} for name in names}
    for run in results.runs:
        if run.split == split and run.contender in found:
            value = run.outcome.value
            found[run.contender][run.instance] = value, run.outcome.metrics.get("goodput_99", value)
    return found


def versus(found: Table, new: str, old: str, at_99: bool) -> tuple[float, float, float, str]:
    """The ratio of goodputs, its interval over instances, and each instance's, as text."""
    ids = sorted(found[old])
    logs = np.log([found[new][one][at_99] / found[old][one][at_99] for one in ids])
    drawn = np.exp(np.random.default_rng(0).choice(logs, (4000, len(logs))).mean(axis=1))
    low, high = np.quantile(drawn, [0.025, 0.975])
    each = ", ".join(f"{one} {np.exp(log):.2f}" for one, log in zip(ids, logs, strict=True))
    return float(np.exp(logs.mean())), float(low), float(high), each


def latencies(found: Table, old: RuleOf, new: RuleOf) -> dict[str, float]:
    """New over old at 80% of the incumbent's goodput, in the geometric mean, and microseconds of an iteration."""
    task = unseat.task("serving")
    ratios: dict[str, list[float]] = {"p99_ttft_s": [], "p99_tpot_s": [], "mean_ttft_s": [], "mean_tpot_s": []}
    spent, iterations = 0.0, 0
    for one, (goodput, _) in found[old.name].items():
        problem, told = task.load(task.instance(one)), []
        for policy in (old, new):
            s = problem.begin(0, 0.8 * goodput)
            began = time.process_time()
            policy.play(s)
            if policy is new:
                spent, iterations = spent + time.process_time() - began, iterations + int(s.g[at.ITERATIONS])
            told.append(measured(s))
        for name, values in ratios.items():
            values.append(told[1][name] / told[0][name])
    return {**{name: geometric(values) for name, values in ratios.items()}, "us": 1e6 * spent / iterations}


def main() -> None:
    """Print the tables and the goals."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", default="full", choices=("full", "quick"))
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--ledger", help="a file; without it the user's own")
    given = parser.parse_args()
    asked: dict[str, Any] = {"suite": given.suite, "jobs": given.jobs, "ledger": given.ledger}
    policies, roles = rules()
    valid = ran([name for name, role in roles.items() if role is not Role.BASELINE], "valid", asked)
    means, means_99 = (
        {name: geometric([values[place] for values in rows.values()]) for name, rows in valid.items() if rows}
        for place in (0, 1)
    )
    print("geometric mean of the goodputs on the validation instances, requests/s, at 90% and at 99%:")
    for name, mean in sorted(means.items(), key=lambda item: -item[1]):
        print(f"  {mean:8.3f} {means_99[name]:8.3f} {roles[name]:10s} {name}")
    old, new = (max((name for name in means if roles[name] is role), key=means.__getitem__)
                for role in (Role.INCUMBENT, Role.CHALLENGER))  # fmt: skip
    print(f"incumbent to beat: {old}; headline challenger: {new} (both chosen on validation)\n")
    shown = [new, *(name for name in BESIDE if name in policies and name != new)]
    test = ran([old, *shown], "test", asked)
    ok = True
    for name in shown:
        print(f"{name} over {old}, {len(test[old])} test instances:")
        headline = name == new
        for at_99, goal in ((False, GOAL), (True, GOAL_99)):
            ratio, low, high, each = versus(test, name, old, at_99)
            told = f", goal {goal}" if headline else ""
            print(f"  goodput at {'99' if at_99 else '90'}%: {ratio:.3f} [{low:.3f}, {high:.3f}]{told}\n    {each}")
            ok = ok and (not headline or (ratio >= goal and (at_99 or low > 1)))
        times = latencies(test, policies[old], policies[name])
        print("  at 80% of the incumbent's goodput: "
              + ", ".join(f"{key} {value:.3f}" for key, value in times.items() if key != "us")
              + f"; engine and decisions take {times['us']:.1f} us an iteration")  # fmt: skip
        ok = ok and (not headline or max(times["p99_ttft_s"], times["p99_tpot_s"]) <= 1.0)
    print(f"goals: {'reached' if ok else 'missed'}")
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
