"""The built-in structures as policies, and the library's own index as one in Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from unseat.core.policy import Form, InvalidAnswer, Policy, Session, View
from unseat.tasks.index.structures import STRUCTURES


@dataclass(frozen=True)
class Built(Policy):
    """A structure of `STRUCTURES`, built on the keys of each instance when it starts.

    Attributes:
        name: Its name in tables.
        structure: Its key in `STRUCTURES`.
        parameters: Parameters of its build that differ from the defaults.
    """

    form: ClassVar[Form] = Form.FUSED
    name: str
    structure: str
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def copies(self) -> bool:
        """Whether it is a layout that holds a copy of the keys, and so its own bytes whatever the budget."""
        return STRUCTURES[self.structure].copies

    def start(self, view: View, seed: int) -> Session:
        """Build.

        Raises:
            InvalidAnswer: It cannot be built in the budget.
        """
        from unseat.structures.locator import OverBudget

        chosen = STRUCTURES[self.structure]
        # The copy behind the view: to Numba an array that must not be written is another type, compiled a second time.
        keys = view.facts["keys"].base
        try:
            locator = chosen.build(keys, view.facts["budget"], self.parameters)
        except OverBudget as error:
            raise InvalidAnswer(f"over the budget of {view.facts['budget']:,} bytes: {error}") from error
        session = Session()
        session.kernel = locator.run, locator.arrays
        return session


@dataclass(frozen=True)
class Library(Policy):
    """`unseat.structures.LearnedIndex`, called as a person calls it: a batch of queries, an array of places."""

    name: str

    def start(self, view: View, seed: int) -> Session:
        """Build, model chosen and fallback included."""
        from unseat.structures.learned_index import LearnedIndex

        keys = view.facts["keys"].base
        return _Searching(LearnedIndex(keys, budget=view.facts["budget"] / keys.nbytes))


class _Searching(Session):
    def __init__(self, index: Any) -> None:
        self.index, self.nbytes = index, index.nbytes

    def decide(self, observation: Any) -> Any:
        return self.index.search(observation)


@dataclass(frozen=True)
class Whole(Policy):
    """No index: the window of every query is the whole array, which the engine searches interleaved."""

    form: ClassVar[Form] = Form.KERNEL
    name: str

    def start(self, view: View, seed: int) -> Session:
        """Nothing is built; the one array holds the number of keys."""
        import numpy as np

        from unseat.tasks.index.windows import whole

        session = Session()
        session.kernel = whole, (np.array([len(view.facts["keys"])], np.int64),)
        return session
