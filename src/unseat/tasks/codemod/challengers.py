"""What is learned on the training transforms: how bold the synthesis is."""

from __future__ import annotations

from collections.abc import Mapping

from unseat.core.policy import Policy
from unseat.learn.tune import Parameter
from unseat.tasks.codemod.policies import Synthesis

SPACE = {
    "levels": Parameter(2, 8, integer=True), "least": Parameter(1, 4, integer=True),
    "narrow": Parameter(1, 5, integer=True), "condition_cost": Parameter(1.0, 10.0),
    "widen": Parameter(0, 1, integer=True),
}  # fmt: skip
"""Settings of the synthesis that are searched, and their ranges."""

DEFAULT = {"levels": 6.0, "least": 2.0, "narrow": 2.0, "condition_cost": 2.0, "widen": 1.0}


class Family:
    """The synthesis by its settings; its qualified name is part of the ledger's key."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.__qualname__ = seconds, f"Family({seconds})"

    def __call__(self, parameters: Mapping[str, float]) -> Policy:
        return Synthesis("synthesis", self.seconds, dict(parameters))
