"""What sharding lets be programmed: a score for the strategies of a node, of which the highest is taken.

The start is the greedy incumbent: the cheapest beside the neighbours that are decided.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from unseat.core.policy import Form, InvalidAnswer, Policy, Session, View
from unseat.sandbox.program import compiled
from unseat.sandbox.programs import Offer
from unseat.tasks.shard.engine.problem import NO_LIMIT, Int64, Problem
from unseat.tasks.shard.engine.programs import FEATURES, ROWS

TEXT = (
    "The nodes of a graph are decided one after the other, in their order. Give each strategy of the node a score from "
    "what is known of it: the one with the highest score is taken. When all are decided and more memory is in use at "
    "some time than the limit allows, nodes use less, those first that save a byte at least cost. Less total cost is "
    "better."
)


def offer() -> Offer:
    """What `unseat evolve shard` starts from."""
    start = f"def score({', '.join(FEATURES)}):\n    return 0 - cost\n"
    module = "unseat.tasks.shard.engine.programs"
    return Offer("score", TEXT, FEATURES, ROWS, start, f"{module}:chosen_by", f"{module}:warm", share, replay,
                 elite=elite, make=Placing)  # fmt: skip


def share(problem: Problem) -> Mapping[str, Any]:
    """A problem as arrays."""
    return {name: one for name, one in problem.facts().items() if name not in ("name", "seconds")}


def elite(choose: Callable[..., int], problem: Problem) -> Any:
    """What a compiled program chooses, as actions."""
    from unseat.tasks.shard.engine import programs

    return programs.compiled_choices(choose, share(problem))


def replay(problem: Problem, actions: Any) -> float:
    """The cost of choices once they keep the limit, counted outside.

    Raises:
        InvalidAnswer: They are not one strategy for each node, or cannot be brought within the limit.
    """
    if not isinstance(actions, np.ndarray) or actions.dtype != np.int16 or actions.ndim != 1:
        raise InvalidAnswer("actions of sharding are int16 [nodes]")
    chosen = within(problem, problem.checked(actions))
    if problem.limit != NO_LIMIT and problem.peak(chosen) > problem.limit:
        raise InvalidAnswer("they cannot be brought within the limit")
    return float(problem.cost(chosen))


def within(problem: Problem, chosen: Int64) -> Int64:
    """Choices that keep the limit, as the greedy incumbent's do."""
    from unseat.tasks.shard.incumbents import repaired

    return repaired(problem, chosen)


@dataclass(frozen=True)
class Placing(Policy):
    """A program at work.

    Attributes:
        name: Its name in tables.
        source: A function of the safe subset.
    """

    form: ClassVar[Form] = Form.PROGRAM
    name: str
    source: str

    def start(self, view: View, seed: int) -> Session:
        """Check and compile to instructions; takes about a millisecond."""
        code = compiled(self.source, tuple(FEATURES))

        def decide() -> Int64:
            from unseat.tasks.shard.engine.programs import chosen_by

            problem = Problem(**view.facts)
            made = chosen_by(code.code, code.constants, {"x": share(problem)})["x"]
            return within(problem, made.astype(np.int64))

        return _Ask(decide)


class _Ask(Session):
    def __init__(self, choose: Callable[[], Int64]) -> None:
        self.choose = choose

    def decide(self, observation: Any) -> Int64:
        return self.choose()
