"""What no transform can beat."""

from __future__ import annotations

from typing import Any

from unseat.core.learner import Bounder, Kind
from unseat.core.outcome import Limits, Outcome


class Perfect(Bounder):
    """Every hidden file as the pair says, and none that must stay changed."""

    name = "perfect"
    kind = Kind.RELAXATION

    def solve(self, problem: Any, *, seed: int, limits: Limits) -> Outcome:
        return Outcome(1.0)
