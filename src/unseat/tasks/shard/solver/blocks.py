"""Moves of a whole tree of nodes: exact dynamic programming on a random induced tree, all else fixed.

A block grows from a node, one neighbour after the other that has a single neighbour in it, so that what it induces is a
tree (F. Hamze and N. de Freitas, "From fields to trees", UAI 2004). With a temperature the costs are disturbed by
Gumbel noise first, so that the best tree is a sample (G. Papandreou and A. Yuille, "Perturb-and-MAP random fields",
ICCV 2011). Memory counts in two ways: by its price while the best tree is looked for, and as a filter afterwards: of a
move that would pass the limit only a part is made.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import inlined, jit
from unseat.tasks.shard.engine.problem import Int64
from unseat.tasks.shard.solver.dual import Pieces, used_by
from unseat.tasks.shard.solver.graph import Graph
from unseat.tasks.shard.solver.moves import Arm
from unseat.tasks.shard.solver.room import fits, part_that_fits

Float64 = NDArray[np.float64]

_SPELL_S = 0.04

COST, BEST, MOVED, REFUSED, TRIED, RNG = range(6)
"""Places in `State.numbers`: cost now, least cost within the limit, blocks that changed, were refused, were tried; the
state of the generator of random numbers, in the last place."""


@dataclass
class State:
    """One solution at work.

    Attributes:
        chosen: Strategy of each node (int64 [nodes]).
        local: What each strategy of each node would cost beside its neighbours now (float64 [strategies]).
        slack: Bytes that are left at each step; negative where the limit is passed (float64 [steps]).
        best: The best solution within the limit (int64 [nodes]).
        numbers: See `COST` and the others (float64 [6]).
        over: How often a block was refused for each step (float64 [steps]).
        random: State of the generator (uint64 [1]).
    """

    chosen: Int64
    local: Float64
    slack: Float64
    best: Int64
    numbers: Float64
    over: Float64
    random: NDArray[np.uint64]

    @classmethod
    def of(cls, graph: Graph, chosen: Int64, seed: int) -> State:
        """A state that begins with a solution, which may use more memory than there is."""
        numbers = np.zeros(6)
        local = np.empty(len(graph.costs))
        numbers[COST] = local_costs(graph.offsets, graph.costs, graph.arcs, graph.head, graph.back, graph.table,
                                    graph.entries, chosen, local)  # fmt: skip
        used = used_by(chosen, graph.memory, len(graph.capacity))
        slack = graph.capacity - used
        numbers[BEST] = numbers[COST] if (slack >= 0).all() else np.inf
        start = np.array([(seed * 0x9E3779B97F4A7C15 + 0x2545F4914F6CDD1D) % 2**64 or 1], np.uint64)
        return cls(chosen.copy(), local, slack, chosen.copy(), numbers, np.zeros(len(graph.capacity)), start)


@jit
def local_costs(
    offsets: Int64, costs: Float64, arcs: Int64, head: Int64, back: Int64, table: Int64, entries: Float64,
    chosen: Int64, local: Float64,
) -> float:  # fmt: skip
    """Fill `local`; gives the cost of the solution."""
    total = 0.0
    local[:] = costs
    for v in range(len(offsets) - 1):
        for a in range(arcs[v], arcs[v + 1]):
            w = head[a]
            base, columns = offsets[w], offsets[w + 1] - offsets[w]
            row = table[a] + chosen[v] * columns
            for j in range(columns):
                local[base + j] += entries[row + j]
            if w > v:
                total += entries[row + chosen[w]]
        total += costs[offsets[v] + chosen[v]]
    return total


@inlined
def draw(random: NDArray[np.uint64]) -> float:
    """A number in (0, 1] (G. Marsaglia, "Xorshift RNGs", JSS 8(14), 2003)."""
    x = random[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    random[0] = x
    return (float(x >> np.uint64(11)) + 1.0) * (1.0 / 9007199254740992.0)


@jit
def grown(
    seed: int, size: int, widest: int, arcs: Int64, head: Int64, stamp: Int64, near: Int64, mark: int, order: Int64,
    parent: Int64, frontier: Int64, random: NDArray[np.uint64],
) -> int:  # fmt: skip
    """Grow a tree of some nodes, and all of the leaves beside them; gives how many that are.

    Leaves come with their node: one that stayed behind would hold it where it is. `order` and `parent` get the nodes
    and each one's arc from its parent and the parent's place. `near` tells nodes with one neighbour in the tree (twice
    the block's number `mark`) from those with more.
    """
    count, inner, waiting = 0, 0, 0
    arc, place = -1, -1
    v = seed
    while True:
        at = count
        order[count], parent[2 * count], parent[2 * count + 1] = v, arc, place
        stamp[v] = mark
        count += 1
        inner += 1
        # Only some of a hub's neighbours may come next, from anywhere on; all of them are counted.
        degree = arcs[v + 1] - arcs[v]
        begin, seen = int(draw(random) * degree) if degree > widest else 0, 0
        for step in range(degree):
            a = arcs[v] + (begin + step) % degree
            w = head[a]
            if stamp[w] == mark:
                continue
            if arcs[w + 1] - arcs[w] == 1:
                order[count], parent[2 * count], parent[2 * count + 1] = w, a, at
                stamp[w] = mark
                count += 1
            elif near[w] < 2 * mark:
                near[w] = 2 * mark
                if seen < widest:
                    frontier[2 * waiting], frontier[2 * waiting + 1] = a, at
                    waiting += 1
                    seen += 1
            else:
                near[w] = 2 * mark + 1
        if inner == size:
            return count
        while True:
            if not waiting:
                return count
            pick = min(int(draw(random) * waiting), waiting - 1)
            arc, place = frontier[2 * pick], frontier[2 * pick + 1]
            waiting -= 1
            frontier[2 * pick], frontier[2 * pick + 1] = frontier[2 * waiting], frontier[2 * waiting + 1]
            v = head[arc]
            if near[v] == 2 * mark and stamp[v] != mark:
                break


@jit
def best_tree(
    count: int, order: Int64, parent: Int64, at: Int64, down: Int64, temperature: float, factor: float, prices: Float64,
    offsets: Int64, memory: Pieces, back: Int64, table: Int64, entries: Float64,
    chosen: Int64, local: Float64, own: Float64, raw: Float64, below: Int64, new: Int64, noise: Float64,
    random: NDArray[np.uint64],
) -> None:  # fmt: skip
    """The best strategies of a tree, with noise and prices: `new`, by place in `order`.

    `noise` are quantiles of Gumbel's distribution, of which one is drawn for each strategy: two logarithms for each
    would take longer than all else. `prices` are summed up to each step; `own` and `below` are scratch, `at` and
    `down` where each place's begin there; `raw` gets what a strategy costs without what hangs below it.
    """
    pieces, uses, usages, first, last = memory
    at[0], down[0] = 0, 0
    for p in range(count):
        v = order[p]
        width, base, to = offsets[v + 1] - offsets[v], offsets[v], at[p]
        at[p + 1] = to + width
        for i in range(width):
            own[to + i] = local[base + i]
        for piece in range(pieces[v], pieces[v + 1]):
            price = factor * (prices[last[piece]] - prices[first[piece]])
            if price > 0:
                for i in range(width):
                    own[to + i] += price * usages[uses[piece] + i]
        if temperature > 0:
            for i in range(width):
                own[to + i] -= temperature * noise[int(draw(random) * (len(noise) - 1))]
        a, q = parent[2 * p], parent[2 * p + 1]
        down[p + 1] = down[p]
        if a >= 0:
            # Beside each other the two are counted in the tree, not at what they were.
            u = order[q]
            above, wide = at[q], offsets[u + 1] - offsets[u]
            down[p + 1] = down[p] + wide
            row, column = table[a] + chosen[u] * width, table[back[a]] + chosen[v] * wide
            for i in range(width):
                own[to + i] -= entries[row + i]
            for j in range(wide):
                own[above + j] -= entries[column + j]
    raw[: at[count]] = own[: at[count]]
    for p in range(count - 1, 0, -1):
        v, q = order[p], parent[2 * p + 1]
        width, to, above = at[p + 1] - at[p], at[p], at[q]
        wide, t = at[q + 1] - above, table[parent[2 * p]]
        for j in range(wide):
            low, which, row = np.inf, 0, t + j * width
            for i in range(width):
                value = own[to + i] + entries[row + i]
                if value < low:
                    low, which = value, i
            own[above + j] += low
            below[down[p] + j] = which
    new[0] = np.argmin(own[: at[1]])
    for p in range(1, count):
        new[p] = below[down[p] + new[parent[2 * p + 1]]]


_QUANTILES = 4096


@jit
def change(
    count: int, order: Int64, parent: Int64, new: Int64, offsets: Int64, back: Int64, table: Int64, entries: Float64,
    chosen: Int64, local: Float64,
) -> float:  # fmt: skip
    """What the cost changes by, should a tree take its new strategies."""
    delta = 0.0
    for p in range(count):
        v = order[p]
        delta += local[offsets[v] + new[p]] - local[offsets[v] + chosen[v]]
        a = parent[2 * p]
        if a >= 0:
            u, width, fresh = order[parent[2 * p + 1]], offsets[v + 1] - offsets[v], new[parent[2 * p + 1]]
            row, now = table[a] + fresh * width, table[a] + chosen[u] * width
            delta += entries[row + new[p]] - entries[now + new[p]] - entries[row + chosen[v]] + entries[now + chosen[v]]
    return delta


@jit
def apply(
    count: int, order: Int64, new: Int64, offsets: Int64, arcs: Int64, head: Int64, table: Int64, entries: Float64,
    chosen: Int64, local: Float64,
) -> None:  # fmt: skip
    """Give a tree its new strategies."""
    for p in range(count):
        v = order[p]
        if new[p] == chosen[v]:
            continue
        for a in range(arcs[v], arcs[v + 1]):
            w = head[a]
            base, columns = offsets[w], offsets[w + 1] - offsets[w]
            gets, loses = table[a] + new[p] * columns, table[a] + chosen[v] * columns
            for j in range(columns):
                local[base + j] += entries[gets + j] - entries[loses + j]
        chosen[v] = new[p]


@jit
def sweep(
    blocks: int, size: int, temperature: float, factor: float, widest: int, prices: Float64, seeds: Int64,
    offsets: Int64, memory: Pieces, arcs: Int64, head: Int64, back: Int64, table: Int64, entries: Float64,
    chosen: Int64, local: Float64, slack: Float64, best: Int64, numbers: Float64, over: Float64,
    random: NDArray[np.uint64], stamp: Int64, near: Int64, mark: int, feasible: bool,
) -> int:  # fmt: skip
    """Move some blocks; gives the last block's number, for the next call."""
    n = len(offsets) - 1
    if not len(seeds):
        return mark
    order, new, parent = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(2 * n, np.int64)
    at, down = np.zeros(n + 1, np.int64), np.zeros(n + 1, np.int64)
    frontier = np.empty(2 * len(head) + 2, np.int64)
    room = 0
    for a in range(len(head)):
        room += offsets[head[a] + 1] - offsets[head[a]]
    own, raw, below = np.empty(offsets[n]), np.empty(offsets[n]), np.empty(room, np.int64)
    low, price = np.empty(2 * n), np.empty(2 * len(memory[3]) + 1)
    when, amount = np.empty(2 * len(memory[3]), np.int64), np.empty(2 * len(memory[3]))
    noise = -np.log(-np.log((np.arange(_QUANTILES) + 0.5) / _QUANTILES))
    for _ in range(blocks):
        mark += 1
        pick = min(int(draw(random) * len(seeds)), len(seeds) - 1)
        count = grown(seeds[pick], size, widest, arcs, head, stamp, near, mark, order, parent, frontier, random)
        best_tree(count, order, parent, at, down, temperature, factor, prices, offsets, memory, back, table,
                  entries, chosen, local, own, raw, below, new, noise, random)  # fmt: skip
        numbers[4] += 1
        events = fits(count, order, new, memory, chosen, slack, over, when, amount)
        if events:
            numbers[3] += 1
            if not part_that_fits(count, order, parent, at, new, raw, events, when, amount, offsets, memory, table,
                                  entries, chosen, slack, over, low, price):  # fmt: skip
                continue
        delta = change(count, order, parent, new, offsets, back, table, entries, chosen, local)
        apply(count, order, new, offsets, arcs, head, table, entries, chosen, local)
        numbers[2] += delta != 0
        numbers[0] += delta
        if feasible and numbers[0] < numbers[1]:
            numbers[1] = numbers[0]
            best[:] = chosen
    return mark


class Spells:
    """Short spells of blocks of one kind on a graph, each as many blocks as its time allows.

    Args:
        graph: The graph.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph, self.mark, self.blocks = graph, 0, 4
        self.stamp, self.near = np.zeros(graph.nodes, np.int64), np.zeros(graph.nodes, np.int64)
        inner = np.flatnonzero(np.diff(graph.arcs) > 1)
        # Leaves come with their neighbours; without any others, they are where blocks begin.
        self.seeds = inner if len(inner) else np.arange(graph.nodes)

    def run(self, state: State, arm: Arm, temperature: float, prices: Float64, *, feasible: bool) -> None:
        """Some blocks of a kind, at these prices of a byte at each step; `feasible` keeps the best within the limit."""
        graph = self.graph
        summed = np.concatenate([np.zeros(1), np.cumsum(prices)])
        began = time.thread_time()
        count = max(1, round(self.blocks * 100 / arm.size))
        self.mark = sweep(
            count, arm.size, temperature, arm.factor, arm.reach, summed, self.seeds, graph.offsets, graph.memory,
            graph.arcs, graph.head, graph.back, graph.table, graph.entries, state.chosen,
            state.local, state.slack, state.best, state.numbers, state.over, state.random, self.stamp, self.near,
            self.mark, feasible and bool((state.slack >= 0).all()),
        )  # fmt: skip
        took = max(time.thread_time() - began, 1e-6)
        self.blocks = max(1, round(self.blocks * min(max(_SPELL_S / took, 0.5), 2.0)))
