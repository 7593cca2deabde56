"""What steering gains on held-out join graphs and unseen data, and what it costs where it is wrong.

    python -m benchmarks.query_gain [--every] [--task query] [--data tpch:0.1|stats] [--contenders A;B] [--ledger URL]

The test queries of the full suite, or with --every all that were admitted; all contenders of an instance in one block
of five rounds. Of each: the CPU time of all queries, decisions included, against the default optimizer's; the share
of the gap to the best hint set of each query that is closed, with a 95% interval from a bootstrap over join graphs;
the queries that became more than 1.5 and 3 times slower, and the worst. Ends with 1 unless the challenger that
`valid` chooses meets the goals: 60% of the gap, 1.2 times less CPU time, fewer than 2% of queries 1.5 times slower
and none 3 times. With --data another workload is reported beside, and nothing is judged by it; --task takes
query-orders and query-duckdb as well.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Mapping

import numpy as np
from benchmarks.telling import teller
from numpy.typing import NDArray

import unseat
from unseat.lab.records import Results
from unseat.tasks.database.query.bounds import BestArm
from unseat.tasks.database.query.suites import every
from unseat.tasks.database.query.task import QueryTask

CONTENDERS = ("default", "best fixed", "LLMSteer", "TF-IDF steer", "Bao", "guarded", "process", "process, cautious")
GAP, FASTER, SLOWER, SHARE, NEVER = 0.60, 1.2, 1.5, 0.02, 3.0

Float64 = NDArray[np.float64]


class Every(QueryTask):
    """The task with all test instances."""

    def __init__(self) -> None:
        super().__init__(every())


def milliseconds(results: Results) -> tuple[dict[str, Float64], list[str]]:
    """Contender to CPU time of every test query, decisions included, the mean of the rounds; and the groups."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    groups: dict[str, str] = {}
    for run in results.runs:
        if run.split != "test":
            continue
        if "query_0_ms" not in run.outcome.metrics:
            sys.exit(f"{run.contender} on {run.instance} ended {run.outcome.status}: {run.outcome.message}")
        for name, value in run.outcome.metrics.items():
            if name.startswith("query_") and name.endswith("_ms"):
                found[run.contender][f"{run.instance} {name}"].append(value)
                groups[f"{run.instance} {name}"] = run.group
    keys = sorted(groups)
    return {who: np.array([np.mean(own[key]) for key in keys]) for who, own in found.items()}, [
        groups[key] for key in keys
    ]


def interval(own: Float64, default: Float64, best: Float64, groups: list[str]) -> tuple[float, float]:
    """A 95% percentile interval of the gap closed, join graphs drawn with replacement."""
    names, code = np.unique(groups, return_inverse=True)
    sums = [np.bincount(code, weights=each) for each in (default - own, default - best)]
    draws = np.random.default_rng(0).integers(len(names), size=(10_000, len(names)))
    low, high = np.percentile(sums[0][draws].sum(1) / sums[1][draws].sum(1), [2.5, 97.5])
    return float(low), float(high)


def show(found: Mapping[str, Float64], groups: list[str]) -> dict[str, bool]:
    """Print a row for each contender; who meets the goals."""
    default, best = found["default"], found[BestArm.name]
    print(f"{len(default)} queries of {len(set(groups))} join graphs; headroom {default.sum() / best.sum():.2f}x")
    print(f"{'contender':26} {'CPU ms':>8} {'faster':>7} {'gap closed':>22} {'>1.5x':>6} {'>3x':>4} {'worst':>6}")
    met = {}
    for name, own in found.items():
        ratio = own / default
        closed = (default - own).sum() / (default - best).sum()
        low, high = interval(own, default, best, groups)
        slower, never = int((ratio > SLOWER).sum()), int((ratio > NEVER).sum())
        print(f"{name:26} {own.sum():8.0f} {default.sum() / own.sum():6.2f}x {closed:7.1%} [{low:6.1%}, {high:6.1%}] "
              f"{slower:6} {never:4} {ratio.max():5.2f}x")  # fmt: skip
        enough = closed >= GAP and default.sum() / own.sum() >= FASTER
        met[name] = bool(enough and slower < SHARE * len(own) and never == 0)
    return met


def main() -> None:
    """Measure, print, and say whether the goals are met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contenders", default="", help="those of a list that the task has, if none are named")
    parser.add_argument("--every", action="store_true")
    parser.add_argument("--task", default="query", choices=("query", "query-orders", "query-duckdb"))
    parser.add_argument("--data", default=None)
    parser.add_argument("--ledger", default=None)
    arguments = parser.parse_args()
    task = "benchmarks.query_gain:Every" if arguments.every else arguments.task
    known = unseat.task(task).contenders()
    named = arguments.contenders.split(";") if arguments.contenders else [one for one in CONTENDERS if one in known]
    contenders = list(dict.fromkeys(["default", *named]))
    results = unseat.evaluate(task, suite="full", contenders=contenders, data=arguments.data, ledger=arguments.ledger,
                              budget=20.0, progress=teller(arguments.task))  # fmt: skip
    found, groups = milliseconds(results)
    met = show(found, groups)
    if arguments.data:
        return
    chosen = results.challenger
    print(f"chosen on validation: incumbent {results.incumbent}, challenger {chosen}")
    if chosen is None or not met[chosen]:
        sys.exit(
            f"missed: {GAP:.0%} of the gap, {FASTER}x, under {SHARE:.0%} of queries {SLOWER}x slower, none {NEVER}x"
        )
    print("goals met")


if __name__ == "__main__":
    main()
