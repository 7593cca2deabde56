"""How the learners of this task share out what a study allows them."""

from __future__ import annotations

import time
from collections.abc import Iterator

from unseat.core.learner import Study


class Budget:
    """The generations that a study pays for: iterates over (share that is spent, whether to look at validation)."""

    def __init__(self, study: Study, looks: int, runs: int, generations: int) -> None:
        self.limits, self.looks, self.runs, self.generations = study.limits, looks, runs, generations
        self.wall, self.cpu = time.monotonic(), time.process_time()

    def __iter__(self) -> Iterator[tuple[float, bool]]:
        spent, looked, share = 0, 0.0, 0.0
        for generation in range(self.generations):
            spent += self.runs
            share = max(generation / self.generations, self._share(spent))
            last = share + self._share(spent) / (generation + 1) >= 1 or generation + 1 == self.generations
            look = last or share >= looked + 0.02
            spent += self.looks * look
            if self._share(spent) > 1:
                return
            looked = share if look else looked
            yield share, look
            if last:
                return

    def _share(self, runs: int) -> float:
        """The part of the nearest limit that is gone; of seconds a twentieth is kept for what comes after."""
        limits, wall, cpu = self.limits, time.monotonic() - self.wall, time.process_time() - self.cpu
        parts = (runs / limits.runs if limits.runs else 0.0, wall / (0.95 * limits.wall_s) if limits.wall_s else 0.0,
                 cpu / (0.95 * limits.cpu_s) if limits.cpu_s else 0.0)  # fmt: skip
        return max(parts)
