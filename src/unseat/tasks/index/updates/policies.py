"""The built-in ordered maps as policies."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from unseat.core.policy import Policy, Session, View

if TYPE_CHECKING:
    from unseat.structures.operations import OrderedMap

PLACES = {"bplustree": "bplustree:BPlusTree", "gapped": "gapped:GappedIndex"}
"""Where each structure is, below `unseat.structures`."""


@dataclass(frozen=True)
class Built(Policy):
    """A structure of `unseat.structures`, bulk loaded with each instance's entries when it starts.

    Attributes:
        name: Its name in tables.
        structure: Its key in `PLACES`.
        parameters: Parameters of its build that differ from the defaults.
    """

    name: str
    structure: str
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def start(self, view: View, seed: int) -> Session:
        """Bulk load."""
        module, _, name = PLACES[self.structure].partition(":")
        made = getattr(importlib.import_module(f"unseat.structures.{module}"), name)
        # The arrays behind the views: to Numba those that must not be written are another type, compiled a second time.
        return _Applying(made.build(view.facts["keys"].base, view.facts["values"].base, **self.parameters))


class _Applying(Session):
    def __init__(self, made: OrderedMap) -> None:
        self.made = made

    @property
    def nbytes(self) -> int:
        """Bytes that the structure holds now, entries included."""
        return self.made.nbytes

    def decide(self, observation: Any) -> Any:
        return self.made.apply(*observation)
