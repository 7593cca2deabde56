"""The hint sets: Bao's, each a set of kinds of joins and a set of kinds of scans that the planner may use.

Marcus et al., Bao: Making Learned Query Optimization Practical, SIGMOD 2021: every non-empty set of joins with every
non-empty set of scans, which are the default and 48 others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

JOINS = {"hash": "enable_hashjoin", "merge": "enable_mergejoin", "loop": "enable_nestloop"}
SCANS = {"seq": "enable_seqscan", "index": "enable_indexscan", "only": "enable_indexonlyscan"}


@dataclass(frozen=True)
class Arm:
    """A hint set.

    Attributes:
        name: ``default``, or what is switched off.
        off: The settings that are off.
    """

    name: str
    off: tuple[str, ...]

    @property
    def settings(self) -> Mapping[str, str]:
        """The settings, for a transaction of their own."""
        return dict.fromkeys(self.off, "off")


_DOZEN = (
    ("loop",), ("hash",), ("merge",), ("seq",), ("index",), ("merge", "loop"), ("hash", "merge"), ("hash", "loop"),
    ("loop", "seq"), ("hash", "seq"), ("merge", "seq"), ("hash", "merge", "seq"),
)  # fmt: skip
"""What the suites list as fixed hint sets of their own."""


def _arms() -> tuple[Arm, ...]:
    names = {**JOINS, **SCANS}

    def some(kinds: Mapping[str, str]) -> list[tuple[str, ...]]:
        return [off for count in range(len(kinds)) for off in combinations(kinds, count)]

    every = [(*joins, *scans) for joins in some(JOINS) for scans in some(SCANS)]
    rest = [off for off in every if off and off not in _DOZEN]
    made = [Arm("no " + ", ".join(off), tuple(names[each] for each in off)) for off in (*_DOZEN, *rest)]
    return (Arm("default", ()), *made)


ARMS = _arms()
DOZEN = ARMS[1 : 1 + len(_DOZEN)]
DEFAULT = 0
EXPLAIN = len(ARMS)
"""Answer ``EXPLAIN + arm`` asks for that arm's plan instead of running the query."""
