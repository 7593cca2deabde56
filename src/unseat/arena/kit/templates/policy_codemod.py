"""A policy that leaves every file as it is: a place to begin."""

from typing import Any

from unseat.core.policy import Policy as Base
from unseat.core.policy import Session, View


class Policy(Base):
    """Made once a run, without arguments."""

    name = "do nothing"

    def start(self, view: View, seed: int) -> Session:
        """Begin on one transform; `view.facts` has pairs that show it, and the files that it is for."""
        return Whole(view.facts)


class Whole(Session):
    """Answers once, for all files."""

    def __init__(self, facts: Any) -> None:
        self.facts = facts

    def decide(self, observation: Any) -> Any:
        """What becomes of each of `files`, or a `transformer`; `shown` holds pairs of texts, before and after."""
        return {"files": list(self.facts["files"])}
