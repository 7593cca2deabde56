"""A cache policy: of 32 candidates, evict the one with the least sign of being asked for again.

`decide` gets float32 [32, 11], a row a candidate; the columns are base-2 logarithms of: requests since the last one,
since entry, the last three gaps, requests on record, two decayed counters, hits, size, and how often what left in a
like state was soon missed. It answers with a row's number.
"""

from typing import Any

from unseat.core.policy import Policy as Base
from unseat.core.policy import Session, View


class Policy(Base):
    """Made once a run, without arguments."""

    name = "age and popularity"

    def start(self, view: View, seed: int) -> Session:
        """Begin on one instance; `view.facts` holds what a real cache knows, such as its capacity."""
        return Evict()


class Evict(Session):
    """State of one run lives here."""

    def decide(self, observation: Any) -> int:
        """The higher the score the sooner it goes: old objects first, but those that are often asked for later."""
        score = observation[:, 0] - 0.5 * observation[:, 6]
        return int(score.argmax())
