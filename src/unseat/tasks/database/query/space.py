"""What may be done to a query: an action space is some arms, each of which makes a statement with settings of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from unseat.tasks.database.query import orders
from unseat.tasks.database.query.arms import ARMS, DOZEN

Settings = Mapping[str, str]

_OPTIMIZERS = ("build_side_probe_side", "join_order", "join_filter_pushdown", "filter_pushdown", "column_lifetime",
               "statistics_propagation", "compressed_materialization", "late_materialization",
               "reorder_filter")  # fmt: skip
_PAIRS = (("build_side_probe_side", "join_order"), ("build_side_probe_side", "join_filter_pushdown"),
          ("join_order", "join_filter_pushdown"))  # fmt: skip
DUCK_SETTINGS: Mapping[str, Settings] = {
    "default": {},
    **{f"no {name}": {"disabled_optimizers": name} for name in _OPTIMIZERS},
    **{f"no {', '.join(pair)}": {"disabled_optimizers": ",".join(pair)} for pair in _PAIRS},
    "no perfect hash tables": {"perfect_ht_threshold": "0"},
    "no loops for small tables": {"nested_loop_join_threshold": "0"},
    "no filters of few values": {"dynamic_or_filter_threshold": "0"},
}
"""DuckDB's hints: parts of its optimizer that are left out, and thresholds."""
DUCK_NAMES = tuple(DUCK_SETTINGS)
Statement = tuple[str, Settings]


@dataclass(frozen=True)
class Space:
    """An action space; arm 0 is the default: the query as it came.

    Attributes:
        id: Of the task that has it.
        names: A name for each arm.
        fixed: Arms that the suites list as contenders of their own.
        tried: How many of the first arms learners try.
        make: From a query's text and an arm to the statement that runs.
        question: What the engine asks.
    """

    id: str
    names: tuple[str, ...]
    fixed: tuple[int, ...]
    tried: int
    make: Callable[[str, int], Statement]
    question: str

    @property
    def explain(self) -> int:
        """Answer ``explain + arm`` asks for that arm's plan instead of running the query."""
        return len(self.names)


def _hinted(text: str, arm: int) -> Statement:
    return text, ARMS[arm].settings


def _ordered(text: str, arm: int) -> Statement:
    made = orders.statement(text, arm)
    return (text, {}) if made is None else (made, orders.SETTINGS)


def _ducks(text: str, arm: int) -> Statement:
    return text, DUCK_SETTINGS[DUCK_NAMES[arm]]


HINTS = Space(
    "query", tuple(arm.name for arm in ARMS), tuple(range(1, 1 + len(DOZEN))), len(ARMS), _hinted,
    "Which hint set does this query run under (0 is the default), or which one's plan is to be shown first?",
)  # fmt: skip

ORDERS = Space(
    "query-orders", orders.NAMES, (1, 2, 3, 4), len(orders.NAMES), _ordered,
    "In which order are this query's tables joined (0 is the planner's), or which one's plan is to be shown first?",
)  # fmt: skip

DUCK = Space(
    "query-duckdb", DUCK_NAMES, (1, 2, 3, 10), len(DUCK_NAMES), _ducks,
    "Which parts of DuckDB's optimizer does this query run without, or which plan is to be shown first?",
)  # fmt: skip

SPACES: Mapping[str, Space] = {space.id: space for space in (HINTS, ORDERS, DUCK)}
