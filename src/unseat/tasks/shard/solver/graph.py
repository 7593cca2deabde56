"""What is left to decide after all reductions, laid out for compiled code."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import jit
from unseat.tasks.shard.engine.problem import Int64
from unseat.tasks.shard.solver.eliminate import Buffer

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Graph:
    """What is left to decide.

    An arc is an edge seen from one of its nodes: it has a table of its own, that node's strategies as rows.

    Attributes:
        offsets: Where a node's strategies begin (int64 [nodes + 1]).
        costs: Cost of each strategy (float64 [strategies]); whole numbers.
        pieces: Where a node's pieces of memory begin, one for each stretch of time (int64 [nodes + 1]).
        uses: Where each piece's begin in `usages` (int64 [pieces + 1]).
        usages: Bytes that each strategy of the node uses beyond the piece's least (float64).
        first, last: The time steps in which a piece counts, half-open (int64 [pieces]).
        capacity: Bytes left at each time step for what `usages` counts (float64 [steps]).
        arcs: Where a node's arcs begin (int64 [nodes + 1]).
        head: The node at the other end of each arc (int64 [arcs]); ascending for each node.
        back: The same edge seen from there (int64 [arcs]).
        table: Where each arc's table begins in `entries` (int64 [arcs]).
        entries: All tables (float64 [entries]).
        forbidden: What a forbidden choice counts in here.
        constant: What is to be added to a cost in here.
        core: How many nodes do not hang on others by one edge, as trees do; these come first, parents before children.
    """

    offsets: Int64
    costs: Float64
    pieces: Int64
    uses: Int64
    usages: Float64
    first: Int64
    last: Int64
    capacity: Float64
    arcs: Int64
    head: Int64
    back: Int64
    table: Int64
    entries: Float64
    forbidden: float
    constant: float
    core: int

    @property
    def nodes(self) -> int:
        """How many nodes are left."""
        return len(self.offsets) - 1

    @property
    def memory(self) -> tuple[Int64, Int64, Float64, Int64, Int64]:
        """What memory is used, as compiled code takes it: pieces, uses, usages, first and last."""
        return self.pieces, self.uses, self.usages, self.first, self.last


@jit
def pieces_of(
    order: Int64, nodes: int, owner: Int64, does_at: Int64, does: Int64, offsets: Int64, usages: Float64, first: Int64,
    last: Int64, capacity: Float64,
) -> tuple[Int64, Int64, Float64, Int64, Int64]:  # fmt: skip
    """The memory of what each node decides, by stretches of time, beyond the least; `capacity` loses the least.

    Args:
        order: The problem's nodes by owner, first and last.
        nodes: How many decide.
        owner, does_at, does: See `Pairwise`.
        offsets, usages: Bytes of each strategy of the problem's nodes.
        first, last: The time steps of each, half-open.
        capacity: Bytes that are left at each step when every one of the problem's nodes uses its least.

    Returns:
        As `Graph.memory`.
    """
    pieces, uses = np.zeros(nodes + 1, np.int64), np.zeros(len(order) + 1, np.int64)
    begins, ends, found = np.empty(len(order), np.int64), np.empty(len(order), np.int64), 0
    bytes_of, place = np.zeros(does_at[len(owner)]), 0
    while place < len(order):
        v = order[place]
        x, begin, end = owner[v], first[v], last[v]
        width, to = does_at[v + 1] - does_at[v], uses[found]
        now = bytes_of[to : to + width]
        now[:] = 0.0
        while (
            place < len(order)
            and owner[order[place]] == x
            and first[order[place]] == begin
            and last[order[place]] == end
        ):
            w = order[place]
            place += 1
            least = usages[offsets[w] : offsets[w + 1]].min()
            for i in range(width):
                now[i] += usages[offsets[w] + does[does_at[w] + i]] - least
        if begin == end:
            continue
        low = now.min()
        for step in range(begin, end):
            capacity[step] -= low
        some = False
        for i in range(width):
            now[i] -= low
            some = some or now[i] > 0
        if some:
            begins[found], ends[found] = begin, end
            found += 1
            uses[found] = to + width
            pieces[x + 1] += 1
    return (
        np.cumsum(pieces),
        uses[: found + 1],
        bytes_of[: uses[found]].copy(),
        begins[:found].copy(),
        ends[:found].copy(),
    )


def core_first(kept: Int64, one: Int64, other: Int64, place: Int64, count: int) -> tuple[Int64, int]:
    """The nodes, what hangs on others by one edge last and parents before children; how many are before that."""
    live = np.flatnonzero(place[:count] >= 0)
    tail, head = np.concatenate([one[live], other[live]]), np.concatenate([other[live], one[live]])
    nodes = int(max(kept.max(initial=-1), tail.max(initial=-1))) + 1
    at = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.bincount(tail, minlength=nodes))])
    peeled = _peeled(at, head[np.argsort(tail, kind="stable")])
    core = kept[~np.isin(kept, peeled)]
    return np.concatenate([core, peeled[::-1]]), len(core)


@jit
def _peeled(at: Int64, head: Int64) -> Int64:
    """Nodes with one neighbour, then those that have one without these, and so on."""
    degree = at[1:] - at[:-1]
    order, found, gone = np.zeros(len(degree), np.int64), 0, np.zeros(len(degree), np.bool_)
    for v in range(len(degree)):
        if degree[v] == 1:
            order[found] = v
            found += 1
    done = 0
    kept = 0
    while done < found:
        v = order[done]
        done += 1
        if degree[v] != 1:
            continue  # the other end of its only edge went first
        order[kept] = v
        kept += 1
        gone[v] = True
        for a in range(at[v], at[v + 1]):
            w = head[a]
            if not gone[w]:
                degree[w] -= 1
                if degree[w] == 1:
                    order[found] = w
                    found += 1
    return order[:kept]


def graph_of(
    node_of: Int64, offsets: Int64, costs: Float64, memory: tuple[Int64, Int64, Float64, Int64, Int64],
    capacity: Float64, buffer: Buffer, count: int, forbidden: float, constant: float, core: int,
) -> Graph:  # fmt: skip
    """What is left, with an arc for each end of each edge."""
    one, other, place, tables = buffer
    live = np.flatnonzero(place[:count] >= 0)
    new = np.full(len(offsets) - 1, -1, np.int64)
    new[node_of] = np.arange(len(node_of))
    sizes = np.diff(offsets)[node_of]
    u, v, at = new[one[live]], new[other[live]], place[live]
    tail, head = np.concatenate([u, v]), np.concatenate([v, u])
    order = np.lexsort((head, tail))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    back = np.concatenate([rank[len(u) :], rank[: len(u)]])[order]
    area = (sizes[tail] * sizes[head])[order]
    table = np.concatenate([np.zeros(1, np.int64), np.cumsum(area)])
    entries = np.empty(int(table[-1]))
    _tables(order, np.concatenate([at, at]), len(u), sizes[tail], sizes[head], tables, table, entries)
    mine = np.repeat(offsets[node_of], sizes) + np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
    held, uses, usages, first, last = memory
    which = np.concatenate([np.arange(held[v], held[v + 1]) for v in node_of] or [np.zeros(0, np.int64)])
    taken = np.concatenate([np.arange(uses[one], uses[one + 1]) for one in which] or [np.zeros(0, np.int64)])
    pieces, lengths = (np.concatenate([np.zeros(1, np.int64), np.cumsum(np.diff(each)[some])])
                       for each, some in ((held, node_of), (uses, which)))  # fmt: skip
    arcs = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.bincount(tail, minlength=len(node_of)))])
    return Graph(starts, costs[mine], pieces, lengths, usages[taken], first[which], last[which], capacity, arcs,
                 head[order], back, table[:-1], entries, forbidden, constant, core)  # fmt: skip


@jit
def _tables(
    order: Int64, at: Int64, half: int, rows: Int64, columns: Int64, source: Float64, table: Int64, entries: Float64
) -> None:
    for arc in range(len(order)):
        old = order[arc]
        for i in range(rows[old]):
            for j in range(columns[old]):
                place = i * columns[old] + j if old < half else j * rows[old] + i
                entries[table[arc] + i * columns[old] + j] = source[at[old] + place]
