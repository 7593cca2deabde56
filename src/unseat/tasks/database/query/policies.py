"""Policies that need no features and no engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from unseat.core.policy import Policy, Session, View
from unseat.tasks.database.query.arms import DEFAULT


@dataclass(frozen=True)
class Fixed(Policy):
    """Every query runs under one hint set.

    Attributes:
        arm: Which.
    """

    name: str
    arm: int = DEFAULT

    def start(self, view: View, seed: int) -> Session:
        return _Fixed(self.arm)


class _Fixed(Session):
    def __init__(self, arm: int) -> None:
        self.arm = arm

    def decide(self, observation: Any) -> int:
        return self.arm
