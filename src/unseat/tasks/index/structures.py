"""The data structures that the task measures: where each is built, where it comes from, what can be set."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from unseat.core.learner import Role

if TYPE_CHECKING:
    from unseat.structures.locator import Locator


@dataclass(frozen=True)
class Range:
    """A parameter that is a whole number: its default and what is searched."""

    default: int
    low: int
    high: int
    log: bool = False


@dataclass(frozen=True)
class Structure:
    """A structure of `unseat.structures`.

    Attributes:
        title: The name that papers and people use.
        place: ``module:function`` of its build, below `unseat.structures`.
        role: What it is there for.
        paper: What defines it.
        copies: Whether it holds a copy of the keys, so that no budget of this task admits it; it is built all the same,
            and drawn with its own bytes.
        parameters: What a tuner may set.
    """

    title: str
    place: str
    role: Role
    paper: str
    copies: bool = False
    parameters: Mapping[str, Range] = field(default_factory=dict)

    def build(self, keys: Any, budget: int | None, **parameters: Any) -> Locator:
        """Build it on sorted keys.

        Raises:
            OverBudget: It does not fit.
        """
        module, _, function = self.place.partition(":")
        made: Locator = getattr(importlib.import_module(f"unseat.structures.{module}"), function)(
            keys, budget, **parameters
        )
        return made

    def rounded(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Parameters as the build takes them: a tuner's may be floats, those of the range are whole."""
        return {name: round(value) if name in self.parameters else value for name, value in parameters.items()}


_KNUTH = "D. E. Knuth, The Art of Computer Programming 3, section 6.2.1"
_KHUONG = "P.-V. Khuong, P. Morin, Array Layouts for Comparison-Based Searching, ACM JEA 22, 2017"
_PREFETCH = "S. Chen et al., Improving Hash Join Performance through Prefetching, ICDE 2004"

STRUCTURES: Mapping[str, Structure] = {
    "numpy": Structure(
        "numpy.searchsorted", "search:numpy_searchsorted", Role.INCUMBENT, "NumPy, npysort/binsearch.cpp"
    ),
    "plain": Structure("binary search", "search:plain", Role.INCUMBENT, _KNUTH),
    "branchless": Structure("branchless search", "search:branchless", Role.INCUMBENT, _KHUONG),
    "interleaved": Structure("interleaved search", "search:interleaved", Role.INCUMBENT, f"{_KHUONG}; {_PREFETCH}"),
    "eytzinger": Structure("Eytzinger layout", "eytzinger:build", Role.INCUMBENT, _KHUONG, copies=True),
}
