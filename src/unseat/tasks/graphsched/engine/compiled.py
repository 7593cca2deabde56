"""What a whole schedule takes, compiled: the same as `schedule.Evaluator.total`, for searches that ask very often.

A schedule is an array of rows, one a step, of sets as words of bits: its operators, what stays afterwards, the tensors
that its operators make, and those that they read. What a step takes depends on its operators, on what of it is needed
later, on what is in the fast memory already and what stays; a table remembers it, since most steps of a changed
schedule are those of the one before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import inlined, jit
from unseat.tasks.graphsched.engine.latency import BY_H, BY_K, BY_W, LEAST, WHOLE, Float64, Int64, best
from unseat.tasks.graphsched.engine.problem import Problem
from unseat.tasks.graphsched.engine.schedule import Step

BITS = 62
"""Bits of a word: none near the sign, on which shifts would differ."""

KNOWN, SLOW, RESIDENT, NEEDED, COME, STAY = range(6)
"""Sets of tensors that are made, that the slow memory has, the fast one has, are made for later, come in, stay."""

SLOTS = 1 << 16
"""Steps that the table remembers, about; a power of two."""


class Graph(NamedTuple):
    """A problem as arrays.

    Attributes:
        width, height, size: int64 [tensors].
        producer: int64 [tensors], -1 of what is given.
        inputs: int64 [operators, most], -1 where there are fewer.
        output, cost, inner: int64 [operators].
        matmul: bool [operators].
        order: int64 [operators], each after those it reads from.
        near_at, near: Operators that each one reads from or that read it: from ``near_at[op]`` to ``near_at[op + 1]``.
        makes, uses: int64 [operators, words], sets of tensors.
        results, given: int64 [words], sets of tensors.
        everything: int64 [words], the set of all operators.
        machine: int64 [4]: capacity, bandwidth, native width and height.
    """

    width: Int64
    height: Int64
    size: Int64
    producer: Int64
    inputs: Int64
    output: Int64
    cost: Int64
    inner: Int64
    matmul: NDArray[np.bool_]
    order: Int64
    near_at: Int64
    near: Int64
    makes: Int64
    uses: Int64
    results: Int64
    given: Int64
    everything: Int64
    machine: Int64


class Memory(NamedTuple):
    """What `total` works in and remembers.

    Attributes:
        keys: int64 [slots, 2], two hashes of a step; zero where there is none.
        took: float64 [slots].
        counts: int64 [2]: steps that are in the table, and steps that were worked out.
        later: int64 [steps, words]: what is read after each step.
        sets: int64 [6, words]: `KNOWN` and others.
        cuts: int64 [2, tensors].
        slices: int64 [tensors, 6], and work: int64 [operators, 6]; see `latency.Shape`.
        masks: bool [2, tensors].
    """

    keys: Int64
    took: Float64
    counts: Int64
    later: Int64
    sets: Int64
    cuts: Int64
    slices: Int64
    work: Int64
    masks: NDArray[np.bool_]


def bits(members: Iterable[int], words: int) -> Int64:
    """A set as words of bits."""
    found = np.zeros(words, np.int64)
    for one in members:
        found[one // BITS] |= 1 << one % BITS
    return found


def words_of(count: int) -> int:
    """Words that a set of that many possible members takes."""
    return -(-count // BITS)


def graph_of(problem: Problem) -> Graph:
    """A problem as arrays."""
    tensors, operators = len(problem.widths), problem.operators
    words = words_of(tensors)
    inputs = np.full((operators, max(map(len, problem.inputs))), -1, np.int64)
    near: list[list[int]] = []
    for op, read in enumerate(problem.inputs):
        inputs[op, : len(read)] = read
        made_by = [problem.producer[one] for one in read if one in problem.producer]
        near.append([*made_by, *problem.readers.get(problem.outputs[op], ())])
    makers = [problem.producer.get(one, -1) for one in range(tensors)]

    def array(values: Iterable[int]) -> Int64:
        return np.array(list(values), np.int64)

    return Graph(
        width=array(problem.widths), height=array(problem.heights), size=array(problem.size), producer=array(makers),
        inputs=inputs, output=array(problem.outputs), cost=array(problem.costs),
        inner=array(problem.reduction(op) for op in range(operators)), matmul=np.array(problem.matmul, np.bool_),
        order=array(problem.order), near_at=array([0, *accumulate(map(len, near))]),
        near=array(one for ops in near for one in ops),
        makes=np.array([bits([one], words) for one in problem.outputs]),
        uses=np.array([bits(read, words) for read in problem.inputs]), results=bits(problem.results, words),
        given=bits(set(range(tensors)) - set(problem.outputs), words),
        everything=bits(range(operators), words_of(operators)),
        machine=array([problem.capacity, problem.bandwidth, *problem.native]),
    )  # fmt: skip


def memory_of(graph: Graph, most: int, slots: int = SLOTS) -> Memory:
    """Room for schedules of at most `most` steps."""
    tensors, operators, words = len(graph.size), len(graph.output), len(graph.results)
    return Memory(
        np.zeros((slots, 2), np.int64), np.zeros(slots), np.zeros(2, np.int64), np.zeros((most + 1, words), np.int64),
        np.zeros((6, words), np.int64), np.zeros((2, tensors), np.int64), np.zeros((tensors, 6), np.int64),
        np.zeros((operators, 6), np.int64), np.zeros((2, tensors), np.bool_),
    )  # fmt: skip


def rows_of(graph: Graph, steps: Sequence[Step], most: int) -> Int64:
    """A schedule as rows, with room for more; granularities are left to be chosen."""
    first, words = len(graph.everything), len(graph.results)
    rows = np.zeros((most, first + 3 * words), np.int64)
    for at, step in enumerate(steps):
        rows[at, :first] = bits(step.ops, first)
        rows[at, first : first + words] = bits(step.keep, words)
        gather(graph, rows, at)
    return rows


def steps_of(graph: Graph, rows: Int64, count: int) -> list[Step]:
    """Rows as a schedule."""
    first, words = len(graph.everything), len(graph.results)

    def members(row: Int64, most: int) -> frozenset[int]:
        return frozenset(one for one in range(most) if int(row[one // BITS]) >> one % BITS & 1)

    return [Step(members(row[:first], len(graph.output)), members(row[first : first + words], len(graph.size)))
            for row in rows[:count]]  # fmt: skip


@inlined
def has(rows: Int64, at: int, begin: int, one: int) -> bool:
    """Whether a set that begins at a word of a row has a member."""
    # A view of the row would count references, which takes longer than to look.
    return bool((rows[at, begin + one // BITS] >> (one % BITS)) & 1)


@jit
def gather(graph: Graph, rows: Int64, at: int) -> None:
    """Work out what a row's operators make and read."""
    made, used = graph.makes, graph.uses
    first, words = graph.everything.shape[0], made.shape[1]
    makes, uses = first + words, first + 2 * words
    for w in range(makes, uses + words):
        rows[at, w] = 0
    for op in range(made.shape[0]):
        if has(rows, at, 0, op):
            for w in range(words):
                rows[at, makes + w] |= made[op, w]
                rows[at, uses + w] |= used[op, w]


@jit
def total(graph: Graph, rows: Int64, count: int, memory: Memory) -> float:
    """What a schedule takes, each step at its best granularity; infinite where it is none."""
    # Each access to a part of a tuple counts references, so all are taken out once.
    everything, results, given, size = graph.everything, graph.results, graph.given, graph.size
    keys, table, later, sets = memory.keys, memory.took, memory.later, memory.sets
    first, words = everything.shape[0], results.shape[0]
    keeps, makes, uses = first, first + words, first + 2 * words
    for w in range(first):
        there = 0
        for at in range(count):
            there |= rows[at, w]
        if there != everything[w]:
            return np.inf
    for w in range(words):
        later[count - 1, w] = sets[KNOWN, w] = sets[RESIDENT, w] = 0
        sets[SLOW, w] = given[w]
        for at in range(count - 1, 0, -1):
            later[at - 1, w] = later[at, w] | (rows[at, uses + w] & ~rows[at, makes + w])
    took = 0.0
    for at in range(count):
        extra, space = 0, 0
        for w in range(words):
            made, keep = rows[at, makes + w], rows[at, keeps + w]
            slow, resident = sets[SLOW, w], sets[RESIDENT, w]
            reads = rows[at, uses + w] & ~made
            awaited = later[at, w] | results[w]
            needed = made & ~sets[KNOWN, w] & awaited
            boundary = reads | needed
            if (reads & ~slow & ~resident) | (keep & ~resident & ~boundary):
                return np.inf
            lost = resident & ~keep & ~slow & awaited
            extra += elements(lost, w, size)
            space += elements((resident | keep) & ~boundary, w, size)
            sets[NEEDED, w], sets[COME, w], sets[STAY, w] = needed, resident & boundary, keep & boundary
            sets[SLOW, w] = slow | lost | (needed & ~keep)
            sets[KNOWN, w] |= needed
            sets[RESIDENT, w] = keep
        one, other = hashed(rows, at, sets, extra, space, first, words)
        slot = found(keys, one, other)
        if keys[slot, 0]:
            value = table[slot]
        else:
            value = measured(graph, rows, at, extra, space, memory)
            note(memory, slot, one, other, value)
        if value == np.inf:
            return np.inf
        took += value
    for w in range(words):
        if results[w] & ~sets[SLOW, w]:
            return np.inf
    return took


@inlined
def elements(members: int, word: int, size: Int64) -> int:
    """Elements of the tensors in one word of a set."""
    found, one = 0, word * BITS
    while members:
        if members & 1:
            found += int(size[one])
        members >>= 1
        one += 1
    return found


@inlined
def mixed(hashed: int, word: int) -> int:
    """A hash with one more word in it, by Fibonacci hashing."""
    hashed = (hashed ^ word) * -7046029254386353131
    return hashed ^ (hashed >> 29)


@inlined
def hashed(rows: Int64, at: int, sets: Int64, extra: int, space: int, first: int, words: int) -> tuple[int, int]:
    """Two hashes of all that a step's time depends on; the first is not zero."""
    one, other = mixed(1, extra), mixed(2, space)
    for w in range(first):
        one, other = mixed(one, rows[at, w]), mixed(other, rows[at, w])
    for kind in range(NEEDED, STAY + 1):
        for w in range(words):
            one, other = mixed(one, sets[kind, w]), mixed(other, sets[kind, w])
    return mixed(one, space) | 1, mixed(other, extra)


@inlined
def found(keys: Int64, one: int, other: int) -> int:
    """Where a step is in the table, or would be; open addressing."""
    last = keys.shape[0] - 1
    slot = one & last
    while keys[slot, 0] and (keys[slot, 0] != one or keys[slot, 1] != other):
        slot = (slot + 1) & last
    return int(slot)


@jit
def note(memory: Memory, slot: int, one: int, other: int, took: float) -> None:
    """Remember a step; a table that is half full is emptied first."""
    slots = memory.took.shape[0]
    if 2 * memory.counts[0] >= slots:
        memory.keys[:] = 0
        memory.counts[0] = 0
        slot = one & (slots - 1)
    memory.keys[slot, 0], memory.keys[slot, 1], memory.took[slot] = one, other, took
    memory.counts[0] += 1
    memory.counts[1] += 1


@jit
def measured(graph: Graph, rows: Int64, at: int, extra: int, space: int, memory: Memory) -> float:
    """What a step takes at its best granularity; infinite where `latency.shaped` would refuse it."""
    words, tensors = graph.results.shape[0], graph.size.shape[0]
    makes, uses = graph.everything.shape[0] + words, graph.everything.shape[0] + 2 * words
    sets, cuts, slices, work = memory.sets, memory.cuts, memory.slices, memory.work
    widths, heights, inputs = graph.width, graph.height, graph.inputs
    width, height = -1, -1
    cuts[:] = -1
    for tensor in range(tensors):
        if not has(rows, at, makes, tensor) or has(rows, at, uses, tensor):
            continue
        if not has(sets, NEEDED, 0, tensor):
            return np.inf
        if width < 0:
            width, height = widths[tensor], heights[tensor]
        if widths[tensor] != width or heights[tensor] != height:
            return np.inf
        cuts[0, tensor], cuts[1, tensor] = BY_W, BY_H
    inner, ops = 1, 0
    for place in range(graph.order.shape[0] - 1, -1, -1):
        op = graph.order[place]
        if not has(rows, at, 0, op):
            continue
        output = graph.output[op]
        how_w, how_h = cuts[0, output], cuts[1, output]
        walks = graph.matmul[op] and how_w == BY_W and how_h == BY_H
        work[ops, 0], work[ops, 1], work[ops, 2] = how_w, how_h, widths[output]
        work[ops, 3], work[ops, 4], work[ops, 5] = heights[output], graph.cost[op], walks
        ops += 1
        if walks:
            if inner not in (1, graph.inner[op]):
                return np.inf
            inner = graph.inner[op]
        step = BY_K if walks else WHOLE
        for side in range(inputs.shape[1]):
            tensor = inputs[op, side]
            if tensor < 0:
                break
            new_w = step if graph.matmul[op] and side == 0 else how_w
            new_h = step if graph.matmul[op] and side == 1 else how_h
            if cuts[0, tensor] >= 0 and (cuts[0, tensor] != new_w or cuts[1, tensor] != new_h):
                return np.inf
            cuts[0, tensor], cuts[1, tensor] = new_w, new_h
    found = 0
    for tensor in range(tensors):
        made, out = has(rows, at, makes, tensor), has(sets, NEEDED, 0, tensor)
        if out and (cuts[0, tensor] != BY_W or cuts[1, tensor] != BY_H or widths[tensor] != width
                    or heights[tensor] != height):  # fmt: skip
            return np.inf
        if out or (cuts[0, tensor] >= 0 and not made):
            slices[found, 0], slices[found, 1] = cuts[0, tensor], cuts[1, tensor]
            slices[found, 2], slices[found, 3] = widths[tensor], heights[tensor]
            slices[found, 4], slices[found, 5] = not made, out
            memory.masks[0, found], memory.masks[1, found] = has(sets, COME, 0, tensor), has(sets, STAY, 0, tensor)
            found += 1
    return best(slices[:found], work[:ops], memory.masks[0, :found], memory.masks[1, :found], float(extra), space,
                width, height, inner, LEAST, graph.machine)[0]  # fmt: skip
