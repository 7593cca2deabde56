"""Print the manifest of the task `schedule`: `python -m benchmarks.record_tpch_manifest REPOSITORY > .../data.toml`.

REPOSITORY is a clone of the published simulator. The hashes are those of its commit's own blobs, and the addresses name
that commit, so that a later change there cannot slip in.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys

from unseat.tasks.schedule.data.tpch import QUERIES, SIZES

ADDRESS = "https://raw.githubusercontent.com/hongzimao/decima-sim"
FOLDER = "spark_env/tpch"
HEAD = """\
# The published job graphs of this task, one file a line: printed by `python -m benchmarks.record_tpch_manifest`.
version = 1
task = "schedule"
files = ["""


def main(repository: str) -> None:
    """The whole manifest, on standard output."""
    commit = _git(repository, "rev-parse", "HEAD").decode().strip()
    print(HEAD)
    for size in SIZES:
        for query in QUERIES:
            for kind in ("adj_mat", "task_duration"):
                path = f"{size}/{kind}_{query}.npy"
                content = _git(repository, "show", f"{commit}:{FOLDER}/{path}")
                print(
                    f'    {{ name = "tpch/{path}", sha256 = "{hashlib.sha256(content).hexdigest()}", '
                    f'bytes = {len(content)}, urls = ["{ADDRESS}/{commit}/{FOLDER}/{path}"], '
                    f'licence = "none stated", source = "hongzimao/decima-sim" }},'
                )
    print("]")


def _git(repository: str, *arguments: str) -> bytes:
    return subprocess.run(["git", "-C", repository, *arguments], capture_output=True, check=True).stdout


if __name__ == "__main__":
    main(sys.argv[1])
