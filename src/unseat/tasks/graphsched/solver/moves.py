"""Moves of a search over schedules, on rows of `engine.compiled`: each writes a changed schedule beside the old one."""

from __future__ import annotations

import numpy as np

from unseat.core.jit import jit
from unseat.tasks.graphsched.engine.compiled import BITS, Graph, gather, has
from unseat.tasks.graphsched.engine.latency import Int64

MOVES = ("merge", "split", "shift", "swap", "keep", "recompute", "pull")
"""In the order of their numbers:

* two steps that follow each other become one;
* a step becomes two, cut somewhere along the order of operators;
* an operator moves to the step before or after its own;
* a step moves to another place, and nothing stays in fast memory after it;
* a tensor that the next step reads stays in fast memory, or does so no longer;
* what makes an input of a step is computed in it too, or an operator that runs twice leaves a step;
* an operator joins the step of one that reads it or that it reads, wherever that is.
"""

RECOMPUTED = 0.6
"""How often what could be computed in a step too is, where something could."""


@jit
def below(rng: np.random.Generator, count: int) -> int:
    """A number from 0 to `count` - 1."""
    return min(int(rng.random() * count), count - 1)


@jit
def members(rows: Int64, at: int, most: int) -> int:
    """How many of so many operators a step has."""
    found = 0
    for one in range(most):
        found += has(rows, at, 0, one)
    return found


@jit
def member(rows: Int64, at: int, number: int) -> int:
    """The operator of a step with that number, in ascending order."""
    one = -1
    while number >= 0:
        one += 1
        number -= has(rows, at, 0, one)
    return one


@jit
def flip(rows: Int64, at: int, begin: int, one: int) -> None:
    """Put a member into a set, or take it out."""
    rows[at, begin + one // BITS] ^= 1 << (one % BITS)


@jit
def without(rows: Int64, at: int, count: int) -> int:
    """Drop a row; how many are left."""
    for place in range(at, count - 1):
        rows[place] = rows[place + 1]
    return count - 1


@jit
def holder(rows: Int64, count: int, op: int) -> int:
    """The first step with an operator."""
    for at in range(count):
        if has(rows, at, 0, op):
            return at
    return -1


@jit
def put(graph: Graph, rows: Int64, count: int, op: int, at: int, to: int) -> int:
    """Move an operator from one step to another, in which it may be already; how many steps are left."""
    if not has(rows, to, 0, op):
        flip(rows, to, 0, op)
    flip(rows, at, 0, op)
    gather(graph, rows, to)
    if members(rows, at, graph.output.shape[0]) == 0:
        return without(rows, at, count)
    gather(graph, rows, at)
    return count


@jit
def moved(kind: int, graph: Graph, rows: Int64, count: int, found: Int64, rng: np.random.Generator) -> int:
    """Write a changed schedule to `found`; how many steps it has, or -1 where that move is none here."""
    first, words = graph.everything.shape[0], graph.results.shape[0]
    if count < 2 and kind not in (1, 5):
        return -1
    for at in range(count):
        for w in range(rows.shape[1]):
            found[at, w] = rows[at, w]
    if kind == 0:
        return merged(found, count, below(rng, count - 1), first, words)
    if kind == 1:
        return split(graph, found, count, rng)
    if kind == 2:
        at = below(rng, count)
        to = at + (1 if rng.random() < 0.5 else -1)
        if to < 0 or to >= count:
            to = 2 * at - to
        op = member(rows, at, below(rng, members(rows, at, graph.output.shape[0])))
        return put(graph, found, count, op, at, to)
    if kind == 3:
        at, to = below(rng, count), below(rng, count)
        if at == to:
            return -1
        for place in range(at, to):
            found[place] = rows[place + 1]
        for place in range(at, to, -1):
            found[place] = rows[place - 1]
        found[to] = rows[at]
        found[to, first : first + words] = 0
        return count
    if kind == 4:
        return kept(graph, found, count, rng)
    if kind == 5:
        return recomputed(graph, found, count, rng)
    op = below(rng, graph.output.shape[0])
    near = graph.near_at[op + 1] - graph.near_at[op]
    if near == 0:
        return -1
    at = holder(rows, count, op)
    to = holder(rows, count, graph.near[graph.near_at[op] + below(rng, near)])
    return -1 if at < 0 or to < 0 or at == to else put(graph, found, count, op, at, to)


@jit
def merged(rows: Int64, count: int, at: int, first: int, words: int) -> int:
    """Join a step to the next one."""
    for w in range(rows.shape[1]):
        if not first <= w < first + words:
            rows[at + 1, w] |= rows[at, w]
    return without(rows, at, count)


@jit
def split(graph: Graph, rows: Int64, count: int, rng: np.random.Generator) -> int:
    """Cut a step in two along the order of operators."""
    at = below(rng, count)
    size = members(rows, at, graph.output.shape[0])
    if size < 2 or count == rows.shape[0]:
        return -1
    for place in range(count, at, -1):
        rows[place] = rows[place - 1]
    rows[at] = 0
    left = 1 + below(rng, size - 1)
    for op in graph.order:
        if left and has(rows, at + 1, 0, op):
            flip(rows, at + 1, 0, op)
            flip(rows, at, 0, op)
            left -= 1
    gather(graph, rows, at)
    gather(graph, rows, at + 1)
    return count + 1


@jit
def kept(graph: Graph, rows: Int64, count: int, rng: np.random.Generator) -> int:
    """Let a tensor stay after a step, or no longer."""
    first, words = graph.everything.shape[0], graph.results.shape[0]
    makes, uses = first + words, first + 2 * words
    at, able, chosen, size, capacity = below(rng, count - 1), 0, -1, graph.size, graph.machine[0]
    for tensor in range(size.shape[0]):
        here = has(rows, at, makes, tensor) or has(rows, at, uses, tensor)
        could = (here and has(rows, at + 1, uses, tensor)) or has(rows, at, first, tensor)
        if could and size[tensor] <= capacity:
            able += 1
            # Of those seen so far each is chosen with the same chance.
            if rng.random() * able < 1:
                chosen = tensor
    if chosen < 0:
        return -1
    flip(rows, at, first, chosen)
    return count


@jit
def recomputed(graph: Graph, rows: Int64, count: int, rng: np.random.Generator) -> int:
    """Let a step compute an input of its own, or leave what another one computes too."""
    first, words = graph.everything.shape[0], graph.results.shape[0]
    makes, uses = first + words, first + 2 * words
    at, able, chosen, producer = below(rng, count), 0, -1, graph.producer
    for tensor in range(producer.shape[0]):
        if has(rows, at, uses, tensor) and not has(rows, at, makes, tensor) and producer[tensor] >= 0:
            able += 1
            if rng.random() * able < 1:
                chosen = producer[tensor]
    if chosen < 0 or rng.random() >= RECOMPUTED:
        able, chosen = 0, -1
        for op in range(graph.output.shape[0]):
            if has(rows, at, 0, op):
                for other in range(count):
                    if other != at and has(rows, other, 0, op):
                        able += 1
                        if rng.random() * able < 1:
                            chosen = op
                        break
        if chosen < 0 or members(rows, at, graph.output.shape[0]) < 2:
            return -1
    flip(rows, at, 0, chosen)
    gather(graph, rows, at)
    return count
