"""How fast the simulator of `serving` is, on one core.

    python -m benchmarks.serving_speed

Prints iterations and replica-seconds a second at full load, and the time for a day of 16 replicas. Goals: 100,000
iterations and 2,500 replica-seconds a second; the day in under five minutes.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from unseat.tasks.serving import generators
from unseat.tasks.serving.cluster import Serving
from unseat.tasks.serving.engine import layout as at
from unseat.tasks.serving.incumbents import INCUMBENTS
from unseat.tasks.serving.policies import RuleOf
from unseat.tasks.serving.problem import Problem, sound

ITERATIONS, REPLICA_S, DAY_S = 100_000, 2_500, 300


def timed(problem: Problem, policy: RuleOf, rate: float) -> tuple[float, float, float]:
    """CPU seconds, iterations, and seconds that replicas have been busy."""
    s = problem.begin(0, rate)
    began = time.process_time()
    policy.play(s)
    spent = time.process_time() - began
    sound(s)
    return spent, float(s.g[at.ITERATIONS]), float(s.clock[:, at.BUSY_S].sum())


def main() -> None:
    """Print the figures beside their goals."""
    policy = RuleOf("least-loaded", INCUMBENTS["least-loaded"].settings)
    serving = Serving("h100_sxm", "llama-3.1-70b-fp8", 2, replicas=4, ttft_s=1.0)
    problem = Problem(generators.generate("chat", 8000, 0), serving)
    policy.play(problem.begin(0, 100.0))
    rate = problem.goodput(policy.play, 0, 0.9)
    spent, iterations, busy_s = min(timed(problem, policy, rate) for _ in range(5))
    print(f"at full load ({rate:.1f} requests/s on {serving.replicas} replicas, policy {policy.name}):")
    print(f"  {iterations / spent:10,.0f} iterations/s         goal {ITERATIONS:,}")
    print(f"  {busy_s / spent:10,.0f} replica-seconds/s    goal {REPLICA_S:,}")
    ok = iterations / spent >= ITERATIONS and busy_s / spent >= REPLICA_S
    # A day at three quarters of that load: pieces of requests one behind the other.
    day_rate = 0.75 * rate * 4
    piece = problem.requests
    count = int(86_400 * day_rate)
    copies = -(-count // len(piece.at_s))
    length = float(piece.at_s[-1]) + 1.0
    whole = piece._replace(
        at_s=np.concatenate([piece.at_s + length * k for k in range(copies)])[:count],
        prompt=np.tile(piece.prompt, copies)[:count], output=np.tile(piece.output, copies)[:count],
        first=np.zeros(count + 1, np.int64), hashes=np.zeros(0, np.int64),
    )  # fmt: skip
    day = Problem(whole, Serving("h100_sxm", "llama-3.1-70b-fp8", 2, replicas=16, ttft_s=1.0))
    spent, iterations, busy_s = timed(day, policy, day_rate)
    print(
        f"day of 16 replicas, {count:,} requests: {spent:.1f} s; {iterations / spent:,.0f} iterations/s; goal {DAY_S} s"
    )
    ok = ok and spent <= DAY_S
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
