"""The simulator of `schedule` held against a real Spark: the order in which jobs complete, FIFO and with fair pools.

    python -m benchmarks.schedule_spark [--jobs 20] [--seed 0] [--logs FOLDER]

Small generated job graphs arrive one after the other at a Spark with four executors of one core (`local-cluster`), once
in FIFO order and once with a fair pool for each job; then the simulator gets the same jobs, arrivals and durations.
Printed are Kendall's tau of the two orders of completion and the simulated mean time from arrival to completion over
the measured one; beside them the tau that the order of arrival alone would have had. Exit status 1 where a tau is below
0.8.

What the simulator is told beside the graphs: the overhead of a task, as two means over the run (an executor's first
task of a stage, and later ones). Executors move between jobs of one application at once, so its moving delay is 0 here.
Takes about three minutes on two cores; needs Java and the extra `spark`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from scipy.stats import kendalltau

from unseat.core.errors import UserError
from unseat.tasks.schedule import spark
from unseat.tasks.schedule.engine.graphs import Arrivals, JobGraph, Stage, profile

EXECUTORS = 4
TARGET = 0.8
STAGES, TASKS, DURATION_MS = (2, 6), (1, 16), (100, 800)
LOAD = 2.5
OVERHEAD_MS = 250
"""Roughly what a task takes beyond its sleep; only the arrivals depend on it."""


def log_uniform(span: tuple[int, int], rng: np.random.Generator) -> float:
    """A number whose logarithm is uniform."""
    return float(np.exp(rng.uniform(*np.log(span))))


def graph(name: str, rng: np.random.Generator) -> JobGraph:
    """A random small graph: each stage but the first reads one or two earlier ones.

    The tasks of a stage take equally long, so that the simulator, which draws durations anew, gets the same ones.
    """
    stages = []
    most = round(log_uniform(TASKS, rng))  # many small jobs, few large ones
    for place in range(rng.integers(*STAGES, endpoint=True)):
        parents = rng.choice(place, min(place, int(rng.integers(1, 2, endpoint=True))), replace=False)
        tasks = int(rng.integers(TASKS[0], most, endpoint=True))
        duration = round(log_uniform(DURATION_MS, rng))
        stages.append(Stage(tasks, tuple(sorted(map(int, parents))), (profile(EXECUTORS, [duration], [], []),)))
    return spark.with_one_end(JobGraph(name, name, tuple(stages)))


def arrivals(jobs: int, seed: int) -> Arrivals:
    """Graphs that arrive at random, faster than they can be run, so that the order of completion says something."""
    rng = np.random.default_rng(seed)
    graphs = tuple(graph(f"job-{job}", rng) for job in range(jobs))
    work_ms = sum(graph.work_ms + OVERHEAD_MS * graph.tasks for graph in graphs) / jobs
    between = rng.exponential(work_ms / EXECUTORS / LOAD, jobs - 1)
    return Arrivals(graphs, tuple(range(jobs)), (0, *map(int, np.cumsum(between))))


def judge(mode: spark.Mode, offered: Arrivals, seed: int, log: Path | None) -> float:
    """Runs one mode on both, prints what came out, and returns tau."""
    run = spark.run(offered, mode, EXECUTORS, seed, log=log)
    told = spark.as_measured(offered, run, EXECUTORS)
    finished = {which: spark.simulated(told, which, EXECUTORS, seed) for which in spark.MODES}
    (other,) = set(spark.MODES) - {mode}
    tau, of_other, of_arrival = (
        float(kendalltau(run.completed_ms, times).statistic)
        for times in (finished[mode], finished[other], run.submitted_ms)
    )
    arrived = np.array(run.submitted_ms)
    real_s, simulated_s = ((np.array(times) - arrived).mean() / 1000 for times in (run.completed_ms, finished[mode]))
    first, rest = run.overhead_ms()
    ratio = simulated_s / real_s
    print(f"{mode}: tau {tau:.3f} (told {other}: {of_other:.3f}, the order of arrival: {of_arrival:.3f})")
    print(f"  mean completion time {real_s:.2f} s on Spark, {simulated_s:.2f} s simulated: ratio {ratio:.3f}")
    print(
        f"  {len(run.tasks)} tasks, {run.moves} moves of executors; a task's overhead {first} ms first, {rest} ms later"
    )
    print(f"  Spark {run.version}, {run.start_s:.0f} s to start and warm up", flush=True)
    return tau


def main() -> int:
    """Runs both modes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--logs", type=Path, help="folder where Spark's event logs are kept")
    args = parser.parse_args()
    if args.jobs < 2:
        parser.error("--jobs: give at least 2, an order needs two")
    offered = arrivals(args.jobs, args.seed)
    if args.logs:
        args.logs.mkdir(parents=True, exist_ok=True)
    try:
        taus = [judge(mode, offered, args.seed, args.logs and args.logs / f"{mode}.json") for mode in spark.MODES]
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0 if min(taus) >= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
