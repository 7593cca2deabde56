"""What no policy can beat."""

from __future__ import annotations

import numpy as np

from unseat import Bounder, Kind, Limits, Outcome

from .engine import Problem


class Offline(Bounder):
    """Whoever knows each wait spins through the short ones and blocks at once before the long ones."""

    name = "offline optimum"
    kind = Kind.OPTIMAL

    def solve(self, problem: Problem, *, seed: int, limits: Limits) -> Outcome:
        return Outcome(float(np.minimum(problem.waits, problem.block_cost).mean()))
