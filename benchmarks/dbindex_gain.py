"""What chosen indexes gain by real execution, beside what the planner promised.

    python -m benchmarks.dbindex_gain [--ledger URL] [--contenders A;B]

The test workloads of the full suite at every budget. Of each contender: the CPU time of all workloads with the indexes
that it chose, as a ratio to that without indexes, with a 95% interval from a bootstrap over workloads; what the planner
had promised; the workload that it made slowest; and the seconds that it took to choose. Ends with 1 if an outcome is
no measurement, or if the challenger that `valid` chooses is behind the incumbent that it chooses.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict

import numpy as np
from benchmarks.telling import teller

import unseat
from unseat.lab.records import Run


def interval(own: list[float], plain: list[float], groups: list[str]) -> tuple[float, float]:
    """A 95% percentile interval of the ratio of sums, workloads drawn with replacement."""
    names, code = np.unique(groups, return_inverse=True)
    one, other = np.bincount(code, weights=own), np.bincount(code, weights=plain)
    draws = np.random.default_rng(0).integers(len(names), size=(10_000, len(names)))
    low, high = np.percentile(one[draws].sum(1) / other[draws].sum(1), [2.5, 97.5])
    return float(low), float(high)


def row(name: str, own: dict[str, list[Run]], plain: dict[str, float], groups: list[str]) -> float:
    """Print what a contender chose and gained; its CPU time of all workloads."""
    took = [float(np.mean([run.outcome.value for run in own[one]])) for one in plain]
    metrics = [own[one][0].outcome.metrics for one in plain]
    low, high = interval(took, list(plain.values()), groups)
    promised = float(np.exp(np.mean([-np.log(one["estimated_gain"]) for one in metrics])))
    worst = max(one / before for before, one in zip(plain.values(), took, strict=True))
    seconds = float(np.mean([one["advise_s"] for one in metrics]))
    print(f"{name:18} {sum(took):8.0f} {sum(took) / sum(plain.values()):6.3f} [{low:6.3f}, {high:6.3f}] "
          f"{promised:9.4f} {worst:6.2f} {seconds:8.2f}")  # fmt: skip
    return sum(took)


def main() -> None:
    """Measure, print, and say whether challengers are ahead."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contenders", default="")
    parser.add_argument("--ledger", default=None)
    arguments = parser.parse_args()
    named = [one for one in arguments.contenders.split(";") if one] or None
    results = unseat.evaluate("dbindex", suite="full", contenders=named, ledger=arguments.ledger,
                              progress=teller("dbindex"))  # fmt: skip
    found: dict[str, dict[str, list[Run]]] = defaultdict(lambda: defaultdict(list))
    for run in results.runs:
        if run.split == "test":
            if run.outcome.status != "ok":
                sys.exit(f"{run.contender} on {run.instance} ended {run.outcome.status}: {run.outcome.message}")
            found[run.contender][run.instance].append(run)
    instances = sorted(found["none"])
    plain = {one: float(np.mean([run.outcome.value for run in found["none"][one]])) for one in instances}
    groups = [found["none"][one][0].group for one in instances]
    print(f"{len(instances)} instances, {len(set(groups))} workloads; without indexes {sum(plain.values()):.0f} ms")
    print(f"{'contender':18} {'CPU ms':>8} {'ratio':>6} {'95% interval':>16} {'promised':>9} {'worst':>6} {'s':>8}")
    totals = {name: row(name, own, plain, groups) for name, own in found.items()}
    incumbent, challenger = results.incumbent, results.challenger
    print(f"chosen on validation: incumbent {incumbent}, challenger {challenger}")
    if challenger is None or incumbent is None or totals[challenger] > totals[incumbent]:
        sys.exit("the challenger is behind")
    print("the challenger is ahead")


if __name__ == "__main__":
    main()
