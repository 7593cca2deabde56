"""What chosen indexes gain by real execution, beside what the planner promised.

    python -m benchmarks.dbindex_gain [--ledger URL] [--contenders A;B]

The test workloads of the full suite at every budget. Of each contender: the CPU time of all workloads with the indexes
that it chose, as a ratio to that without indexes, and that of each workload (an interval over so few, which share
tables and templates, would say nothing); what the planner had promised; the workload that it made slowest; and the
seconds that it took to choose. Ends with 1 if an outcome is no measurement, or if the challenger that `valid` chooses
is behind the incumbent that it chooses.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict

import numpy as np
from benchmarks.telling import teller

import unseat
from unseat.lab.records import Run


def by_workload(own: list[float], plain: list[float], groups: list[str]) -> str:
    """The ratio of each workload, over its budgets."""
    names, code = np.unique(groups, return_inverse=True)
    ratios = np.bincount(code, weights=own) / np.bincount(code, weights=plain)
    return ", ".join(f"{name} {ratio:.3f}" for name, ratio in zip(names, ratios, strict=True))


def row(name: str, own: dict[str, list[Run]], plain: dict[str, float], groups: list[str]) -> float:
    """Print what a contender chose and gained; its CPU time of all workloads."""
    took = [float(np.mean([run.outcome.value for run in own[one]])) for one in plain]
    metrics = [own[one][0].outcome.metrics for one in plain]
    promised = float(np.exp(np.mean([-np.log(one["estimated_gain"]) for one in metrics])))
    worst = max(one / before for before, one in zip(plain.values(), took, strict=True))
    seconds = float(np.mean([one["advise_s"] for one in metrics]))
    print(f"{name:18} {sum(took):8.0f} {sum(took) / sum(plain.values()):6.3f} {promised:9.4f} {worst:6.2f} "
          f"{seconds:8.2f}  {by_workload(took, list(plain.values()), groups)}")  # fmt: skip
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
    # The quick suite's workload repeats queries of another one.
    instances = sorted(one for one in found["none"] if "-quick@" not in one)
    plain = {one: float(np.mean([run.outcome.value for run in found["none"][one]])) for one in instances}
    groups = [found["none"][one][0].group for one in instances]
    print(f"{len(instances)} instances, {len(set(groups))} workloads; without indexes {sum(plain.values()):.0f} ms")
    print(f"{'contender':18} {'CPU ms':>8} {'ratio':>6} {'promised':>9} {'worst':>6} {'s':>8}  by workload")
    totals = {name: row(name, own, plain, groups) for name, own in found.items()}
    incumbent, challenger = results.incumbent, results.challenger
    print(f"chosen on validation: incumbent {incumbent}, challenger {challenger}")
    if challenger is None or incumbent is None or totals[challenger] > totals[incumbent]:
        sys.exit("the challenger is behind")
    print("the challenger is ahead")


if __name__ == "__main__":
    main()
