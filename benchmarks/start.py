"""How long `unseat --help` takes to start; the aim is under 0.3 s.

python benchmarks/start.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

ROUNDS = 20
AIM_S = 0.3


def start_s() -> float:
    """Seconds from the start of the process to its end."""
    began = time.perf_counter()
    script = "import sys; from unseat.cli import main; sys.exit(main(['--help']))"
    subprocess.run([sys.executable, "-c", script], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def main() -> None:
    """Print the median, the fastest and the slowest of many starts; the first, which fills caches, is left out."""
    start_s()
    took = sorted(start_s() for _ in range(ROUNDS))
    print(
        f"unseat --help, {ROUNDS} starts: median {statistics.median(took):.3f} s, "
        f"{took[0]:.3f} to {took[-1]:.3f} s (aim: under {AIM_S} s)"
    )


if __name__ == "__main__":
    main()
