"""How many passes a second the worker runs, beside one ``opt`` a pass.

    python -m benchmarks.passes_speed [--programs N] [--passes N] [--goal RATE]

The built-in programs whose modules are nearest to 65 KB of bitcode get the same passes, drawn at random, in both ways.
A step is one pass and the counts that an observation is made of; the size is only asked for at a sequence's end, since
code generation takes as long as dozens of passes, and is shown by itself. CPU seconds are those of all processes:
unlike seconds of wall time they are the same on a machine that others use too. Ends with 1 if the goal is missed.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import numpy as np

import unseat
from unseat.tasks.llvm.engine import workplace
from unseat.tasks.llvm.engine.optimizer import Optimizer
from unseat.tasks.llvm.engine.process import call
from unseat.tasks.llvm.engine.toolchain import require
from unseat.tasks.llvm.passes.actions import MOST, PIPELINES
from unseat.tasks.llvm.passes.policies import PASSES
from unseat.tasks.llvm.passes.problem import Problem

_NEAR = 65_000


class Clock:
    """Seconds of wall time, and of CPU time of this process and of those it has waited for."""

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0

    def __enter__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), _cpu()

    def __exit__(self, *raised: object) -> None:
        self.wall += time.perf_counter() - self._wall
        self.cpu += _cpu() - self._cpu


def _cpu() -> float:
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def in_worker(problem: Problem, drawn: list[str], steps: Clock, objects: Clock) -> None:
    """The passes in one worker, which is waited for at the end so that its CPU time is known."""
    with steps, Optimizer(problem.bitcode, problem.counts) as optimizer:
        for name in drawn:
            optimizer.run(PIPELINES[name])
    with objects, Optimizer(problem.bitcode, problem.counts) as optimizer:
        optimizer.object()


def by_opt(problem: Problem, drawn: list[str], steps: Clock) -> None:
    """The passes one by one with LLVM's tool."""
    opt = require().tool("opt")
    with workplace.folder() as folder, steps:
        Path(folder / "module.bc").write_bytes(problem.bitcode)
        for name in drawn:
            call([opt, f"-passes={PIPELINES[name]}", "module.bc", "-o", "module.bc"], folder)


def main() -> None:
    """Measure, print, and say whether the goal is met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=int, default=6)
    parser.add_argument("--passes", type=int, default=MOST)
    parser.add_argument("--goal", type=float, default=100.0, help="steps a second of CPU time")
    arguments = parser.parse_args()
    task, rng = unseat.task("passes"), np.random.default_rng(0)
    problems: list[Problem] = [task.load(instance) for instance in task.instances()]
    problems.sort(key=lambda problem: abs(len(problem.bitcode) - _NEAR))
    worker, objects, tool, steps = Clock(), Clock(), Clock(), 0
    for problem in problems[: arguments.programs]:
        drawn = [PASSES[place] for place in rng.integers(len(PASSES), size=arguments.passes)]
        in_worker(problem, drawn, worker, objects)
        by_opt(problem, drawn, tool)
        steps += len(drawn)
    sizes = [len(problem.bitcode) for problem in problems[: arguments.programs]]
    print(
        f"{len(sizes)} modules of {min(sizes)} to {max(sizes)} B, {steps} random passes; load {os.getloadavg()[0]:.1f}"
    )
    for name, clock, count in (("worker", worker, steps), ("opt, a process a pass", tool, steps),
                               ("worker, started for one object", objects, len(sizes))):  # fmt: skip
        print(f"{name:32} {count / clock.wall:7.1f} a second, {count / clock.cpu:7.1f} a second of CPU time")
    met = steps / worker.cpu >= arguments.goal
    print(f"goal of {arguments.goal:g} steps a second of CPU time: {'met' if met else 'missed'}")
    sys.exit(int(not met))


if __name__ == "__main__":
    main()
