"""Decima beside two ablations, at equal numbers of episodes: without messages, and without input-dependent baselines.

    python -m benchmarks.schedule_decima [--episodes 2000] [--threads 2] [--only NAME]

Each is trained on the training workloads of the full suite from the same seed. Printed is the learning curve: the mean
completion time on the validation workloads over that of fair shares, of the best weights until then (geometric mean
over workloads). Nothing has a target here. Needs PyTorch and the published job graphs.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

import unseat
from unseat.core.outcome import Limits
from unseat.lab.study import LocalStudy
from unseat.tasks.schedule.challengers.decima.policy import Decima
from unseat.tasks.schedule.challengers.decima.training import DecimaByGradient

VARIANTS = {
    "Decima": (True, True), "without messages": (False, True), "without input-dependent baseline": (True, False)
}  # fmt: skip


def main() -> None:
    """Train and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=2000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", choices=sorted(VARIANTS))
    arguments = parser.parse_args()
    task = unseat.task("schedule")
    train, valid = ([one for one in task.instances() if one.split == split] for split in ("train", "valid"))
    for name, (messages, input_baseline) in VARIANTS.items():
        if arguments.only not in (None, name):
            continue
        began = time.monotonic()
        study = LocalStudy(task, train, valid, Limits(threads=arguments.threads), seed=0)
        learner = DecimaByGradient(name, messages, input_baseline, episodes=arguments.episodes)
        policy = learner.fit(study)
        assert isinstance(policy, Decima)
        print(f"{name}: {time.monotonic() - began:.0f} s")
        step = max(1, len(policy.curve) // 20)
        for episodes, _, best in policy.curve[step - 1 :: step]:
            print(f"  {episodes:6.0f} episodes  {np.exp(best):.3f} of fair shares", flush=True)


if __name__ == "__main__":
    main()
