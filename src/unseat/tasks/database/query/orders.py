"""Join orders as explicit ``JOIN``s, which PostgreSQL keeps where ``join_collapse_limit`` is 1.

An order is left-deep: it begins with one of the query's tables and goes on with one that is joined to those before.
Which that is, is said by two rules, so that an arm means the same for every query: tables with conditions of their
own first, or as they are written.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from sqlglot import exp

SETTINGS = {"join_collapse_limit": "1", "from_collapse_limit": "1"}

STARTS = 8
RULES = ("filtered first", "as written")
NAMES = ("default", *(f"from table {start + 1}, {rule}" for start in range(STARTS) for rule in RULES))
"""Arm 0 leaves the order to the planner; then a beginning and a rule."""


@lru_cache(maxsize=4096)
def statement(text: str, arm: int) -> str | None:
    """The query with its joins written out in an arm's order; None for the default, and where the arm says nothing.

    It says nothing where the query has fewer tables, and where its ``FROM`` is not a plain list of tables with all
    that joins them in its ``WHERE``.
    """
    from sqlglot import exp

    tree = _parsed(text) if arm else None
    if tree is None:
        return None
    start, rule = divmod(arm - 1, len(RULES))
    tables, where = _tables(tree), tree.args["where"].this
    conditions = cast("list[exp.Expression]", list(where.flatten()) if isinstance(where, exp.And) else [where])
    about = [frozenset(column.table.lower() for column in one.find_all(exp.Column)) for one in conditions]
    names = [table.alias_or_name.lower() for table in tables]
    order = order_of(names, about, start, filtered=rule == 0)
    return None if order is None else _written(tree, [tables[place] for place in order], conditions, about)


def _tables(tree: exp.Select) -> list[exp.Expression]:
    begin = tree.args.get("from_") or tree.args["from"]
    return [begin.this, *(join.this for join in tree.args.get("joins") or [])]


def _parsed(text: str) -> exp.Select | None:
    """The query's tree, if it is of the form that can be ordered."""
    import sqlglot
    from sqlglot import exp

    try:
        tree = sqlglot.parse_one(text, read="postgres")
    except sqlglot.errors.SqlglotError:
        return None
    if not isinstance(tree, exp.Select) or len(list(tree.find_all(exp.Select))) > 1:
        return None
    where, joins = tree.args.get("where"), tree.args.get("joins") or []
    if where is None or not joins:
        return None
    plain = not any(join.args.get(part) for join in joins for part in ("on", "using", "side", "kind", "method"))
    named = all(column.table for column in where.find_all(exp.Column))
    return tree if plain and named and all(isinstance(one, exp.Table) for one in _tables(tree)) else None


def order_of(names: Sequence[str], about: Sequence[frozenset[str]], start: int, *, filtered: bool) -> list[int] | None:
    """Places of tables in the order of their joins; None where there is no such beginning, or no way to go on.

    Args:
        names: Of the tables, as the query writes them.
        about: Which tables each condition is about.
        start: Place of the first.
        filtered: Whether tables with a condition of their own go before others.
    """
    if start >= len(names):
        return None
    alone = {next(iter(own)) for own in about if len(own) == 1}
    order, known = [start], {names[start]}
    while len(order) < len(names):
        fits = [
            place
            for place, name in enumerate(names)
            if name not in known and any(name in own and len(own) > 1 and own - {name} <= known for own in about)
        ]
        if not fits:
            return None
        best = min(fits, key=lambda place: (filtered and names[place] not in alone, place))
        order.append(best)
        known.add(names[best])
    return order


def _written(
    tree: exp.Select, tables: Sequence[exp.Expression], conditions: Sequence[exp.Expression],
    about: Sequence[frozenset[str]],
) -> str:  # fmt: skip
    """The query with every condition where all its tables are known; those about one table stay in ``WHERE``."""
    from sqlglot import exp

    made, known, joins = tree.copy(), {tables[0].alias_or_name.lower()}, []
    left = [number for number, own in enumerate(about) if len(own) > 1]
    for table in tables[1:]:
        known.add(table.alias_or_name.lower())
        now = [number for number in left if about[number] <= known]
        left = [number for number in left if number not in now]
        joins.append(exp.Join(this=table.copy(), on=exp.and_(*(conditions[number].copy() for number in now))))
    rest = [one.copy() for one, own in zip(conditions, about, strict=True) if len(own) < 2]
    made.set("from_" if "from_" in tree.args else "from", exp.From(this=tables[0].copy()))
    made.set("joins", joins)
    made.set("where", exp.Where(this=exp.and_(*rest)) if rest else None)
    return made.sql(dialect="postgres")
