"""A policy that takes the first answer that is allowed: a place to begin."""

from typing import Any

from unseat.core.policy import Policy as Base
from unseat.core.policy import Session, View


class Policy(Base):
    """Made once a run, without arguments."""

    name = "first"

    def start(self, view: View, seed: int) -> Session:
        """Begin on one instance; `view.facts` holds what a real system knows before its first decision."""
        return First()


class First(Session):
    """State of one run lives here."""

    def decide(self, observation: Any) -> int:
        """Where a mask says which answers are allowed, the first of those."""
        if isinstance(observation, dict) and "action_mask" in observation:
            return int(observation["action_mask"].argmax())
        return 0
