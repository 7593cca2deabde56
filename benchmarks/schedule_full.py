"""What the full suite shows from the shipped policies, and how long that takes: two cores, an empty ledger.

    UNSEAT_DATA=DIR python -m benchmarks.schedule_full [--jobs 2]

Runs `unseat run schedule --suite full` with the rollouts, the scorer under them and the strongest rules, and prints by
how much the rollouts are better than the incumbent that was chosen on the validation instances. Exit status 1 where it
takes over five minutes, or the interval reaches parity. `UNSEAT_DATA` has the TPC-H graphs, without which a part of
the suite cannot run.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import unseat

CONTENDERS = (
    "weighted-fair-tuned", "weighted-fair-conserving-tuned", "weighted-fair-srpt-tuned", "Tetris-tuned", "scorer",
    "scorer-rollout",
)  # fmt: skip
MOST_S = 300.0
COMMAND = "from unseat.cli import main; main()"  # what the installed script does


def main() -> int:
    """Run, and print the figures beside the goals."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", default="2", help="processes")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ledger = f"sqlite:///{Path(folder) / 'ledger.db'}"
        command = [sys.executable, "-c", COMMAND, "run", "schedule", "--suite", "full", "--json", "--ledger", ledger,
                   "--jobs", arguments.jobs, "--contenders", ",".join(CONTENDERS)]  # fmt: skip
        began = time.monotonic()
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        took_s = time.monotonic() - began
    if done.returncode:
        return done.returncode
    found = json.loads(done.stdout)
    statuses = Counter(run["status"] for run in found["runs"] if run["contender"] == "scorer-rollout")
    one = next(each for each in found["comparisons"] if each["a"] == "scorer-rollout")
    ratio = one["ratio"]
    print(f"{dict(statuses)} instances: {1 - ratio['point']:.1%} [{1 - ratio['high']:.1%}, {1 - ratio['low']:.1%}] "
          f"less than {one['b']}, at least 0%: {'reached' if ratio['high'] < 1 else 'MISSED'}")  # fmt: skip
    for kind in ("held out", "mixed"):
        print(by_templates(found, kind, one["a"], one["b"]))
    print(f"{took_s:.0f} s, at most {MOST_S:.0f} s: {'reached' if took_s <= MOST_S else 'MISSED'}")
    return int(took_s > MOST_S or ratio["high"] >= 1)


def by_templates(found: dict[str, Any], kind: str, a: str, b: str) -> str:
    """By how much the mean of one is less than that of another, on instances of held-out or of mixed templates."""
    facts = {instance.id: instance.facts for instance in unseat.task("schedule").instances()}
    values: dict[str, dict[str, float]] = {a: {}, b: {}}
    for run in found["runs"]:
        if run["split"] == "test" and facts[run["instance"]]["templates"] == kind and run["contender"] in values:
            values[run["contender"]][run["instance"]] = run["value"]
    shared = sorted(values[a].keys() & values[b].keys())
    ours, theirs = (sum(values[name][one] for one in shared) for name in (a, b))
    return f"  templates {kind}: {1 - ours / theirs:.1%} less, on {len(shared)} instances"


if __name__ == "__main__":
    sys.exit(main())
