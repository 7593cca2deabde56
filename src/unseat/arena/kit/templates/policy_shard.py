"""A policy that lets every node use as little memory as it can: a place to begin."""

from itertools import pairwise
from typing import Any

import numpy as np

from unseat.core.policy import Policy as Base
from unseat.core.policy import Session, View


class Policy(Base):
    """Made once a run, without arguments."""

    name = "least memory"

    def start(self, view: View, seed: int) -> Session:
        """Begin on one instance; `view.facts` holds all of it."""
        return Whole(view.facts)


class Whole(Session):
    """Answers once, for the whole instance; `view.report` may be called with better answers meanwhile."""

    def __init__(self, facts: Any) -> None:
        self.facts = facts

    def decide(self, observation: Any) -> Any:
        """A strategy for each node, counted from 0."""
        usages, offsets = self.facts["usages"], self.facts["offsets"]
        return np.array([np.argmin(usages[first:last]) for first, last in pairwise(offsets)], np.int64)
