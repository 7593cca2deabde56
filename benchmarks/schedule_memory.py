"""Every contender on a cluster whose executors are of three memory classes, as the policies ship.

    UNSEAT_DATA=DIR python -m benchmarks.schedule_memory

The workloads are those of the full suite's `…-memory-…` instances. Printed are mean completion times in seconds, and
the ratio to fair shares (geometric mean over workloads). Nothing has a target here.
"""

from __future__ import annotations

import numpy as np

import unseat
from unseat.core.learner import Role
from unseat.core.policy import Policy
from unseat.tasks.schedule.problem import completion_s


def main() -> None:
    """Run and print."""
    task = unseat.task("schedule")
    problems = [task.load(one) for one in task.instances() if "-memory-" in one.id and one.split == "test"]
    rows: dict[str, list[float]] = {}
    for name, contender in task.contenders().items():
        if contender.role is Role.BOUND:
            continue
        policy = contender.shipped() if contender.shipped else contender.make()
        assert isinstance(policy, Policy), name
        rows[name] = []
        for problem in problems:
            m = problem.cluster.begin(0)
            policy.play(m, problem.cluster)  # type: ignore[attr-defined]
            rows[name].append(float(completion_s(m).mean()))
    fair = np.array(rows["fair"])
    print(f"{len(problems)} workloads on three classes of memory")
    for name, values in sorted(rows.items(), key=lambda row: float(np.mean(row[1]))):
        ratio = np.exp(np.log(np.array(values) / fair).mean())
        print(f"{name:32} {np.mean(values):8.1f} s  {ratio:.3f} of fair shares")


if __name__ == "__main__":
    main()
