"""Nodes that another one decides: where a strategy of one node leaves one of its neighbour, the two become one.

Most edges of a model that is spread over devices allow an operation's result to be used only as it was laid out, so
that one choice decides hundreds of nodes. A node of a contracted problem stands for all that it decides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import jit
from unseat.tasks.shard.engine.problem import Int64

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Pairwise:
    """Costs of nodes and of pairs of them, with what each node of the problem does.

    Attributes:
        offsets: Where a node's strategies begin (int64 [nodes + 1]).
        costs: Cost of each strategy (float64).
        ends: The two nodes of each edge, the lower one first, each pair once (int64 [edges, 2]).
        at: Where an edge's table begins (int64 [edges + 1]).
        tables: All tables (float64).
        owner: The node that decides each of the problem's (int64 [problem's nodes]).
        does_at: Where each of the problem's nodes begins in `does` (int64 [problem's nodes + 1]).
        does: Its strategy by that of its owner (int64).
    """

    offsets: Int64
    costs: Float64
    ends: Int64
    at: Int64
    tables: Float64
    owner: Int64
    does_at: Int64
    does: Int64

    @property
    def nodes(self) -> int:
        """How many decide."""
        return len(self.offsets) - 1


def contracted(whole: Pairwise, forbidden: float) -> Pairwise:
    """Contract until no node decides another, without strategies that then have no partner.

    Where that leaves a node nothing, no solution is free of forbidden choices, and the problem stays as it is.
    """
    now = whole
    while True:
        owner, does_at, does = _decided(now.offsets, now.ends, now.at, now.tables, forbidden)
        roots = np.flatnonzero(owner == np.arange(now.nodes))
        if len(roots) == now.nodes:
            return now
        merged = _merged(now, roots, owner, does_at, does, forbidden)
        alive = merged.costs < forbidden
        consistent(alive, merged.offsets, merged.ends, merged.at, merged.tables, forbidden)
        if not np.logical_or.reduceat(alive, merged.offsets[:-1]).all():
            return whole
        now = _without(merged, alive)


@jit
def _decided(offsets: Int64, ends: Int64, at: Int64, tables: Float64, forbidden: float) -> tuple[Int64, Int64, Int64]:
    """Owners, and what each node does by its owner's strategy; as `Pairwise.owner`, `does_at` and `does`.

    Nodes with the most strategies come first: what decides another has as many at least.
    """
    n, m = len(offsets) - 1, len(ends)
    # Arcs from what decides to what is decided: edge e from its first node is 2 e, from its second 2 e + 1.
    decides = np.zeros(2 * m, np.bool_)
    count = np.zeros(n + 1, np.int64)
    for e in range(m):
        u, v = ends[e, 0], ends[e, 1]
        rows, columns = offsets[u + 1] - offsets[u], offsets[v + 1] - offsets[v]
        allowed, both = np.zeros(columns, np.int64), True
        for i in range(rows):
            some = 0
            for j in range(columns):
                if tables[at[e] + i * columns + j] < forbidden:
                    some += 1
                    allowed[j] += 1
            both = both and some <= 1
        decides[2 * e], decides[2 * e + 1] = both, allowed.max() <= 1
        count[u + 1] += decides[2 * e]
        count[v + 1] += decides[2 * e + 1]
    begin = np.cumsum(count)
    arcs, place = np.empty(begin[n], np.int64), begin.copy()
    for arc in range(2 * m):
        if decides[arc]:
            u = ends[arc // 2, arc % 2]
            arcs[place[u]] = arc
            place[u] += 1
    owner, does_at = np.full(n, -1, np.int64), np.zeros(n + 1, np.int64)
    queue, done, found = np.empty(n, np.int64), 0, 0
    for root in np.argsort(offsets[:-1] - offsets[1:], kind="mergesort"):
        if owner[root] < 0:
            owner[root] = root
            queue[found] = root
            found += 1
        while done < found:
            u = queue[done]
            done += 1
            for a in arcs[begin[u] : begin[u + 1]]:
                v = ends[a // 2, 1 - a % 2]
                if owner[v] < 0:
                    owner[v] = owner[u]
                    queue[found] = v
                    found += 1
    for v in range(n):
        does_at[v + 1] = does_at[v] + offsets[owner[v] + 1] - offsets[owner[v]]
    does = np.full(does_at[n], -1, np.int64)
    known = np.zeros(n, np.bool_)
    for u in queue:
        if owner[u] == u:
            known[u] = True
            for i in range(does_at[u + 1] - does_at[u]):
                does[does_at[u] + i] = i
        for a in arcs[begin[u] : begin[u + 1]]:
            v = ends[a // 2, 1 - a % 2]
            if owner[v] != owner[u] or known[v]:
                continue
            known[v] = True
            rows, columns = offsets[u + 1] - offsets[u], offsets[v + 1] - offsets[v]
            for i in range(does_at[v + 1] - does_at[v]):
                mine = does[does_at[u] + i]
                for j in range(columns):
                    entry = mine * columns + j if a % 2 == 0 else j * rows + mine
                    if mine >= 0 and tables[at[a // 2] + entry] < forbidden:
                        does[does_at[v] + i] = j
    return owner, does_at, does


def _merged(now: Pairwise, roots: Int64, owner: Int64, does_at: Int64, does: Int64, forbidden: float) -> Pairwise:
    """Roots with the costs of all that they decide; a strategy that leaves some node none is forbidden."""
    number = np.full(now.nodes, -1, np.int64)
    number[roots] = np.arange(len(roots))
    sizes = np.diff(now.offsets)[roots]
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
    costs = np.zeros(int(offsets[-1]))
    mine = number[owner]
    for_edges = mine[now.ends] if len(now.ends) else np.zeros((0, 2), np.int64)
    low, high = for_edges.min(axis=1, initial=2**62), for_edges.max(axis=1, initial=-1)
    order = np.lexsort((high, low))
    pairs = np.stack([low, high], axis=1)[order]
    new = np.ones(len(order), np.bool_)
    new[1:] = (pairs[1:] != pairs[:-1]).any(axis=1)
    new &= pairs[:, 0] != pairs[:, 1]
    ends = pairs[new]
    at = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes[ends[:, 0]] * sizes[ends[:, 1]])])
    tables = np.zeros(int(at[-1]))
    _fill(now.offsets, now.costs, now.ends, now.at, now.tables, mine, does_at, does, order, np.cumsum(new) - 1, offsets,
          costs, at, tables, forbidden)  # fmt: skip
    # What every node of the problem does by the strategy of its new owner.
    through = mine[now.owner]
    whole_at = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes[through])])
    whole = np.empty(int(whole_at[-1]), np.int64)
    _through(now.owner, now.does_at, now.does, does_at, does, whole_at, whole)
    return Pairwise(offsets, costs, ends, at, tables, through, whole_at, whole)


@jit
def _through(owner: Int64, inner_at: Int64, inner: Int64, does_at: Int64, does: Int64, at: Int64, whole: Int64) -> None:
    for v in range(len(owner)):
        for i in range(at[v + 1] - at[v]):
            middle = does[does_at[owner[v]] + i]
            whole[at[v] + i] = inner[inner_at[v] + max(middle, 0)]


@jit
def _fill(
    offsets: Int64, costs: Float64, ends: Int64, at: Int64, tables: Float64, owner: Int64, does_at: Int64, does: Int64,
    order: Int64, group: Int64, new_offsets: Int64, new_costs: Float64, new_at: Int64, new_tables: Float64,
    forbidden: float,
) -> None:  # fmt: skip
    for v in range(len(owner)):
        base = new_offsets[owner[v]]
        for i in range(does_at[v + 1] - does_at[v]):
            one = does[does_at[v] + i]
            new_costs[base + i] += costs[offsets[v] + one] if one >= 0 else forbidden
    for place in range(len(order)):
        e = order[place]
        u, v = ends[e, 0], ends[e, 1]
        columns = offsets[v + 1] - offsets[v]
        a, b = owner[u], owner[v]
        rows_of, columns_of = does_at[u + 1] - does_at[u], does_at[v + 1] - does_at[v]
        for i in range(rows_of):
            mine = does[does_at[u] + i]
            if a == b:
                its = does[does_at[v] + i]
                if mine >= 0 and its >= 0:
                    new_costs[new_offsets[a] + i] += tables[at[e] + mine * columns + its]
                continue
            for j in range(columns_of):
                its = does[does_at[v] + j]
                entry = i * columns_of + j if a < b else j * rows_of + i
                if mine >= 0 and its >= 0:
                    new_tables[new_at[group[place]] + entry] += tables[at[e] + mine * columns + its]


@jit
def consistent(
    alive: NDArray[np.bool_], offsets: Int64, edges: Int64, at: Int64, table: Int64 | Float64, forbidden: float
) -> None:
    """Take out strategies that have no partner across an edge (arc consistency, by sweeps until nothing changes)."""
    changed = True
    while changed:
        changed = False
        for edge in range(len(edges)):
            u, v = edges[edge, 0], edges[edge, 1]
            base_u, base_v = offsets[u], offsets[v]
            rows, columns = offsets[u + 1] - base_u, offsets[v + 1] - base_v
            if u == v:
                for i in range(rows):
                    if alive[base_u + i] and table[at[edge] + i * columns + i] >= forbidden:
                        alive[base_u + i], changed = False, True
                continue
            partner = np.zeros(columns, np.bool_)
            for i in range(rows):
                if not alive[base_u + i]:
                    continue
                row, some = at[edge] + i * columns, False
                for j in range(columns):
                    if table[row + j] < forbidden and alive[base_v + j]:
                        some = True
                        partner[j] = True
                if not some:
                    alive[base_u + i], changed = False, True
            for j in range(columns):
                if alive[base_v + j] and not partner[j]:
                    alive[base_v + j], changed = False, True


def _without(now: Pairwise, alive: NDArray[np.bool_]) -> Pairwise:
    """Only what is alive."""
    if alive.all():
        return now
    left = np.add.reduceat(alive.astype(np.int64), now.offsets[:-1])
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(left)])
    at = np.concatenate([np.zeros(1, np.int64), np.cumsum(left[now.ends[:, 0]] * left[now.ends[:, 1]])])
    tables = np.empty(int(at[-1]))
    _kept_tables(alive, now.offsets, now.ends, now.at, now.tables, at, tables)
    does_at = np.concatenate([np.zeros(1, np.int64), np.cumsum(left[now.owner])])
    does = np.empty(int(does_at[-1]), np.int64)
    _kept(alive, now.offsets, now.owner, now.does_at, now.does, does_at, does)
    return Pairwise(offsets, now.costs[alive], now.ends, at, tables, now.owner, does_at, does)


@jit
def _kept_tables(
    alive: NDArray[np.bool_], offsets: Int64, ends: Int64, at: Int64, tables: Float64, new_at: Int64, new: Float64
) -> None:
    for e in range(len(ends)):
        u, v = ends[e, 0], ends[e, 1]
        rows, columns, place = offsets[u + 1] - offsets[u], offsets[v + 1] - offsets[v], new_at[e]
        for i in range(rows):
            for j in range(columns):
                if alive[offsets[u] + i] and alive[offsets[v] + j]:
                    new[place] = tables[at[e] + i * columns + j]
                    place += 1


@jit
def _kept(
    alive: NDArray[np.bool_], offsets: Int64, owner: Int64, does_at: Int64, does: Int64, new_at: Int64, new: Int64
) -> None:
    for v in range(len(owner)):
        place = new_at[v]
        for i in range(does_at[v + 1] - does_at[v]):
            if alive[offsets[owner[v]] + i]:
                new[place] = does[does_at[v] + i]
                place += 1
