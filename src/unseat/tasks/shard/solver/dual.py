"""A dual bound, and prices of memory: message passing within a subgradient method.

With a price on each byte at each time step what is left is a pairwise model without a limit. Its bound comes from
sequential tree-reweighted message passing (V. Kolmogorov, "Convergent tree-reweighted message passing for energy
minimization", IEEE TPAMI 28(10), 2006): trees are the chains along the order of nodes. What hangs on the core of a
graph by one edge is minimised over exactly, as its shares would leave little to the core's. Prices follow the
subgradient, used minus available bytes at the least of each node's reparametrised costs, averaged (F. Barahona and R.
Anbil, "The volume algorithm", Mathematical Programming 87, 2000).
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import jit
from unseat.tasks.shard.engine.problem import Int64
from unseat.tasks.shard.solver.graph import Graph

Float64 = NDArray[np.float64]

_FADE = 0.9
"""Weight of the past in the averaged subgradient."""
_SAFE = 1e-9
"""Share of what is summed by which a bound is lowered, for rounding."""


@dataclass
class Dual:
    """Messages, prices and the bound that they prove.

    Attributes:
        messages: To the head of each arc, a number for each of its strategies (float64).
        at: Where each arc's begin in `messages` (int64 [arcs + 1]).
        prices: Of a byte at each time step, at least 0 (float64 [steps]).
        bound: The best so far, of the graph without its constant.
        best_prices: Those that it came with.
        usage: Averaged bytes in use (float64 [steps]).
        step: Length of a step, as a share of Polyak's.
        stale: Rounds since the bound was last improved.
    """

    messages: Float64
    at: Int64
    prices: Float64
    bound: float
    best_prices: Float64
    usage: Float64
    step: float
    stale: int = 0

    @classmethod
    def of(cls, graph: Graph, step: float = 0.1) -> Dual:
        """No messages and no prices."""
        sizes = np.diff(graph.offsets)[graph.head]
        at = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
        steps = len(graph.capacity)
        return cls(np.zeros(int(at[-1])), at, np.zeros(steps), -np.inf, np.zeros(steps), np.zeros(steps), step)


Pieces = tuple[Int64, Int64, Float64, Int64, Int64]
"""See `Graph.memory`."""


@jit
def priced(costs: Float64, memory: Pieces, offsets: Int64, prices: Float64) -> Float64:
    """The cost of each strategy with what its memory costs (float64 [strategies])."""
    pieces, uses, usages, first, last = memory
    before = np.zeros(len(prices) + 1)
    for step in range(len(prices)):
        before[step + 1] = before[step] + prices[step]
    found = costs.copy()
    for v in range(len(offsets) - 1):
        for piece in range(pieces[v], pieces[v + 1]):
            price = before[last[piece]] - before[first[piece]]
            if price > 0:
                for i in range(offsets[v + 1] - offsets[v]):
                    found[offsets[v] + i] += price * usages[uses[piece] + i]
    return found


@jit
def _sum(
    v: int, offsets: Int64, unary: Float64, arcs: Int64, head: Int64, back: Int64, messages: Float64, at: Int64,
    after: int, own: Float64,
) -> None:  # fmt: skip
    """The cost of each of a node's strategies, with what its neighbours from a number on say, into `own`."""
    width = len(own)
    own[:] = unary[offsets[v] : offsets[v + 1]]
    for a in range(arcs[v], arcs[v + 1]):
        if head[a] >= after:
            said = messages[at[back[a]] : at[back[a]] + width]
            for i in range(width):
                own[i] += said[i]


@jit
def _send(own: Float64, rows: Float64, message: Float64) -> float:
    """The least cost beside each of the neighbour's strategies, less the least of all, which is what it gives."""
    columns = len(message)
    for j in range(columns):
        message[j] = own[0] + rows[j]
    for i in range(1, len(own)):
        mine, row = own[i], rows[i * columns : (i + 1) * columns]
        for j in range(columns):
            value = mine + row[j]
            message[j] = value if value < message[j] else message[j]
    low = message.min()
    for j in range(columns):
        message[j] -= low
    return float(low)


@jit
def _up(
    core: int, offsets: Int64, unary: Float64, arcs: Int64, head: Int64, back: Int64, table: Int64, entries: Float64,
    messages: Float64, at: Int64, room: Float64,
) -> tuple[float, float]:  # fmt: skip
    """Messages of the trees that hang on the core, towards it, which are exact; gives as `_pass`."""
    bound, size = 0.0, 0.0
    for v in range(len(offsets) - 2, core - 1, -1):
        own, a = room[: offsets[v + 1] - offsets[v]], arcs[v]  # its first arc leads to its parent
        _sum(v, offsets, unary, arcs, head, back, messages, at, v, own)
        columns = at[a + 1] - at[a]
        rows = entries[table[a] : table[a] + len(own) * columns]
        low = _send(own, rows, messages[at[a] : at[a + 1]])
        bound += low
        size += abs(low)
    return bound, size


@jit
def _down(
    core: int, offsets: Int64, unary: Float64, arcs: Int64, head: Int64, back: Int64, table: Int64, entries: Float64,
    messages: Float64, at: Int64, room: Float64, least: Int64,
) -> None:  # fmt: skip
    """The best strategy of each node of the trees beside that of its parent, into `least`."""
    for v in range(core, len(offsets) - 1):
        own, a = room[: offsets[v + 1] - offsets[v]], arcs[v]
        _sum(v, offsets, unary, arcs, head, back, messages, at, v, own)
        row = table[back[a]] + least[head[a]] * len(own)
        for i in range(len(own)):
            own[i] += entries[row + i]
        least[v] = np.argmin(own)


@jit
def _pass(
    forward: bool, core: int, offsets: Int64, unary: Float64, arcs: Int64, head: Int64, back: Int64, table: Int64,
    entries: Float64, messages: Float64, at: Int64, room: Float64, least: Int64,
) -> tuple[float, float]:  # fmt: skip
    """One pass over the core in order, or back; `least` gets the best strategy of each node's reparametrised costs.

    Returns:
        The bound that the trees prove, and the sum of the sizes of what was added to it.
    """
    bound, size = 0.0, 0.0
    for step in range(core):
        v = step if forward else core - 1 - step
        own, begin, end = room[: offsets[v + 1] - offsets[v]], arcs[v], arcs[v + 1]
        _sum(v, offsets, unary, arcs, head, back, messages, at, 0, own)
        earlier, later = 0, 0
        for a in range(begin, end):
            earlier += head[a] < v
            later += v < head[a] < core
        least[v] = np.argmin(own)
        low = own[least[v]]
        bound += low
        size += abs(low)
        share = 1.0 / max(later, earlier, 1)
        for i in range(len(own)):
            own[i] = share * (own[i] - low)
        for a in range(begin, end):
            if head[a] >= core or (head[a] > v) != forward:
                continue
            columns = at[a + 1] - at[a]
            said = messages[at[back[a]] : at[back[a] + 1]]
            for i in range(len(own)):
                own[i] -= said[i]
            rows = entries[table[a] : table[a] + len(own) * columns]
            low = _send(own, rows, messages[at[a] : at[a + 1]])
            for i in range(len(own)):
                own[i] += said[i]
            bound += low
            size += abs(low)
    return bound, size


@jit
def used_by(chosen: Int64, memory: Pieces, steps: int) -> Float64:
    """Bytes in use at each step beyond the least (float64 [steps])."""
    pieces, uses, usages, first, last = memory
    found = np.zeros(steps + 1)
    for v in range(len(chosen)):
        for piece in range(pieces[v], pieces[v + 1]):
            amount = usages[uses[piece] + chosen[v]]
            found[first[piece]] += amount
            found[last[piece]] -= amount
    for step in range(1, steps):
        found[step] += found[step - 1]
    return found[:steps]


@jit
def rounded(
    offsets: Int64, unary: Float64, arcs: Int64, head: Int64, back: Int64, table: Int64, entries: Float64,
    messages: Float64, at: Int64,
) -> Int64:  # fmt: skip
    """Each node in order takes what is best beside those before it, by the messages of those after it."""
    n = len(offsets) - 1
    chosen = np.zeros(n, np.int64)
    for v in range(n):
        width = offsets[v + 1] - offsets[v]
        own = unary[offsets[v] : offsets[v + 1]].copy()
        for a in range(arcs[v], arcs[v + 1]):
            u = head[a]
            if u < v:
                row = table[back[a]] + chosen[u] * width
                for i in range(width):
                    own[i] += entries[row + i]
            else:
                for i in range(width):
                    own[i] += messages[at[back[a]] + i]
        chosen[v] = np.argmin(own)
    return chosen


def improve(graph: Graph, dual: Dual, best: float, rounds: int, patience: int, until: float) -> float:
    """Some rounds of messages and prices.

    Args:
        graph: The problem.
        dual: What is improved.
        best: Cost of the best solution so far, or an estimate, for the length of a step.
        rounds: How many.
        patience: After so many rounds without a better bound steps get half as long, and begin again from the best
            prices; 0 leaves prices as they are.
        until: CPU seconds of this thread at which to stop.

    Returns:
        The bound before the round that was last.
    """
    least, scratch = np.zeros(graph.nodes, np.int64), np.zeros(int(np.diff(graph.offsets).max()))
    bound = -np.inf
    for _ in range(rounds):
        unary = priced(graph.costs, graph.memory, graph.offsets, dual.prices)
        where = (graph.core, graph.offsets, unary, graph.arcs, graph.head, graph.back, graph.table, graph.entries,
                 dual.messages, dual.at, scratch)  # fmt: skip
        hanging, hanging_size = _up(*where)
        _pass(True, *where, least)
        value, size = _pass(False, *where, least)
        bound = hanging + value - float((dual.prices * graph.capacity).sum()) - _SAFE * (hanging_size + size)
        if bound > dual.bound:
            dual.bound, dual.best_prices, dual.stale = bound, dual.prices.copy(), 0
        if time.thread_time() > until:
            break
        if not patience:
            continue
        dual.stale += 1
        if dual.stale > patience:
            dual.prices, dual.step, dual.stale, dual.usage = dual.best_prices.copy(), dual.step / 2, 0, 0 * dual.usage
            continue
        _down(*where, least)
        used = used_by(least, graph.memory, len(graph.capacity))
        dual.usage = _FADE * dual.usage + (1 - _FADE) * used if dual.usage.any() else used
        slope = dual.usage - graph.capacity
        slope[(dual.prices == 0) & ~peaks(slope)] = 0
        norm = float((slope * slope).sum())  # a product would take threads of its own
        if norm > 0:
            room = max(best - bound, 1e-4 * abs(best))
            dual.prices = np.maximum(dual.prices + dual.step * room / norm * slope, 0)
    return bound


def peaks(over: Float64) -> NDArray[np.bool_]:
    """The step of most overflow in each of the largest stretches of it.

    A price on every step of a stretch would charge what lives long for all of them at once, and no length of step
    fits both that and what lives for one.
    """
    found = np.zeros(len(over), np.bool_)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], over > 0, [False]]).astype(np.int8)))
    if len(edges):
        tops = np.maximum.reduceat(np.append(over, -np.inf), edges)[::2]
        for stretch in np.argsort(-tops)[:_MOST_PEAKS]:
            begin, end = edges[2 * stretch : 2 * stretch + 2]
            found[begin + int(np.argmax(over[begin:end]))] = True
    return found


_MOST_PEAKS = 8


def start(graph: Graph, dual: Dual, prices: Float64 | None = None, noise: Float64 | None = None) -> Int64:
    """A solution from messages and prices (int64 [nodes]); it may use more memory than there is.

    Args:
        graph: The problem.
        dual: The messages.
        prices: Of memory, if not the dual's own.
        noise: Added to the cost of each strategy.
    """
    unary = priced(graph.costs, graph.memory, graph.offsets, dual.prices if prices is None else prices)
    if noise is not None:
        unary += noise
    return rounded(graph.offsets, unary, graph.arcs, graph.head, graph.back, graph.table, graph.entries,
                   dual.messages, dual.at)  # fmt: skip
