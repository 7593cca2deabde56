"""What a subgraph takes at a granularity, in closed form; and the best granularity of one.

A subgraph's tiles, w wide and h high, cover its result. Every tensor in it is cut to match: the result and whatever a
pointwise operator joins to it into tiles; a MatMul that makes a tile walks along its inner dimension in steps of k, so
that its left input is cut k by h and its right one w by k; what makes such a slice within the subgraph makes it whole,
along the full inner dimension. Inputs that no operator of the subgraph makes are moved in, slice by slice, unless they
are resident; of its products only those that are needed later are moved out. A slice that stays the same from one step
to the next is not moved again; in the default order (none stated) the fast memory is flushed between tiles, as the
specification's example 4 A has it. Each step takes the longer of its arithmetic and its traffic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import jit
from unseat.tasks.graphsched.engine.problem import Problem

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]

LEAST = 16
"""The smallest side of a granularity that is looked at."""

# How a dimension of a slice is cut: by the tile's width or height, by the step along the inner dimension, or not.
BY_W, BY_H, BY_K, WHOLE = range(4)
FLUSHED, ROWS, COLUMNS, RASTER = range(4)
"""Orders of tiles: none stated, snake along rows, snake along columns, rows from left to right."""


class BadSubgraph(Exception):
    """These operators make no subgraph; the message says why."""


@dataclass(frozen=True)
class Shape:
    """A subgraph as the closed form needs it.

    Attributes:
        width, height: Of the results' grid.
        inner: The inner dimension that is walked in steps; 1 without a MatMul that makes tiles.
        tensors: Boundary tensors.
        slices: Of each: how width and height are cut, both sizes, whether it comes in, and whether it goes out
            (int64 [tensors, 6]).
        work: Of each operator: how its output is cut, both sizes, its cost, and whether it walks (int64 [ops, 6]).
    """

    width: int
    height: int
    inner: int
    tensors: tuple[int, ...]
    slices: Int64
    work: Int64


def shaped(problem: Problem, ops: frozenset[int], needed: frozenset[int]) -> Shape:
    """Cut the tensors of a subgraph.

    Args:
        problem: The problem.
        ops: The subgraph's operators.
        needed: Tensors made in it that must be there afterwards.

    Raises:
        BadSubgraph: Its results have unlike shapes, two slices of one tensor differ, or a part that is only there slice
            by slice is needed afterwards.
    """
    made = {problem.outputs[op]: op for op in ops}
    inside = {tensor for op in ops for tensor in problem.inputs[op] if tensor in made}
    sinks = sorted(set(made) - inside)
    if not set(sinks) <= needed:
        raise BadSubgraph("an operator is in it whose result nobody needs")
    width, height = problem.widths[sinks[0]], problem.heights[sinks[0]]
    cuts: dict[int, tuple[int, int]] = {}

    def cut(tensor: int, how: tuple[int, int]) -> None:
        if cuts.setdefault(tensor, how) != how:
            raise BadSubgraph(f"tensor {tensor} would be cut in two ways")

    for tensor in sinks:
        if (problem.widths[tensor], problem.heights[tensor]) != (width, height):
            raise BadSubgraph(f"its results {sinks[0]} and {tensor} have unlike shapes")
        cut(tensor, (BY_W, BY_H))
    inner, work = 1, []
    for op in reversed([op for op in problem.order if op in ops]):
        output = problem.outputs[op]
        how = cuts[output]
        walks = problem.matmul[op] and how == (BY_W, BY_H)
        work.append((*how, problem.widths[output], problem.heights[output], problem.costs[op], int(walks)))
        if walks:
            if inner not in (1, problem.reduction(op)):
                raise BadSubgraph("two of its MatMuls have unlike inner dimensions")
            inner = problem.reduction(op)
        if problem.matmul[op]:
            step = BY_K if walks else WHOLE
            cut(problem.inputs[op][0], (step, how[1]))
            cut(problem.inputs[op][1], (how[0], step))
        else:
            for tensor in problem.inputs[op]:
                cut(tensor, how)
    out = needed & set(made)
    if any(cuts[tensor] != (BY_W, BY_H) or (problem.widths[tensor], problem.heights[tensor]) != (width, height)
           for tensor in out):  # fmt: skip
        raise BadSubgraph("a tensor is needed afterwards of which it never holds a tile")
    boundary = tuple(sorted((set(cuts) - set(made)) | out))
    slices = [(*cuts[one], problem.widths[one], problem.heights[one], int(one not in made), int(one in out))
              for one in boundary]  # fmt: skip
    return Shape(width, height, inner, boundary, np.array(slices, np.int64).reshape(-1, 6),
                 np.array(work, np.int64).reshape(-1, 6))  # fmt: skip


@jit
def _slice(how: int, size: int, w: int, h: int, k: int) -> int:
    if how == 0:
        return min(w, size)
    if how == 1:
        return min(h, size)
    return min(k, size) if how == 2 else size


ALL = 8
"""A tile before which the fast memory is empty."""


@jit
def latency(
    slices: Int64, work: Int64, resident: NDArray[np.bool_], kept: NDArray[np.bool_], extra_out: float,
    extra_space: int, inner: int, w: int, h: int, k: int, tiles: Int64, last: int, machine: Int64,
) -> float:  # fmt: skip
    """What the subgraph takes; infinite where its slices do not fit into the fast memory.

    Args:
        slices, work, inner: See `Shape`.
        resident: Boundary tensors that are in the fast memory already.
        kept: Boundary tensors that stay in it, whole.
        extra_out: Elements of other tensors that are moved out with the last step.
        extra_space: Elements of other tensors that are held meanwhile.
        w, h, k: The granularity.
        tiles: How many tiles are entered with what new: nothing but the column (1), the row (2), both (3), all (8).
        last: What is new at the last tile.
        machine: Capacity, bandwidth, native width and height.
    """
    steps = -(-inner // k)
    space, tile_out = extra_space, 0
    # Elements to be moved in at a step where the column (1), the row (2) or the place along the inner dimension (4) is
    # new, or all (8).
    moved = np.zeros(9)
    for at in range(len(slices)):
        cut_w, cut_h = slices[at, 0], slices[at, 1]
        size = _slice(cut_w, slices[at, 2], w, h, k) * _slice(cut_h, slices[at, 3], w, h, k)
        space += slices[at, 2] * slices[at, 3] if resident[at] or kept[at] else size
        if space > machine[0]:
            return np.inf
        if slices[at, 4] and not resident[at]:
            by = int(cut_w == 0 or cut_h == 0) + 2 * int(cut_w == 1 or cut_h == 1) + 4 * int(cut_w == 2 or cut_h == 2)
            moved[8] += size
            for new in range(1, 8):
                if by & new:
                    moved[new] += size
        if slices[at, 5] and not kept[at]:
            tile_out += size
    finish, walk = 0.0, 0.0
    for op in range(len(work)):
        cost = float(work[op, 4])
        for side in range(2):
            how = work[op, side]
            cut, native = _slice(how, work[op, 2 + side], w, h, k), machine[2 + side]
            # Along the inner dimension a slice is part of a whole that is made in full; elsewhere a tile is padded.
            cost *= cut / native if how == 2 else -(-cut // native)
        if work[op, 5]:
            cost *= min(k, inner) / inner
        finish += cost
        # A pointwise operator on a finished tile runs once, with the last step.
        if work[op, 5] or work[op, 0] > 1 or work[op, 1] > 1:
            walk += cost
    total = 0.0
    for new in (1, 2, 3, 8):
        if tiles[new]:
            came = moved[8] if new == 8 else moved[new | 4 if steps > 1 else new]
            total += tiles[new] * _tile(came, moved[4], tile_out, walk, finish, steps, machine[1])
    if extra_out > 0:
        came = moved[8] if last == 8 else moved[last]
        traffic = tile_out + (moved[4] if steps > 1 else came)
        total += max(finish, (traffic + extra_out) / machine[1]) - max(finish, traffic / machine[1])
    return total


@jit
def _tile(came: float, more: float, out: float, walk: float, finish: float, steps: int, bandwidth: int) -> float:
    """One tile: its first step, those along the inner dimension, and the last with which it moves out."""
    if steps == 1:
        return max(finish, (came + out) / bandwidth)
    between = (steps - 2) * max(walk, more / bandwidth)
    return max(walk, came / bandwidth) + between + max(finish, (more + out) / bandwidth)


@jit
def entered(order: int, rows: int, columns: int, tiles: Int64) -> int:
    """Fill `tiles` of `latency` for an order by its number; gives what is new at the last tile."""
    tiles[:] = 0
    every = rows * columns
    if order == 0:
        tiles[8] = every
        return 8
    tiles[8] = 1
    if order == 2:
        tiles[2], tiles[1] = every - columns, columns - 1
        return 8 if every == 1 else (2 if rows > 1 else 1)
    tiles[1] = every - rows
    tiles[2 if order == 1 or columns == 1 else 3] = rows - 1
    return 8 if every == 1 else (1 if columns > 1 else 2)


@jit
def best(
    slices: Int64, work: Int64, resident: NDArray[np.bool_], kept: NDArray[np.bool_], extra_out: float,
    extra_space: int, width: int, height: int, inner: int, least: int, machine: Int64,
) -> tuple[float, int, int, int, int]:  # fmt: skip
    """The best granularity and order of tiles: what it takes, w, h, k, order; sizes are halves of halves."""
    tiles = np.zeros(9, np.int64)
    found, best_w, best_h, best_k, best_order = np.inf, width, height, inner, 0
    w = width
    while True:
        h = height
        while True:
            columns, rows = -(-width // w), -(-height // h)
            k = inner
            while True:
                for order in range(3 if rows * columns > 1 else 1):
                    last = entered(order, rows, columns, tiles)
                    took = latency(slices, work, resident, kept, extra_out, extra_space, inner, w, h, k, tiles, last,
                                   machine)  # fmt: skip
                    if took == np.inf:
                        break
                    if took < found:
                        found, best_w, best_h, best_k, best_order = took, w, h, k, order
                if k <= least:
                    break
                k = -(-k // 2)
            if h <= least:
                break
            h = -(-h // 2)
        if w <= least:
            break
        w = -(-w // 2)
    return found, best_w, best_h, best_k, best_order
