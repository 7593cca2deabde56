"""How the learners of this task share out what a study allows them."""

from __future__ import annotations

import time
from collections.abc import Iterator

from unseat.core.learner import Study


class Budget:
    """The generations that a study pays for: iterates over (share that is spent, whether to look at validation).

    Simulated runs are charged to the study before they are made.

    Args:
        study: What pays.
        looks: Runs of a look at validation.
        runs: Runs of a generation.
        generations: At most.
    """

    def __init__(self, study: Study, looks: int, runs: int, generations: int) -> None:
        self.study, self.looks, self.runs, self.generations = study, looks, runs, generations
        self.limits, self.spent = study.limits, 0
        self.wall, self.cpu = time.monotonic(), time.process_time()

    def begin(self, runs: int) -> bool:
        """Whether so many runs before the first generation are paid for; if not, there is no generation either."""
        if self.limits.runs is not None and runs > self.limits.runs:
            self.generations = 0
            return False
        self._charge(runs)
        return True

    def __iter__(self) -> Iterator[tuple[float, bool]]:
        looked, share = 0.0, 0.0
        for generation in range(self.generations):
            spent = self.spent + self.runs
            share = max(generation / self.generations, self._share(spent))
            last = share + self._share(spent) / (generation + 1) >= 1 or generation + 1 == self.generations
            look = last or share >= looked + 0.02
            spent += self.looks * look
            if self._share(spent) > 1:
                return
            self._charge(spent - self.spent)
            looked = share if look else looked
            yield share, look
            if last:
                return

    def _charge(self, runs: int) -> None:
        self.study.charge(runs)
        self.spent += runs

    def _share(self, runs: int) -> float:
        """The part of the nearest limit that is gone; of seconds a twentieth is kept for what comes after."""
        limits, wall, cpu = self.limits, time.monotonic() - self.wall, time.process_time() - self.cpu
        parts = (runs / limits.runs if limits.runs else 0.0, wall / (0.95 * limits.wall_s) if limits.wall_s else 0.0,
                 cpu / (0.95 * limits.cpu_s) if limits.cpu_s else 0.0)  # fmt: skip
        return max(parts)
