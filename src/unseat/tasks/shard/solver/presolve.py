"""Exact reductions: what no solution of finite cost can use goes, and what has a closed form is folded away.

In this order: strategies without a partner that they may stand beside (arc consistency, Mackworth, 1977), and those
that another one is never worse than; parallel edges, into one; nodes that another one decides, into that (see
`contract`); then whole nodes (see `eliminate`). `Reduction.expand` gives them back, at their best for what was chosen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import jit
from unseat.tasks.shard.engine.problem import NO_LIMIT, Int64, Problem
from unseat.tasks.shard.solver.contract import Pairwise, consistent, contracted
from unseat.tasks.shard.solver.eliminate import Float64, eliminated, restore
from unseat.tasks.shard.solver.graph import Graph, core_first, graph_of, pieces_of
from unseat.tasks.shard.solver.lifetimes import steps_of

FORBIDDEN = 10**17
"""A cost from which on a choice counts as forbidden; the contest writes 10^18."""


@dataclass(frozen=True)
class Reduction:
    """A smaller problem, and the way back.

    Attributes:
        graph: The smaller problem.
        whole: The problem whose nodes decide those of the original.
        node_of: The node of `whole` that each of the graph's was (int64 [graph's nodes]).
        strategies: Which of a node's strategies `whole.does` counts, all nodes after each other (int64).
        offsets: Where a node's begin in `strategies` (int64 [problem's nodes + 1]).
        gone: Eliminated nodes in order, each with the edges that it had then: node, neighbour, table, whether the
            node is its row, and the same of the second edge (int64 [eliminated, 7]); -1 where there is none.
        tables: Tables that `gone` refers to (float64).
    """

    graph: Graph
    whole: Pairwise
    node_of: Int64
    strategies: Int64
    offsets: Int64
    gone: Int64
    tables: Float64

    def expand(self, chosen: Int64) -> Int64:
        """A solution of the graph (int64 [graph's nodes]) as one of the problem (int64 [nodes])."""
        whole = self.whole
        kept = np.zeros(whole.nodes, np.int64)
        kept[self.node_of] = chosen
        restore(kept, self.gone, whole.offsets, whole.costs, self.tables)
        return np.asarray(self.strategies[self.offsets[:-1] + whole.does[whole.does_at[:-1] + kept[whole.owner]]])

    def restrict(self, chosen: Int64) -> Int64:
        """A solution of the problem as one of the graph, where nothing is contracted; what is gone becomes cheapest."""
        found = np.zeros(self.graph.nodes, np.int64)
        for place, node in enumerate(self.node_of):
            mine = self.strategies[self.offsets[node] : self.offsets[node + 1]]
            same = np.flatnonzero(mine == chosen[node])
            found[place] = same[0] if len(same) else int(np.argmin(self.whole.costs[self.offsets[node] :][: len(mine)]))
        return found


def reduced(problem: Problem, contract: bool = True) -> Reduction:
    """Reduce a problem; without contraction a solution with forbidden choices is one of the graph, too."""
    alive = _possible(problem)
    if not np.logical_or.reduceat(alive, problem.offsets[:-1]).all():
        # No solution is free of forbidden choices; then none may be taken out.
        alive = np.ones(len(problem.costs), np.bool_)
    strategies = np.flatnonzero(alive)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.add.reduceat(alive.astype(np.int64),
                                                                                problem.offsets[:-1]))])  # fmt: skip
    forbidden = _forbidden(problem, alive)
    costs = np.minimum(problem.costs[strategies], forbidden).astype(np.float64)
    usages = problem.usages[strategies].astype(np.float64)
    varies = np.maximum.reduceat(usages, offsets[:-1]) > np.minimum.reduceat(usages, offsets[:-1])
    varies &= problem.intervals[:, 0] < problem.intervals[:, 1]
    if problem.limit == NO_LIMIT:
        varies[:] = False
    steps = steps_of(problem, offsets, usages, varies)
    local = np.arange(len(costs)) - np.repeat(offsets[:-1], np.diff(offsets))
    whole = Pairwise(offsets, costs, *_edges(problem, strategies, offsets, costs, forbidden), np.arange(problem.nodes),
                     offsets, local)  # fmt: skip
    if contract:
        whole = contracted(whole, forbidden)
    memory = pieces_of(np.lexsort((steps.last, steps.first, whole.owner)), whole.nodes, whole.owner, whole.does_at,
                     whole.does, offsets, usages, steps.first, steps.last, steps.capacity)  # fmt: skip
    free = memory[0][1:] == memory[0][:-1]
    costs = whole.costs.copy()
    buffer, count, keep, gone, constant = eliminated(whole.offsets, costs, free, whole.ends, whole.at, whole.tables)
    # The way back needs the tables of what is gone, which the buffer has.
    whole = replace(whole, costs=costs, ends=np.zeros((0, 2), np.int64), at=np.zeros(1, np.int64), tables=np.zeros(0))
    node_of, core = core_first(np.flatnonzero(keep), *buffer[:3], count)
    graph = graph_of(node_of, whole.offsets, costs, memory, steps.capacity, buffer, count, forbidden, constant, core)
    strategies -= np.repeat(problem.offsets[:-1], np.diff(offsets))
    return Reduction(graph, whole, node_of, strategies, offsets, gone, buffer[3])


def _possible(problem: Problem) -> NDArray[np.bool_]:
    """Strategies that an optimal solution may use."""
    tables = problem.edges, problem.edge_offsets, problem.edge_costs
    alive = problem.costs < FORBIDDEN
    consistent(alive, problem.offsets, *tables, FORBIDDEN)
    if not np.logical_or.reduceat(alive, problem.offsets[:-1]).all():
        return alive
    ends = problem.edges.T.ravel()
    order = np.argsort(ends, kind="stable")
    at = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.bincount(ends, minlength=problem.nodes))])
    live = problem.intervals[:, 0] < problem.intervals[:, 1]
    usages = problem.usages * np.repeat(live & (problem.limit != NO_LIMIT), np.diff(problem.offsets))
    while _dominated(alive, problem.offsets, problem.costs, usages, order, at, *tables, FORBIDDEN):
        consistent(alive, problem.offsets, *tables, FORBIDDEN)
    return alive


_MOST_COMPARED = 1_000_000
"""Entries that the comparison of one node's strategies may read: a hub would take longer than all else."""


@jit
def _dominated(
    alive: NDArray[np.bool_], offsets: Int64, costs: Int64, usages: Int64, order: Int64, at: Int64, edges: Int64,
    table_at: Int64, table: Int64, forbidden: int,
) -> int:  # fmt: skip
    """Take out strategies that another one is never worse than, whatever the neighbours choose; how many went."""
    went, m = 0, len(edges)
    for v in range(len(offsets) - 1):
        base, width = offsets[v], offsets[v + 1] - offsets[v]
        work = 0
        for half in order[at[v] : at[v + 1]]:
            w = edges[half % m, 1 if half < m else 0]
            work += offsets[w + 1] - offsets[w]
            if w == v:
                work += _MOST_COMPARED
        if width == 1 or width * width * work > _MOST_COMPARED:
            continue
        for i in range(width):
            for j in range(width):
                if i == j or not alive[base + i] or not alive[base + j] or usages[base + j] > usages[base + i]:
                    continue
                slack = costs[base + i] - costs[base + j]
                for half in order[at[v] : at[v + 1]]:
                    edge = half % m
                    w = edges[edge, 1 if half < m else 0]
                    columns, most = offsets[w + 1] - offsets[w], -np.int64(forbidden)
                    for x in range(columns):
                        if not alive[offsets[w] + x]:
                            continue
                        mine = table_at[edge] + (i * columns + x if half < m else x * width + i)
                        its = table_at[edge] + (j * columns + x if half < m else x * width + j)
                        if table[its] >= forbidden:
                            if table[mine] < forbidden:
                                most = np.int64(forbidden)
                                break
                        elif table[mine] < forbidden:
                            most = max(most, table[its] - table[mine])
                    slack -= most
                    if most == forbidden:
                        break
                # Where both are equal the first stays.
                if slack > 0 or (slack == 0 and (usages[base + j] < usages[base + i] or j < i)):
                    alive[base + i] = False
                    went += 1
    return went


def _forbidden(problem: Problem, alive: NDArray[np.bool_]) -> float:
    """A number above all finite costs, small enough for sums of it to be exact in float64."""
    finite = [problem.costs[alive & (problem.costs < FORBIDDEN)], problem.edge_costs[problem.edge_costs < FORBIDDEN]]
    return 4.0 * max(float(part.max()) if len(part) else 0.0 for part in finite) + 1.0


def _edges(
    problem: Problem, strategies: Int64, offsets: Int64, costs: Float64, forbidden: float
) -> tuple[Int64, Int64, Float64]:
    """Edges between different nodes, parallel ones as one, with tables of what is left; loops go into `costs`."""
    low, high = np.minimum(*problem.edges.T), np.maximum(*problem.edges.T)
    order = np.lexsort((high, low))
    pairs = np.stack([low, high], axis=1)[order]
    new = np.ones(len(order), np.bool_)
    new[1:] = (pairs[1:] != pairs[:-1]).any(axis=1)
    new &= pairs[:, 0] != pairs[:, 1]
    ends = pairs[new]
    sizes = np.diff(offsets)
    at = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes[ends[:, 0]] * sizes[ends[:, 1]])])
    tables = np.zeros(int(at[-1]))
    _fill(problem.edges, problem.edge_offsets, problem.edge_costs, np.diff(problem.offsets), order, np.cumsum(new) - 1,
          strategies - np.repeat(problem.offsets[:-1], sizes), offsets, at, tables, costs, forbidden)  # fmt: skip
    return ends, at, tables


@jit
def _fill(
    edges: Int64, from_at: Int64, source: Int64, widths: Int64, order: Int64, group: Int64, strategies: Int64,
    offsets: Int64, at: Int64, tables: Float64, costs: Float64, forbidden: float,
) -> None:  # fmt: skip
    for place in range(len(order)):
        edge = order[place]
        u, v = edges[edge, 0], edges[edge, 1]
        rows, columns = offsets[u + 1] - offsets[u], offsets[v + 1] - offsets[v]
        for i in range(rows):
            row = from_at[edge] + strategies[offsets[u] + i] * widths[v]
            if u == v:
                costs[offsets[u] + i] += min(float(source[row + strategies[offsets[u] + i]]), forbidden)
                continue
            for j in range(columns):
                value = min(float(source[row + strategies[offsets[v] + j]]), forbidden)
                tables[at[group[place]] + (i * columns + j if u < v else j * rows + i)] += value
