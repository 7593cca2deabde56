"""Whole nodes that need not be decided with the others: bucket elimination (R. Dechter, 1999).

A node with one strategy is folded into its neighbours. One whose strategies all use the same memory, or whose memory
never matters, is minimised over if it has at most two neighbours: a leaf into its neighbour's costs, one between two
into a table between these.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import jit
from unseat.tasks.shard.engine.problem import Int64

Float64 = NDArray[np.float64]

Buffer = tuple[Int64, Int64, Int64, Float64]


@jit
def eliminated(
    offsets: Int64, costs: Float64, free: NDArray[np.bool_], ends: Int64, at: Int64, tables: Float64
) -> tuple[Buffer, int, NDArray[np.bool_], Int64, float]:
    """Minimise over nodes that need not be decided with the others; changes `costs` of those that stay.

    Returns:
        Edges (two ends, table or -1 where it is gone, tables), how many, the nodes that stay, what went, the constant.
    """
    n, m = len(offsets) - 1, len(ends)
    most = 2 * m + 1
    one, other, place = np.empty(most, np.int64), np.empty(most, np.int64), np.full(most, -1, np.int64)
    # Half-edges in a linked list for each node: 2 e is edge e at its first node, 2 e + 1 at its second.
    head, degree = np.full(n, -1, np.int64), np.zeros(n, np.int64)
    after, before = np.full(2 * most, -1, np.int64), np.full(2 * most, -1, np.int64)
    buffer = np.empty(len(tables) + len(tables) // 2)
    buffer[: len(tables)] = tables
    used, count = len(tables), m
    for edge in range(m):
        one[edge], other[edge], place[edge] = ends[edge, 0], ends[edge, 1], at[edge]
        _link(2 * edge, one[edge], head, degree, after, before)
        _link(2 * edge + 1, other[edge], head, degree, after, before)
    keep, gone, went, constant = np.ones(n, np.bool_), np.full((n, 7), -1, np.int64), 0, 0.0
    stack, top, waiting = np.empty(n, np.int64), 0, np.zeros(n, np.bool_)
    for node in range(n - 1, -1, -1):
        stack[top], waiting[node] = node, True
        top += 1
    while top:
        top -= 1
        v = stack[top]
        waiting[v] = False
        width = offsets[v + 1] - offsets[v]
        if not keep[v] or not (free[v] or width == 1) or (degree[v] > 2 and width > 1):
            continue
        if degree[v] == 2 and width > 1:
            a, b = head[v], after[head[v]]
            na, nb = (other if a % 2 == 0 else one)[a // 2], (other if b % 2 == 0 else one)[b // 2]
            ka, kb = offsets[na + 1] - offsets[na], offsets[nb + 1] - offsets[nb]
            if ka * kb > width * (ka + kb) or used + ka * kb > len(buffer) or count == most:
                continue
            gone[went, 1], gone[went, 2], gone[went, 3] = na, place[a // 2], a % 2 == 0
            gone[went, 4], gone[went, 5], gone[went, 6] = nb, place[b // 2], b % 2 == 0
            gone[went, 0] = v
            joined = _joined(na, nb, head, after, one, other)
            if joined < 0:
                joined, one[count], other[count], place[count] = count, na, nb, used
                buffer[used : used + ka * kb] = 0.0
                used += ka * kb
                _link(2 * count, na, head, degree, after, before)
                _link(2 * count + 1, nb, head, degree, after, before)
                count += 1
            _minimise(v, width, a, b, ka, kb, na == one[joined], place, place[joined], offsets, costs, buffer)
            for half in (a, b):
                _unlink(half, v, head, degree, after, before)
                _unlink(half ^ 1, na if half == a else nb, head, degree, after, before)
                place[half // 2] = -1
        elif degree[v] == 0:
            gone[went, 0] = v
            constant += costs[offsets[v] : offsets[v + 1]].min()
        else:
            # A leaf, or a node without a choice: into each of its neighbours.
            if width > 1:
                half = head[v]
                gone[went, 1] = (other if half % 2 == 0 else one)[half // 2]
                gone[went, 2], gone[went, 3] = place[half // 2], half % 2 == 0
            else:
                constant += costs[offsets[v]]
            gone[went, 0] = v
            while head[v] >= 0:
                half = head[v]
                w = (other if half % 2 == 0 else one)[half // 2]
                _fold(v, w, place[half // 2], half % 2 == 0, offsets, costs, buffer)
                _unlink(half, v, head, degree, after, before)
                _unlink(half ^ 1, w, head, degree, after, before)
                place[half // 2] = -1
                if not waiting[w]:
                    stack[top], waiting[w] = w, True
                    top += 1
            went += 1
            keep[v] = False
            continue
        went += 1
        keep[v] = False
        if gone[went - 1, 1] >= 0:
            for w in (gone[went - 1, 1], gone[went - 1, 4]):
                if not waiting[w]:
                    stack[top], waiting[w] = w, True
                    top += 1
    return (one, other, place, buffer[:used]), count, keep, gone[:went], constant


@jit
def _link(half: int, node: int, head: Int64, degree: Int64, after: Int64, before: Int64) -> None:
    after[half], before[half] = head[node], -1
    if head[node] >= 0:
        before[head[node]] = half
    head[node] = half
    degree[node] += 1


@jit
def _unlink(half: int, node: int, head: Int64, degree: Int64, after: Int64, before: Int64) -> None:
    if before[half] >= 0:
        after[before[half]] = after[half]
    else:
        head[node] = after[half]
    if after[half] >= 0:
        before[after[half]] = before[half]
    degree[node] -= 1


@jit
def _joined(a: int, b: int, head: Int64, after: Int64, one: Int64, other: Int64) -> int:
    """The edge between two nodes, or -1; walks along both lists at once, so that a hub costs no more than a leaf."""
    x, y = head[a], head[b]
    while x >= 0 and y >= 0:
        if (other[x // 2] if x % 2 == 0 else one[x // 2]) == b:
            return int(x // 2)
        if (other[y // 2] if y % 2 == 0 else one[y // 2]) == a:
            return int(y // 2)
        x, y = after[x], after[y]
    return -1


@jit
def _fold(v: int, w: int, at: int, row: bool, offsets: Int64, costs: Float64, buffer: Float64) -> None:
    """Add to each strategy of w the least that v costs beside it; a node without a choice has added its own cost."""
    width, columns = offsets[v + 1] - offsets[v], offsets[w + 1] - offsets[w]
    for j in range(columns):
        best = np.inf
        for i in range(width):
            entry = buffer[at + (i * columns + j if row else j * width + i)]
            best = min(best, entry + (costs[offsets[v] + i] if width > 1 else 0.0))
        costs[offsets[w] + j] += best


@jit
def _minimise(
    v: int, width: int, a: int, b: int, ka: int, kb: int, straight: bool, place: Int64, to: int, offsets: Int64,
    costs: Float64, buffer: Float64,
) -> None:  # fmt: skip
    at_a, at_b = place[a // 2], place[b // 2]
    for i in range(ka):
        for j in range(kb):
            best = np.inf
            for s in range(width):
                left = buffer[at_a + (s * ka + i if a % 2 == 0 else i * width + s)]
                right = buffer[at_b + (s * kb + j if b % 2 == 0 else j * width + s)]
                best = min(best, left + right + costs[offsets[v] + s])
            buffer[to + (i * kb + j if straight else j * ka + i)] += best


@jit
def restore(kept: Int64, gone: Int64, offsets: Int64, costs: Float64, tables: Float64) -> None:
    """Fill `kept` for the nodes that are gone, last gone first, each at its best beside its neighbours then."""
    for step in range(len(gone) - 1, -1, -1):
        v = gone[step, 0]
        width, best = offsets[v + 1] - offsets[v], np.inf
        for s in range(width):
            value = costs[offsets[v] + s]
            for part in (1, 4):
                w = gone[step, part]
                if w >= 0:
                    columns = offsets[w + 1] - offsets[w]
                    place = s * columns + kept[w] if gone[step, part + 2] else kept[w] * width + s
                    value += tables[gone[step, part + 1] + place]
            if value < best:
                best, kept[v] = value, s
