"""The data structures that the task measures: where each is built, where it comes from, what can be set."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
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
        arguments: Makes the build's arguments of the parameters and the budget.
    """

    title: str
    place: str
    role: Role
    paper: str
    copies: bool = False
    parameters: Mapping[str, Range] = field(default_factory=dict)
    arguments: Callable[[Mapping[str, int], int], dict[str, Any]] | None = None

    def build(self, keys: Any, budget: int, parameters: Mapping[str, float]) -> Locator:
        """Build it on sorted keys; a tuner's parameters may be floats, and count rounded.

        Raises:
            OverBudget: It does not fit.
        """
        module, _, function = self.place.partition(":")
        values = {name: round(parameters.get(name, part.default)) for name, part in self.parameters.items()}
        arguments = self.arguments(values, budget) if self.arguments else values
        build = getattr(importlib.import_module(f"unseat.structures.{module}"), function)
        made: Locator = build(keys, None if self.copies else budget, **arguments)
        return made


def _table(values: Mapping[str, int], budget: int) -> dict[str, Any]:
    """A radix table whose first level takes so many per cent of the budget, at 16 bytes a cell."""
    return {"cells": 1 << _log2(values["share"] * budget // 1600, 0, 16)}


def _rmi(values: Mapping[str, int], budget: int) -> dict[str, Any]:
    """An RMI whose root takes so many per cent of the budget, at 4 bytes a segment."""
    leaf = ("counts", "spline", "regression")[values["leaf"]]
    return {"bits": _log2(values["share"] * budget // 400, 1, 24), "leaf": leaf, "logarithmic": bool(values["log"])}


def _log2(value: int, low: int, high: int) -> int:
    return min(max(value.bit_length() - 1, low), high)


_KNUTH = "D. E. Knuth, The Art of Computer Programming 3, section 6.2.1"
_KHUONG = "P.-V. Khuong, P. Morin, Array Layouts for Comparison-Based Searching, ACM JEA 22, 2017"
_SANDT = "P. Van Sandt, Y. Chronis, J. M. Patel, Efficiently Searching In-Memory Sorted Arrays, SIGMOD 2019"
_CSB = "J. Rao, K. A. Ross, Making B+-Trees Cache Conscious in Main Memory, SIGMOD 2000"
_RADIX = "two levels of a radix trie, as in A. Kipf et al., SOSD, NeurIPS Workshop on ML for Systems, 2019 (RBS)"
_RMI = "T. Kraska et al., The Case for Learned Index Structures, SIGMOD 2018"
_PGM = "P. Ferragina, G. Vinciguerra, The PGM-index, PVLDB 13(8), 2020"
_SPLINE = "A. Kipf et al., RadixSpline: a single-pass learned index, aiDM 2020"
_PREFETCH = "S. Chen et al., Improving Hash Join Performance through Prefetching, ICDE 2004"

STRUCTURES: Mapping[str, Structure] = {
    "numpy": Structure(
        "numpy.searchsorted", "search:numpy_searchsorted", Role.INCUMBENT, "NumPy, npysort/binsearch.cpp"
    ),
    "plain": Structure("binary search", "search:plain", Role.INCUMBENT, _KNUTH),
    "branchless": Structure("branchless search", "search:branchless", Role.INCUMBENT, _KHUONG),
    "interleaved": Structure("interleaved search", "search:interleaved", Role.INCUMBENT, f"{_KHUONG}; {_PREFETCH}"),
    "interpolation": Structure("interpolation search", "interpolation:build", Role.INCUMBENT, _SANDT),
    "eytzinger": Structure("Eytzinger layout", "eytzinger:build", Role.INCUMBENT, _KHUONG, copies=True),
    "static-btree": Structure("static B+-tree", "static_btree:build", Role.INCUMBENT, _CSB),
    "radix-table": Structure(
        "radix table",
        "radix_table:build",
        Role.INCUMBENT,
        _RADIX,
        parameters={"share": Range(20, 1, 90, log=True)},
        arguments=_table,
    ),
    "rmi": Structure(
        "RMI",
        "rmi:build",
        Role.CHALLENGER,
        _RMI,
        parameters={"share": Range(20, 1, 90, log=True), "leaf": Range(0, 0, 2), "log": Range(0, 0, 1)},
        arguments=_rmi,
    ),
    "tuner": Structure(
        "tuner's choice", "tuner:build", Role.CHALLENGER, "the least expected cost of RMI, PGM, RadixSpline"
    ),
    "pgm": Structure("PGM-index", "pgm:build", Role.CHALLENGER, _PGM),
    "radix-spline": Structure("RadixSpline", "radix_spline:build", Role.CHALLENGER, _SPLINE),
}
