"""Fit the learners of tasks anew and put their policies into the package.

    python -m benchmarks.ship [--budget SECONDS] [--suite full|quick] [--only NAME,NAME] [TASK ...]

They learn from the training instances of the suite and are chosen on its validation instances; test instances are not
read. The cache's programs ship by `benchmarks/evolve_cache.py --keep` instead, from shorter traces. Each policy carries
the record of its fit. The full suite's training traces must be at hand (`UNSEAT_DATA`) or are fetched.
"""

from __future__ import annotations

import argparse
import importlib
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.telling import teller

import unseat
from unseat.core.learner import Learner
from unseat.lab.ledger import Ledger

FOLDERS = {
    "cache": "unseat.tasks.cache.contenders", "cache-sized": "unseat.tasks.cache.contenders",
    "index": "unseat.tasks.index.contenders", "index-updates": "unseat.tasks.index.updates.contenders",
    "schedule": "unseat.tasks.schedule.contenders", "inline": "unseat.tasks.llvm.inline.contenders",
    "regalloc": "unseat.tasks.llvm.regalloc.contenders",
    "shard": "unseat.tasks.shard.contenders", "graphsched": "unseat.tasks.graphsched.contenders",
    "passes": "unseat.tasks.llvm.passes.contenders", "query": "unseat.tasks.database.query.contenders",
    "query-orders": "unseat.tasks.database.query.contenders", "query-duckdb": "unseat.tasks.database.query.contenders",
    "dbindex": "unseat.tasks.database.dbindex.contenders",
    "serving": "unseat.tasks.serving.contenders",
}  # fmt: skip
"""Task to the module that says where its shipped policies lie."""


def ship(task: str, suite: str, budget: float, only: list[str]) -> None:
    """Fit every learner of a task, or those that are named, and save what it proposes."""
    learners = [name for name, one in unseat.task(task).contenders().items() if isinstance(one.make(), Learner)]
    learners = [name for name in learners if not only or name in only]
    home: Path = importlib.import_module(FOLDERS[task]).SHIPPED
    with tempfile.TemporaryDirectory() as folder, Ledger.open(str(Path(folder) / "ledger.db")) as ledger:
        results = unseat.evaluate(task, suite=suite, split="valid", contenders=learners, budget=budget, retrain=True,
                                  ledger=ledger, progress=teller(task))  # fmt: skip
        for fit in results.fits:
            if fit.artefact is None:
                sys.exit(f"{task}: the fit of {fit.contender} gave no policy: {fit.message}")
            target = home / task / fit.contender
            shutil.rmtree(target, ignore_errors=True)
            artefact = ledger.fitted(fit)
            artefact.save(target)
            print(f"{task}: {fit.contender} after {fit.runs} runs, {artefact.nbytes} bytes")


def main() -> None:
    """Ship the tasks that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", default=list(FOLDERS))
    parser.add_argument("--budget", type=float, default=120.0)
    parser.add_argument("--suite", default="full")
    parser.add_argument("--only", default="", help="learners, all if none are named")
    arguments = parser.parse_args()
    for task in arguments.tasks:
        ship(task, arguments.suite, arguments.budget, [name for name in arguments.only.split(",") if name])


if __name__ == "__main__":
    main()
