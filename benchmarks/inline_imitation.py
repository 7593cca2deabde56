"""What imitating the best of several inliners gives, iteration by iteration, beside its ablations.

    python -m benchmarks.inline_imitation [--programs N] [--rounds N]

On the corpus's training and validation programs, module by module: the best single baseline, BC-Max, BC-Max without
the weights of the bins, and plain cloning of the same trajectories of all baselines. Each line is an iteration: bytes
of machine code in the mean of the training modules, of the best policy in each so far, and of the validation programs.
Exit status 1 where BC-Max is no better on validation programs than plain cloning.
"""

from __future__ import annotations

import argparse
import sys

import unseat
from unseat.core.outcome import Limits
from unseat.lab.study import LocalStudy
from unseat.learn.imitate import BCMax
from unseat.tasks.llvm.inline.learners import baselines, clone
from unseat.tasks.llvm.inline.trials import play

VARIANTS = {
    "BC-Max": {}, "without weights": {"weighted": False}, "plain cloning": {"best": False, "weighted": False},
}  # fmt: skip


def fitted(name: str, programs: int, rounds: int) -> float:
    """Fit a variant and print its table; its best mean size on the validation programs."""
    task = unseat.task("inline")
    chosen = [one for one in task.instances() if not one.facts["whole"]]
    train, valid = ([one for one in chosen if one.split == split][:programs] for split in ("train", "valid"))
    options = VARIANTS[name]
    learner = BCMax(name, play, clone, baselines, rounds=rounds, best=options.get("best", True),
                    weighted=options.get("weighted", True))  # fmt: skip
    learner.fit(LocalStudy(task, train, valid, Limits(), 0))
    for line in learner.table:
        print(f"{name:16} {line.number} {line.policy:14} training modules {line.train:8.1f}, best of each"
              f" {line.best:8.1f}, validation programs {line.valid:8.1f}", flush=True)  # fmt: skip
    return min(line.valid for line in learner.table[1:])


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=int, default=100, help="of each split, at most")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    found = {name: fitted(name, arguments.programs, arguments.rounds) for name in VARIANTS}
    reached = found["BC-Max"] < found["plain cloning"]
    print(f"BC-Max {'is better' if reached else 'MISSED: is no better'} than plain cloning on validation programs")
    return int(not reached)


if __name__ == "__main__":
    sys.exit(main())
