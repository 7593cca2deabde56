"""The best mixture of two solutions: every node takes its strategy from one of them.

What they share stays. What is left is a problem of two choices a node (V. Lempitsky, C. Rother, S. Roth and A. Blake,
"Fusion moves for Markov random field optimization", IEEE PAMI 32(8), 2010), which bucket elimination solves exactly
(R. Dechter, Artificial Intelligence 113, 1999) as long as no bucket gets too wide; where one would, the node with most
neighbours keeps the first solution's strategy. Memory counts by its price.
"""

from __future__ import annotations

import heapq

import numpy as np

from unseat.tasks.shard.engine.problem import Int64
from unseat.tasks.shard.solver.eliminate import Float64
from unseat.tasks.shard.solver.graph import Graph

WIDEST = 15
"""Most nodes beside which one is eliminated."""

Factor = tuple[tuple[int, ...], Float64]
"""Nodes, and a cost for each combination of their choices (shape [2] for each)."""


def fused(graph: Graph, one: Int64, other: Int64, prices: Float64) -> Int64:
    """The cheapest mixture at these prices (int64 [nodes]); no dearer than either, but where it was too wide.

    Args:
        graph: The graph.
        one, other: Two solutions (int64 [nodes]).
        prices: What a byte costs at each step (float64 [steps]).
    """
    nodes = np.flatnonzero(one != other).tolist()
    factors = _factors(graph, one, other, np.concatenate([np.zeros(1), np.cumsum(prices)]), nodes)
    beside = {v: {w for scope, _ in factors[v] for w in scope if w != v} for v in nodes}
    waiting = [(len(beside[v]), v) for v in nodes]
    heapq.heapify(waiting)
    decided: list[tuple[int, list[int], Int64]] = []
    while factors:
        degree, v = heapq.heappop(waiting)
        if v not in factors or degree != len(beside[v]):
            continue
        if degree > WIDEST:
            heapq.heappush(waiting, (degree, v))
            v = max(factors, key=lambda node: len(beside[node]))
            _keep(factors, v)
        else:
            around = sorted(beside[v])
            total = _joined(factors, v, around)
            decided.append((v, around, total.argmin(axis=0)))
            if around:
                left = tuple(around), total.min(axis=0)
                for w in around:
                    factors[w].append(left)
                    beside[w].update(around)
                    beside[w].discard(w)
        for w in beside.pop(v):
            beside[w].discard(v)
            heapq.heappush(waiting, (len(beside[w]), w))
    takes = np.zeros(graph.nodes, np.int64)
    for v, around, choice in reversed(decided):
        takes[v] = choice[tuple(takes[around])]
    return np.where(takes == 1, other, one)


def _factors(graph: Graph, one: Int64, other: Int64, prices: Float64, nodes: list[int]) -> dict[int, list[Factor]]:
    """The factors that each node is in: what its choices cost beside nodes that stay, and beside each that may not."""
    found: dict[int, list[Factor]] = {v: [] for v in nodes}
    for v in nodes:
        both = np.array([one[v], other[v]])
        own = graph.costs[graph.offsets[v] + both]
        for piece in range(graph.pieces[v], graph.pieces[v + 1]):
            own += (prices[graph.last[piece]] - prices[graph.first[piece]]) * graph.usages[graph.uses[piece] + both]
        for a in range(graph.arcs[v], graph.arcs[v + 1]):
            w = int(graph.head[a])
            rows = graph.table[a] + both * (graph.offsets[w + 1] - graph.offsets[w])
            if w not in found:
                own += graph.entries[rows + one[w]]
            elif w > v:
                pair = (v, w), graph.entries[rows[:, None] + np.array([one[w], other[w]])]
                found[v].append(pair)
                found[w].append(pair)
        found[v].append(((v,), own))
    return found


def _joined(factors: dict[int, list[Factor]], v: int, around: list[int]) -> Float64:
    """The sum of a node's factors, which are taken away from all; its own choice is the first axis."""
    axis = {node: place for place, node in enumerate((v, *around))}
    total = np.zeros((2,) * len(axis))
    for factor in factors.pop(v):
        scope, costs = factor
        order = sorted(range(len(scope)), key=lambda place: axis[scope[place]])
        shape = np.ones(len(axis), np.int64)
        shape[[axis[node] for node in scope]] = 2
        total += costs.transpose(order).reshape(shape)
        for w in scope:
            if w != v:
                factors[w] = [each for each in factors[w] if each is not factor]
    return total


def _keep(factors: dict[int, list[Factor]], v: int) -> None:
    """Decide a node for the first solution."""
    for factor in factors.pop(v):
        scope, costs = factor
        place = scope.index(v)
        rest: Factor = scope[:place] + scope[place + 1 :], np.asarray(costs.take(0, axis=place))
        for w in rest[0]:
            factors[w] = [rest if each is factor else each for each in factors[w]]
