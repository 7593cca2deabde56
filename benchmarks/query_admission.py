"""Decide which generated queries are measured, by the default plan alone, and write it into the package.

    python -m benchmarks.query_admission [--anew] [--published]

What was decided stands for templates that have not changed, unless all is decided anew.
"""

from __future__ import annotations

import argparse
import json

from unseat.tasks.database.data import admission
from unseat.tasks.database.query.suites import Generated, Stats


def main() -> None:
    """Write `admitted.json` or `admitted-stats.json`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--anew", action="store_true")
    parser.add_argument("--published", action="store_true", help="the published queries instead")
    arguments = parser.parse_args()
    if arguments.published:
        told = admission.decide_published(Stats().connect())
        admission.PUBLISHED.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")
        print(f"admitted {len(told['admitted'])}; real ones with another count than published: {told['wrong']}")
        print(f"queries refused: {told['refused']}")
        return
    known = {} if arguments.anew or not admission.FILE.exists() else json.loads(admission.FILE.read_text())
    told = admission.decide(lambda seed: Generated(seed, admission.SCALE).connect(), known)
    admission.FILE.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")
    kept = {seed: len(found) for seed, found in told["draws"].items()}
    print(f"admitted templates by seed: {kept}; without enough queries: {told['templates_refused']}")
    print(f"queries refused: {told['refused']}")


if __name__ == "__main__":
    main()
