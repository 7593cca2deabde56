"""The simulator, its rules and its features as plain Python."""

from __future__ import annotations

import os
import subprocess
import sys
from zlib import crc32

import numpy as np
from tests.tasks.schedule import small

from unseat.tasks.schedule.engine import features
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.cluster import advance, answer
from unseat.tasks.schedule.engine.graphs import Arrivals
from unseat.tasks.schedule.engine.memory import Cluster, Machines, lay_out
from unseat.tasks.schedule.incumbents.graphene import ranks
from unseat.tasks.schedule.incumbents.play import FAIR, GRAPHENE, HEFT, RANDOM, SJF_CP, TETRIS, play
from unseat.tasks.schedule.incumbents.shared import NO_CAP

PARAMETERS = {
    FAIR: [(0.0, 0.0, 0.0), (0.7, 1.0, 0.0), (-0.5, 1.0, 1.0)], TETRIS: [(NO_CAP, 0.25, 1.0), (0.5, 0.5, 0.3)],
    HEFT: [(NO_CAP, 0.0, 0.0), (0.0, 0.0, 0.0)], GRAPHENE: [(NO_CAP, 1.0, 0.0), (-1.0, 0.4, 0.0)],
}  # fmt: skip


def workload(machines: Machines) -> Cluster:
    """Eight jobs of four graphs; stages with memory where there are classes."""
    rng = np.random.default_rng(3)
    graphs = tuple(small.some_graph(rng, f"job-{place}", memory=len(machines.counts) > 1) for place in range(4))
    return lay_out(Arrivals(graphs, (0, 1, 2, 3, 2, 1, 0, 3), (0, 0, 5, 40, 40, 70, 90, 200)), machines)


def features_of(cluster: Cluster) -> int:
    """A hash of all that a policy is shown during a run."""
    m, shown, seen = cluster.begin(1), np.zeros((64, features.F), np.float32), 0
    while advance(m, cluster.durations):
        features.describe(m, cluster.static, shown)
        seen = crc32(np.round(shown[: m[at.CANDIDATES]], 4).tobytes(), seen)  # libm's log may differ in its last bit
        answer(m, cluster.durations, int(m[m[at.CANDIDATE_LIST] + seen % m[at.CANDIDATES]]), seen % 7)
    return seen


def story() -> str:
    """Runs by every rule, and all that comes of them."""
    told: list[object] = []
    for machines in (
        Machines((5,), moving_ms=9, warm_up_ms=4),
        Machines((2, 3, 1), (0.5, 1.0, 0.3), moving_ms=3, warm_up_ms=0, published_levels=False, reoffer=True),
    ):
        cluster = workload(machines)
        orders = ranks([graph for graph, _ in cluster.arrivals], machines.executors)
        for rule in range(RANDOM + 1):
            for parameters in PARAMETERS.get(rule, [(0.0, 0.0, 0.0)]):
                m = cluster.begin(2, log=True)
                ranked = np.arange(float(len(orders))) if rule in (SJF_CP, HEFT) else orders
                play(m, cluster.durations, rule, np.array(parameters), ranked, at.NEVER_MS)
                told.append((rule, int(m[at.NOW]), int(m[at.DECISIONS]), int(m[at.BUSY_MS]), crc32(m.tobytes())))
        told.append(features_of(cluster))
    return repr(told)


def test_compiled_and_plain_kernels_agree() -> None:
    """Red: a kernel means one thing to Numba and another to Python."""
    code = "from tests.tasks.schedule.test_engine_plain import story; import sys; sys.stdout.write(story())"
    plain = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, text=True,
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    assert plain == story()
