"""The query templates: every join graph counted, grouped and listed, with parameters that are drawn by seed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from unseat.tasks.database.data.drawn import drawn
from unseat.tasks.database.data.graphs import GRAPHS, Graph

FORMS = ("count", "group", "rows")

VALUES: Mapping[str, Sequence[Any]] = {
    "reputation": (2, 10, 30, 80, 200, 600, 1500), "reputation2": (5, 20, 60, 150, 500), "upvotes": (1, 5, 20, 60, 200),
    "userviews": (1, 5, 20, 60), "score": (0, 1, 2, 4, 8, 15, 30), "lowscore": (0, 1, 3), "answers": (1, 2, 4),
    "viewcount": (100, 400, 1200, 4000), "comments": (1, 3, 6, 12), "posttype": (1, 2), "commentscore": (0, 1, 2, 4),
    "votetype": (1, 2, 2, 3, 5), "historytype": (1, 2, 2, 3, 4, 5, 5, 6), "linktype": (1, 1, 3), "favorites": (1, 3, 8),
    "date": ("2010-06-01", "2011-03-15", "2011-12-01", "2012-07-20", "2013-02-10", "2013-08-25"),
    "lastdate": ("2011-06-01", "2012-06-01", "2013-03-01", "2013-11-01"),
}  # fmt: skip
"""What a parameter is drawn from, evenly."""

_PARAMETER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Template:
    """A query with parameters.

    Attributes:
        name: ``graph/form``.
        graph: Its join graph.
        text: SQL with ``{parameter}`` where values go.
    """

    name: str
    graph: Graph
    text: str

    @property
    def parameters(self) -> list[str]:
        """Names of its parameters, in the order of the text."""
        return _PARAMETER.findall(self.text)

    @property
    def digest(self) -> str:
        """A hash of its text, its split, and what its parameters are drawn from."""
        told = [self.name, self.graph.split, self.text, [list(VALUES[each]) for each in self.parameters]]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]

    def bind(self, *key: int) -> str:
        """The query with parameters drawn by a key, as a user would have sent it.

        Values become literals; a test holds that to psycopg, which need not be here for queries to be listed.
        """
        name = int.from_bytes(hashlib.sha256(self.name.encode()).digest()[:4], "little")
        rng = np.random.default_rng([name, *key])
        values = {each: VALUES[each][int(rng.integers(len(VALUES[each])))] for each in self.parameters}
        return self.text.format(**{each: literal(value) for each, value in values.items()})


def literal(value: int | str) -> str:
    """A value as SQL writes it; for the values of this module, which hold no backslash."""
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


@lru_cache(maxsize=1)
def templates() -> Mapping[str, Template]:
    """All of them by name."""
    made = [_template(graph, form) for graph in (*GRAPHS, *drawn()) for form in FORMS]
    return {one.name: one for one in made}


def _template(graph: Graph, form: str) -> Template:
    # The forms differ in which filters they have, too: else a template would tell all about its siblings.
    chosen = {"count": graph.filters, "group": graph.filters[:-1], "rows": graph.filters[:1] + graph.filters[2:]}[form]
    where = f"FROM {', '.join(graph.tables)}\nWHERE {' AND '.join((*graph.joins, *chosen))}"
    head, tail = {
        "count": ("COUNT(*)", ""),
        "group": (f"{graph.key}, COUNT(*) AS n, SUM({graph.total}) AS total",
                  f"\nGROUP BY {graph.key}\nHAVING COUNT(*) > 2\nORDER BY n DESC, {graph.key}\nLIMIT 200"),
        "rows": (f"DISTINCT {', '.join(graph.columns)}", ""),
    }[form]  # fmt: skip
    return Template(f"{graph.name}/{form}", graph, f"SELECT {head}\n{where}{tail}")
