"""Nodes one after the other, each by a program that scores its strategies: to note what was chosen.

What runs in a sandbox hands back its choices; the scorer outside brings them within the limit and counts for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import inlined, jit
from unseat.sandbox.bytecode import best_row, registers
from unseat.tasks.shard.engine.problem import NO_LIMIT, Int64, Problem

Int32 = NDArray[np.int32]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Choices = NDArray[np.int16]
Graph = tuple[Int64, Int64, Int64, Int64, Int64, Int64, Int64, Int64]
"""Offsets, costs, usages, edges, where their tables begin, the tables, half edges by node, where a node's begin."""

FEATURES = {
    "cost": "log2 of 1 + what it costs more than the node's cheapest strategy, edges to decided neighbours included, "
            "in units of the graph's median cost",
    "ahead": "the same of the least that its edges to undecided neighbours can still cost",
    "ahead_mean": "the same of their mean over the neighbours' strategies",
    "memory": "the bytes it uses, as a share of the most that a strategy of the node uses",
    "extra": "log2 of 1 + the bytes it uses more than the node's least, in units of the mean node's least",
    "tight": "how full the limit is, where the node is live, if every node used its least; 0 without a limit",
    "decided": "share of the node's edges whose other end is decided",
    "edges": "log2 of 1 + the node's edges",
    "choices": "log2 of the node's strategies",
    "done": "share of all nodes that are decided",
}  # fmt: skip
"""Name to meaning of what is known of a strategy of the node that is decided now."""
F = len(FEATURES)
ROWS = 256
"""Strategies of a node that are scored; of more, the first ones."""


def graph_of(problem: Mapping[str, Any]) -> tuple[Graph, Float32, float]:
    """A problem as the loops read it: the graph, how tight each node's time is, and the unit of costs."""
    offsets, costs, edges = problem["offsets"], problem["costs"], problem["edges"]
    nodes = len(offsets) - 1
    ends = edges.T.ravel()
    begins = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.bincount(ends, minlength=nodes))])
    usual = costs[(costs > 0) & (costs < 10**17)]
    unit = float(np.median(usual)) if len(usual) else 1.0
    graph = (offsets, costs, problem["usages"], edges, problem["edge_offsets"], problem["edge_costs"],
             np.argsort(ends, kind="stable"), begins.astype(np.int64))  # fmt: skip
    return graph, _tight(problem), unit


def _tight(problem: Mapping[str, Any]) -> Float32:
    nodes, found = len(problem["offsets"]) - 1, np.zeros(len(problem["offsets"]) - 1, np.float32)
    if problem["limit"] <= 0 or not nodes:
        return found
    whole = Problem(**{"name": "", **problem})
    starts = problem["offsets"][:-1]
    owner = np.repeat(np.arange(nodes), np.diff(problem["offsets"]))
    least = np.lexsort((problem["usages"], owner))[starts] - starts
    times, used = whole.profile(least)
    full = np.array(used, np.float64) / problem["limit"]
    for node, (begin, end) in enumerate(problem["intervals"]):
        at = full[np.searchsorted(times, begin) : np.searchsorted(times, end)]
        found[node] = at.max() if len(at) else 0.0
    return found


@inlined
def describe(v: int, graph: Graph, tight: Float32, unit: float, chosen: Choices, sums: Float64, seen: Float32) -> int:
    """Write down what is known of the strategies of node `v`, the next one; how many there are."""
    offsets, costs, usages, edges, table_at, table, half_edges, begins = graph
    m, nodes = edges.shape[0], len(offsets) - 1
    width = offsets[v + 1] - offsets[v]
    rows, decided = min(width, ROWS), 0
    for i in range(rows):
        sums[0, i] = float(costs[offsets[v] + i])
        sums[1, i] = 0.0
        sums[2, i] = 0.0
    for place in range(begins[v], begins[v + 1]):
        edge = half_edges[place] % m
        first = half_edges[place] < m
        u = edges[edge, 1 if first else 0]
        columns = offsets[u + 1] - offsets[u]
        decided += u < v
        for i in range(rows):
            if u < v:
                sums[0, i] += table[table_at[edge] + (i * columns + chosen[u] if first else chosen[u] * width + i)]
            elif u > v:
                least, total = np.inf, 0.0
                for j in range(columns):
                    entry = float(table[table_at[edge] + (i * columns + j if first else j * width + i)])
                    least = min(least, entry)
                    total += entry
                sums[1, i] += least
                sums[2, i] += total / columns
    own = usages[offsets[v] : offsets[v + 1]]
    most, fewest = float(own.max()), float(own.min())
    degree = begins[v + 1] - begins[v]
    for i in range(rows):
        for f in range(3):
            seen[i, f] = np.log2(1.0 + (sums[f, i] - sums[f, :rows].min()) / unit)
        seen[i, 3] = own[i] / most if most > 0 else 0.0
        seen[i, 4] = np.log2(1.0 + (own[i] - fewest) / max(fewest, 1.0))
        seen[i, 5] = tight[v]
        seen[i, 6] = decided / degree if degree else 0.0
        seen[i, 7] = np.log2(1.0 + degree)
        seen[i, 8] = np.log2(float(width))
        seen[i, 9] = v / nodes
    return int(rows)


@jit
def place_by(graph: Graph, tight: Float32, unit: float, code: Int32, constants: Float64, room: Float64) -> Choices:
    """Choose for every node, in their order, by a program; int16 [nodes]."""
    chosen, sums, seen = np.zeros(len(graph[0]) - 1, np.int16), np.zeros((3, ROWS)), np.zeros((ROWS, F), np.float32)
    for v in range(len(chosen)):
        rows = describe(v, graph, tight, unit, chosen, sums, seen)
        chosen[v] = best_row(seen[:rows], code, constants, room[:, :rows])
    return chosen


@numba.njit(nogil=True, error_model="numpy")
def place_compiled(graph, tight, unit, choose):  # type: ignore[no-untyped-def]
    """`place_by` of a compiled program; compiled anew for each, since Numba's disk cache cannot tell them apart."""
    chosen, sums, seen = np.zeros(len(graph[0]) - 1, np.int16), np.zeros((3, ROWS)), np.zeros((ROWS, F), np.float32)
    for v in range(len(chosen)):
        rows = describe(v, graph, tight, unit, chosen, sums, seen)
        chosen[v] = choose(seen[:rows])
    return chosen


def chosen_by(code: Int32, constants: Float64, problems: Mapping[str, Mapping[str, Any]]) -> dict[str, Choices]:
    """What a program chooses on problems, for the sandbox.

    Args:
        code: int32 [n, 4], a program of `unseat.sandbox.bytecode`.
        constants: float64 [m].
        problems: By name: the fields of a `Problem`, but for its name and time.

    Returns:
        By name: int16 [nodes], the strategy of each.
    """
    room = registers(F, len(constants), len(code), ROWS)
    return {name: place_by(*graph_of(one), code, constants, room) for name, one in problems.items()}


def compiled_choices(choose: Callable[..., int], problem: Mapping[str, Any]) -> Choices:
    """The same of a program that Numba has compiled: ``choose(features) -> row``."""
    made: Choices = place_compiled(*graph_of(problem), choose)
    return made


def warm() -> None:
    """Compile what `chosen_by` needs."""
    one, two = np.array([0, 1, 3]), np.array([1, 2, 3])
    problem = {
        "intervals": np.array([[0, 2], [1, 3]]),
        "offsets": one,
        "costs": two,
        "usages": two,
        "edges": np.array([[0, 1]]),
        "edge_offsets": np.array([0, 2]),
        "edge_costs": two[:2],
        "limit": NO_LIMIT,
    }
    chosen_by(np.zeros((1, 4), np.int32), np.zeros(0), {"x": problem})
