"""A policy that runs one operator after the other in small tiles: a place to begin."""

from typing import Any

from unseat.core.policy import Policy as Base
from unseat.core.policy import Session, View


class Policy(Base):
    """Made once a run, without arguments."""

    name = "one by one"

    def start(self, view: View, seed: int) -> Session:
        """Begin on one instance; `view.facts` holds all of it."""
        return Whole(view.facts)


class Whole(Session):
    """Answers once, for the whole graph; `view.report` may be called with better answers meanwhile."""

    def __init__(self, facts: Any) -> None:
        self.facts = facts

    def decide(self, observation: Any) -> Any:
        """A schedule in the contest's form: each operator is a subgraph, and nothing stays in the fast memory."""
        order: list[int] = []
        made: set[int] = set()
        while len(order) < len(self.facts["inputs"]):
            for op, (reads, output) in enumerate(zip(self.facts["inputs"], self.facts["outputs"], strict=True)):
                waits = [one for one in reads if one in self.facts["outputs"] and one not in made]
                if output not in made and not waits:
                    order.append(op)
                    made.add(output)
        size = self.facts["widths"], self.facts["heights"]
        tiles = [[min(32, side[self.facts["outputs"][op]]) for side in size] for op in order]
        return {
            "subgraphs": [[op] for op in order],
            "granularities": [[width, height, 1] for width, height in tiles],
            "tensors_to_retain": [[] for _ in order],
        }
