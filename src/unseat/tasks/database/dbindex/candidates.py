"""The indexes that a query could use: columns of its conditions, alone and in pairs of one table."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

Index = tuple[str, ...]
"""Table and columns, in lower case."""


def candidates(sql: str) -> list[Index]:
    """All syntactically relevant indexes of up to two columns, sorted.

    Columns are those of joins and filters; a primary key's are left out where they come first, as it has its index.
    """
    import sqlglot
    from sqlglot import expressions

    tree = sqlglot.parse_one(sql, read="postgres")
    tables = {table.alias_or_name.lower(): table.name.lower() for table in tree.find_all(expressions.Table)}
    where = tree.find(expressions.Where)
    found: dict[str, set[str]] = {}
    for column in where.find_all(expressions.Column) if where else ():
        table = tables.get(column.table.lower())
        if table is not None:
            found.setdefault(table, set()).add(column.name.lower())
    made = set()
    for table, columns in found.items():
        for width in (1, 2):
            made |= {(table, *chosen) for chosen in permutations(sorted(columns), width) if chosen[0] != "id"}
    return sorted(made)


def checked(answer: object, known: Sequence[Index]) -> tuple[Index, ...] | None:
    """A configuration as indexes; None if it is none."""
    if not isinstance(answer, list | tuple):
        return None
    made = []
    for one in answer:
        if not isinstance(one, list | tuple) or not all(isinstance(part, str) for part in one):
            return None
        made.append(tuple(one))
    return tuple(sorted(set(made))) if set(made) <= set(known) else None
