"""The mixes of YCSB (Cooper et al., SoCC 2010), and others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Requests = Literal["uniform", "zipfian", "latest"]


@dataclass(frozen=True)
class Mix:
    """A workload: the share of each operation, and which keys the operations other than inserts are for.

    With "zipfian" requests the r-th most popular key is asked for in proportion to r**-0.99, popularity having nothing
    to do with order; with "latest" the r-th youngest entry.
    """

    shares: Mapping[str, float]
    requests: Requests

    @property
    def inserts(self) -> float:
        """The share of inserts."""
        return self.shares.get("insert", 0.0)


MIXES: Mapping[str, Mix] = {
    "A": Mix({"read": 0.5, "update": 0.5}, "zipfian"),
    "B": Mix({"read": 0.95, "update": 0.05}, "zipfian"),
    "C": Mix({"read": 1.0}, "zipfian"),
    "D": Mix({"read": 0.95, "insert": 0.05}, "latest"),
    "E": Mix({"scan": 0.95, "insert": 0.05}, "zipfian"),
    "F": Mix({"read": 0.5, "add": 0.5}, "zipfian"),
    "deletes": Mix({"read": 0.4, "insert": 0.1, "delete": 0.5}, "uniform"),
    **{
        f"insert-{share}": Mix({"read": 1 - share / 100, "insert": share / 100}, "uniform")
        for share in (0, 5, 20, 50, 80)
    },
}
"""YCSB's A to F (F's read-modify-write is one operation), one that deletes most of all, and reads with more and more
inserts."""
