"""The solver on the contest's published instances, against the best published costs and the proven bounds.

    UNSEAT_DATA=... python -m benchmarks.shard_contest [--seconds 60] [--limits] [--threads N] [--seeds 5] [--only A,B]
                                                       [--policy blocks-tuned] [--goal 1.0]

Time is CPU time of the search's thread, reading and reductions left out of it only where `--seconds` says how long;
`--limits` gives each instance its limit in the contest instead. Prints best published cost divided by ours for every
run, and fails where a run is not within the memory limit, the mean is below the goal, or a run below 0.995. On Linux it
prints the most memory that reading and the runs so far took, divided by the instance's size.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections import deque
from contextlib import suppress
from pathlib import Path

import numpy as np

from unseat.core.learner import Learner
from unseat.data import FileEntry
from unseat.tasks.shard.contenders import contenders
from unseat.tasks.shard.engine.problem import Int64
from unseat.tasks.shard.policies import Solver, settings
from unseat.tasks.shard.solver.bandit import selector
from unseat.tasks.shard.solver.search import together
from unseat.tasks.shard.suites import Source, built_in
from unseat.tasks.shard.warming import warm

WORST = 0.995


def memory(name: str) -> int:
    """Bytes in memory now (`VmRSS`) or the most since the last reset (`VmHWM`); 0 where Linux does not tell."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.is_file() else []
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith(name)), 0)


def reset_peak() -> None:
    """Let `VmHWM` begin again at what is in memory now."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def solver(name: str) -> Solver:
    """The policy of that name, as shipped."""
    contender = contenders()[name]
    made = contender.shipped() if contender.shipped else contender.make()
    if isinstance(made, Learner) or not isinstance(made, Solver):
        sys.exit(f"{name} is not a solver that ships")
    return made


def runs(source: Source, entry: FileEntry, policy: Solver, arguments: argparse.Namespace) -> list[float]:
    """Best published cost divided by ours of each seed, 0 where the answer passes the limit."""
    gc.collect()
    reset_peak()
    before = memory("VmRSS")
    problem, details, ratios = source.problem(), entry.details, list[float]()
    seconds = float(details["limit_s"]) if arguments.limits else arguments.seconds
    for seed in range(arguments.seeds):
        began, cpu, answers = time.monotonic(), time.process_time(), deque[Int64](maxlen=1)
        selectors = [selector(policy.weights, policy.online) for _ in range(arguments.threads)]
        found = together(problem, seconds, None, answers.append, threads=arguments.threads, seed=seed,
                         schedule=settings(policy.schedule), selectors=selectors)  # fmt: skip
        chosen = answers[-1]
        ratio = float(details["best_known"]) / problem.cost(chosen)
        ratios.append(ratio if problem.peak(chosen) <= problem.limit else 0.0)
        bound = max(one.bound for one in found)
        print(f"{source.name} seed {seed}: best published / ours {ratio:.4f}, ours / proven bound "
              f"{problem.cost(chosen) / details['lower_bound']:.4f}, "
              f"own bound / proven {bound / details['lower_bound']:.4f}, "
              f"peak / limit {problem.peak(chosen) / problem.limit:.4f}, "
              f"memory / size {(memory('VmHWM') - before) / problem.nbytes:.1f}, "
              f"{time.process_time() - cpu:.0f} CPU s, {time.monotonic() - began:.0f} s", flush=True)  # fmt: skip
        marks = [0.3, 0.5, 0.7, 0.85]
        told = [min((cost for share, cost in found[0].curve if share <= mark), default=np.inf) for mark in marks]
        print("   after " + ", ".join(f"{mark:.0%}: {details['best_known'] / cost:.4f}"
                                      for mark, cost in zip(marks, told, strict=True)), flush=True)  # fmt: skip
    return ratios


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--limits", action="store_true")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", default="")
    parser.add_argument("--policy", default="blocks")
    parser.add_argument("--goal", type=float, default=1.0)
    arguments = parser.parse_args()
    policy, ratios = solver(arguments.policy), list[float]()
    # Compiling must not be on any clock.
    warm()
    for source in built_in():
        if source.entry is None or (arguments.only and source.name[-1] not in arguments.only):
            continue
        ratios += runs(source, source.entry, policy, arguments)
    mean = float(np.mean(ratios))
    print(f"mean of best published / ours: {mean:.4f}, goal {arguments.goal}; worst {min(ratios):.4f}, goal {WORST}")
    sys.exit(0 if mean >= arguments.goal and min(ratios) >= WORST else 1)


if __name__ == "__main__":
    main()
