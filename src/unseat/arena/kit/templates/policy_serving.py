"""A policy that takes requests in order of coming, as many tokens as there may be: a place to begin."""

from typing import Any

import numpy as np

from unseat.core.policy import Policy as Base
from unseat.core.policy import Session, View


class Policy(Base):
    """Made once a run, without arguments; it answers the first question, and the task's defaults the others."""

    name = "in order"

    def start(self, view: View, seed: int) -> Session:
        """Begin on one instance; `view.facts` holds what a real system knows before its first decision."""
        return InOrder()


class InOrder(Session):
    """State of one run lives here."""

    def decide(self, observation: Any) -> Any:
        """A score for each request that waits, the highest first, and at last how many tokens the batch may have."""
        answer = np.zeros(len(observation["here"]) + 1, np.float32)
        answer[-1] = 1.0
        return answer
