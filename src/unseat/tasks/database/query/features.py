"""A plan as numbers: what its nodes are, what the planner expects of them, and where it may be wrong."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from unseat.tasks.database.query.question import Plan

NODES = (
    "Nested Loop", "Hash Join", "Merge Join", "Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Heap Scan", "Sort",
    "Incremental Sort", "Hash", "Materialize", "Memoize", "Aggregate", "Unique", "Limit",
)  # fmt: skip

PLAIN = ("cost", "startup", "rows", "widest", "depth", "tables", "inner work", "deepest loop", "disabled", "filters")
NAMES = (*PLAIN, *(f"{what} {node}" for node in NODES for what in ("count", "share", "rows")))
WIDTH = len(NAMES)


def features(plan: Plan) -> NDArray[np.float64]:
    """The numbers of a plan, in the order of `NAMES`; float64 [WIDTH].

    Costs and rows are logarithms. ``share`` is what a kind of node adds to the whole cost, ``inner work`` the cost
    of everything that nested loops repeat, and ``deepest loop`` how often the innermost is expected to run: an estimate
    of few rows is where a nested loop hurts if there are many.
    """
    found = dict.fromkeys(NAMES, 0.0)
    total = max(float(plan["Total Cost"]), 1e-6)
    found |= {
        "cost": math.log1p(total),
        "startup": math.log1p(plan["Startup Cost"]),
        "rows": math.log1p(plan["Plan Rows"]),
    }
    for node, depth, repeats in _walk(plan):
        kind, rows = node["Node Type"], float(node["Plan Rows"])
        found["widest"] = max(found["widest"], math.log1p(rows * repeats))
        found["depth"] = max(found["depth"], float(depth))
        found["tables"] += "Relation Name" in node
        found["disabled"] += bool(node.get("Disabled"))
        found["filters"] += "Filter" in node
        if repeats > 1:
            found["deepest loop"] = max(found["deepest loop"], math.log1p(repeats))
            found["inner work"] += _own(node) * repeats / total
        if kind in NODES:
            found[f"count {kind}"] += 1
            found[f"share {kind}"] += _own(node) * repeats / total
            found[f"rows {kind}"] = max(found[f"rows {kind}"], math.log1p(rows * repeats))
    return np.array([found[name] for name in NAMES])


STRESS = (1.0, 4.0, 16.0, 64.0)
"""By how much the rows of every join may be more than estimated."""


def stressed(plan: Plan) -> NDArray[np.float64]:
    """What a plan costs if every join gives more rows than estimated; float64 [len(STRESS) + 2].

    Logarithms of the cost for each factor of `STRESS`: what a node does by itself is repeated as often as the joins
    below it, those on the outer side of a nested loop, multiply its input. Then those of the rows of the result and of
    the largest node.
    """
    cost, widest = np.zeros(len(STRESS)), 0.0

    def visit(node: Plan) -> int:
        """The number of joins in a node and below it."""
        nonlocal widest
        below = [visit(child) for child in node.get("Plans", ())]
        outer = below[:1] if node["Node Type"] == "Nested Loop" else below
        cost[:] += _own(node) * np.array(STRESS) ** max(outer, default=0)
        widest = max(widest, float(node["Plan Rows"]))
        return sum(below) + (node["Node Type"] in JOINS)

    visit(plan)
    return np.concatenate([np.log1p(cost), np.log1p([float(plan["Plan Rows"]), widest])])


JOINS = frozenset({"Nested Loop", "Hash Join", "Merge Join"})


def _walk(plan: Plan, depth: int = 0, repeats: float = 1.0) -> Iterator[tuple[Plan, int, float]]:
    """Every node with its depth, and how often the planner expects it to run."""
    yield plan, depth, repeats
    children = plan.get("Plans", ())
    for child in children:
        inner = plan["Node Type"] == "Nested Loop" and child.get("Parent Relationship") == "Inner"
        outer = max(1.0, float(children[0]["Plan Rows"])) if inner else 1.0
        yield from _walk(child, depth + 1, repeats * outer)


def _own(node: Plan) -> float:
    """What a node costs besides its children."""
    below = sum(float(child["Total Cost"]) for child in node.get("Plans", ()))
    return max(0.0, float(node["Total Cost"]) - below)


def pair(default: NDArray[np.float64], other: NDArray[np.float64], arm: int, arms: int) -> NDArray[np.float64]:
    """What a model of the change from the default's plan to another is told; float64 [2 * WIDTH + arms]."""
    which = np.zeros(arms)
    which[arm] = 1.0
    return np.concatenate([default, other - default, which])
