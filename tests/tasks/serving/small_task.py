"""The task `serving` on a few requests, for checks that run it often and in other processes."""

from __future__ import annotations

from unseat.tasks.serving.cluster import Serving
from unseat.tasks.serving.generators import CHUNK
from unseat.tasks.serving.suites import QUICK, Source
from unseat.tasks.serving.task import ServingTask

SMALL = Serving("h100_sxm", "llama-3.1-8b", replicas=2, ttft_s=0.5, tpot_s=0.03, seats=16, tokens=2048, chunk=CHUNK,
                memory=1000, patience_s=20.0)  # fmt: skip
"""So few seats and blocks that requests wait, and some are preempted."""


class SmallServing(ServingTask):
    """Requests of the same kinds as those of the suites."""

    def __init__(self) -> None:
        super().__init__(
            [
                Source(name, name, split, kind, SMALL, 40, seed, QUICK)
                for split in ("train", "valid", "test")
                for kind in ("chat", "code")
                for seed in range(2)
                for name in [f"{kind}-{split}-{seed}"]
            ]
        )
