"""Task events and decisions a second of the cluster's simulator, and what a learned decision costs.

    python -m benchmarks.schedule_speed [--seconds 3] [--peer CHECKOUT]

A batch of 20 TPC-H jobs on 50 executors, one core, everything compiled beforehand. Printed beside what must be reached:
task events and decisions a second of the rules FIFO and fair; microseconds that the scorer takes for a decision, which
is its run less a run that is told the same answers; decisions a second of the batched environment and of the plain
one. Rollouts have no goal: printed are milliseconds of a decision. With ``--peer`` the fair scheduler of
ArchieGertsman/spark-sched-sim, from a checkout of it, does batches of the same kind in the same run. Exit status 1
where a figure is missed. Needs the published job graphs (`UNSEAT_DATA`, or they are fetched).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import unseat
from unseat.core.jit import jit
from unseat.tasks.schedule.challengers import network
from unseat.tasks.schedule.challengers.scorer import Scorer
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.cluster import advance, answer
from unseat.tasks.schedule.engine.layout import Int32, Memory
from unseat.tasks.schedule.policies import RULES, ranks
from unseat.tasks.schedule.problem import Problem
from unseat.tasks.schedule.suites import Source

EVENTS, DECISIONS, LEARNED_US, BATCHED, PLAIN = 10e6, 150e3, 4.0, 40e3, 8e3
WORKLOADS = 20


def problems() -> list[Problem]:
    """Batches of 20 jobs of all 22 queries at all sizes."""
    return [Source("", "", "test", "tpch-all", "batch", 20, 90_000 + seed).problem() for seed in range(WORKLOADS)]


def best_of(body: Callable[[], None], seconds: float) -> float:
    """Seconds of the quickest of several runs: noise only ever adds."""
    body()
    found: list[float] = []
    until = time.perf_counter() + seconds
    while len(found) < 3 or time.perf_counter() < until:
        began = time.perf_counter()
        body()
        found.append(time.perf_counter() - began)
    return min(found)


def rules(name: str, made: list[Problem], seconds: float) -> tuple[float, float]:
    """Task events and decisions a second of a rule, its loop alone."""
    from unseat.tasks.schedule.incumbents.play import play

    clusters = [problem.cluster for problem in made]
    given = [ranks(RULES[name].ranks, cluster) for cluster in clusters]
    states = [cluster.begin(seed) for seed, cluster in enumerate(clusters)]
    counted = np.zeros(2)

    def body() -> None:
        counted[:] = 0
        for cluster, fresh, rank in zip(clusters, states, given, strict=True):
            m = fresh.copy()
            play(m, cluster.durations, RULES[name].number, np.zeros(4), rank, at.NEVER_MS)
            counted[:] += m[at.STARTED_TASKS], m[at.DECISIONS]

    took = best_of(body, seconds)
    return float(counted[0] / took), float(counted[1] / took)


@jit
def remembered(m: Memory, durations: Int32, static: Any, weights: Any, answers: Memory) -> int:
    """A run of the scorer that keeps its answers."""
    space, count = network.prepare(m, static, weights[0]), 0
    while advance(m, durations):
        stage, limit = network.choose(m, static, weights[0], weights[1], weights[2], weights[3], space)
        answers[count, 0], answers[count, 1] = stage, limit
        count += 1
        answer(m, durations, stage, limit)
    return count


@jit
def told(m: Memory, durations: Int32, answers: Memory) -> None:
    """A run by given answers."""
    count = 0
    while advance(m, durations):
        answer(m, durations, answers[count, 0], answers[count, 1])
        count += 1


def learned(made: list[Problem], seconds: float) -> float:
    """Microseconds of a decision of the shipped scorer."""
    shipped = unseat.task("schedule").contenders()["scorer"].shipped
    assert shipped is not None, "no scorer ships with this package"
    policy = shipped()
    assert isinstance(policy, Scorer)
    weights = policy.inputs, policy.bias, policy.outputs, policy.prices
    clusters = [problem.cluster for problem in made]
    states, kept = [cluster.begin(seed) for seed, cluster in enumerate(clusters)], []
    for cluster, fresh in zip(clusters, states, strict=True):
        answers = np.zeros((20_000, 2), np.int64)
        kept.append(answers[: remembered(fresh.copy(), cluster.durations, cluster.static, weights, answers)])

    def score() -> None:
        for cluster, fresh in zip(clusters, states, strict=True):
            policy.play(fresh.copy(), cluster)

    def repeat() -> None:
        for cluster, fresh, answers in zip(clusters, states, kept, strict=True):
            told(fresh.copy(), cluster.durations, answers)

    # In turn, so that both meet the same machine.
    runs = [(best_of(score, seconds / 4), best_of(repeat, seconds / 4)) for _ in range(4)]
    return 1e6 * (min(run[0] for run in runs) - min(run[1] for run in runs)) / sum(map(len, kept))


def ahead(problem: Problem) -> float:
    """Milliseconds of a decision of the shipped rollouts."""
    shipped = unseat.task("schedule").contenders()["scorer-rollout"].shipped
    assert shipped is not None, "no rollouts ship with this package"
    policy, m = shipped(), problem.cluster.begin(0)
    took_s = float(policy.play(m, problem.cluster))  # type: ignore[attr-defined]
    return 1000 * took_s / int(m[at.DECISIONS])


def batched(seconds: float) -> float:
    """Decisions a second of the batched environment: 64 clusters, the first candidate, a quarter of all executors."""
    task = unseat.task("schedule")
    instances = [task.instance(f"tpch-batch-all-{seed % 8}") for seed in range(64)]
    env = task.vector_env(instances)  # type: ignore[attr-defined]
    env.reset(seed=0)
    actions = np.full(len(instances), 4)

    def body() -> None:
        for _ in range(20):
            env.step(actions)

    return 20 * len(instances) / best_of(body, seconds)


def plain(seconds: float) -> float:
    """Decisions a second of the plain environment."""
    task = unseat.task("schedule")
    env: Any = task.env(task.instance("tpch-batch-all-0"))
    env.reset(seed=0)

    def body() -> None:
        for _ in range(500):
            if env.step(np.int64(4))[2]:
                env.reset(seed=0)

    return 500 / best_of(body, seconds)


PEER = """
import sys, time
sys.path.insert(0, sys.argv[1])
import os; os.chdir(sys.argv[1])
import importlib.util, unittest.mock
for part in ("torch_geometric", "torch_scatter", "torch_sparse", "pygame"):  # its fair scheduler needs none
    if importlib.util.find_spec(part) is None:
        sys.modules[part] = unittest.mock.MagicMock()
import gymnasium as gym
import spark_sched_sim
from schedulers import RoundRobinScheduler
env = gym.make("spark_sched_sim:SparkSchedSimEnv-v0", env_cfg={"num_executors": 50, "job_arrival_cap": 20,
    "job_arrival_rate": 1e9, "moving_delay": 2000., "warmup_delay": 1000., "data_sampler_cls": "TPCHDataSampler"})
scheduler = RoundRobinScheduler(num_executors=50, dynamic_partition=True)
decisions, began = 0, time.perf_counter()
for seed in range(3):
    seen, _ = env.reset(seed=seed, options=None)
    ended = False
    while not ended:
        action, _ = scheduler.schedule(seen)
        seen, _, over, cut, _ = env.step(action)
        ended, decisions = over or cut, decisions + 1
print(decisions / (time.perf_counter() - began))
"""


def peer(checkout: Path) -> str:
    """Decisions a second of the public simulator's fair scheduler, or why there are none."""
    done = subprocess.run([sys.executable, "-c", PEER, str(checkout.resolve())], capture_output=True, text=True)
    if done.returncode:
        return f"did not run: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'no message'}"
    return f"{float(done.stdout.split()[-1]):,.0f} decisions/s"


def main() -> int:
    """Print every figure beside its target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each figure")
    parser.add_argument("--peer", type=Path, help="a checkout of ArchieGertsman/spark-sched-sim")
    arguments = parser.parse_args()
    unseat.task("schedule").warm()
    made = problems()
    missed = False

    def show(name: str, value: float, target: float, unit: str, least: bool = True) -> None:
        nonlocal missed
        reached = value >= target if least else value <= target
        missed |= not reached
        sign = "at least" if least else "at most"
        print(
            f"{name:44} {value:14,.2f} {unit:12} {sign} {target:,.0f}: {'reached' if reached else 'MISSED'}", flush=True
        )

    for name in ("FIFO", "fair"):
        events, decisions = rules(name, made, arguments.seconds)
        show(f"{name}, task events", events, EVENTS, "a second")
        show(f"{name}, decisions", decisions, DECISIONS, "a second")
    show("scorer, a decision", learned(made, arguments.seconds), LEARNED_US, "µs", least=False)
    stream = Source("", "", "test", "tpch-all", "stream", 200, 0).problem()
    for name, problem in (("batch", made[0]), ("stream", stream)):
        print(f"{f'rollouts on the scorer, a decision of a {name}':44} {ahead(problem):14,.2f} ms", flush=True)
    show("batched environment, decisions", batched(arguments.seconds), BATCHED, "a second")
    show("plain environment, decisions", plain(arguments.seconds), PLAIN, "a second")
    if arguments.peer:
        print(f"spark-sched-sim, fair scheduler, same kind of batch: {peer(arguments.peer)}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
