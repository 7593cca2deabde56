"""Heuristics: what one writes first, and what a compiler ships."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import jit
from unseat.core.policy import View
from unseat.tasks.shard.engine.problem import NO_LIMIT, Int64, Problem
from unseat.tasks.shard.solver.blocks import State, draw
from unseat.tasks.shard.solver.dual import Pieces
from unseat.tasks.shard.solver.graph import Graph
from unseat.tasks.shard.solver.presolve import FORBIDDEN, reduced

Float64 = NDArray[np.float64]
_MOVES = 200_000


def best_by(problem: Problem, *keys: Int64) -> Int64:
    """Each node's strategy that is least by the first key, then by the next (int64 [nodes])."""
    owner = np.repeat(np.arange(problem.nodes), np.diff(problem.offsets))
    order = np.lexsort((*reversed(keys), owner))
    return order[problem.offsets[:-1]] - problem.offsets[:-1]


def cheapest(problem: Problem, view: View, seed: int) -> Int64:
    """The cheapest strategy of each node by itself, then repaired."""
    return repaired(problem, best_by(problem, problem.costs, problem.usages))


def least_memory(problem: Problem, view: View, seed: int) -> Int64:
    """The strategy of each node that uses least; it keeps any limit that can be kept."""
    return best_by(problem, problem.usages, problem.costs)


def greedy(problem: Problem, view: View, seed: int) -> Int64:
    """Nodes in order, each at what is cheapest beside the neighbours before it, then repaired."""
    ends = problem.edges.T.ravel()
    order = np.argsort(ends, kind="stable")
    at = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.bincount(ends, minlength=problem.nodes))])
    chosen = _greedy(problem.offsets, problem.costs, problem.edges, problem.edge_offsets, problem.edge_costs, order, at)
    return repaired(problem, chosen)


@jit
def _greedy(
    offsets: Int64, costs: Int64, edges: Int64, table_at: Int64, table: Int64, order: Int64, at: Int64
) -> Int64:
    n, m = len(offsets) - 1, len(edges)
    chosen = np.zeros(n, np.int64)
    for v in range(n):
        width = offsets[v + 1] - offsets[v]
        own = costs[offsets[v] : offsets[v + 1]].astype(np.float64)
        for half in order[at[v] : at[v + 1]]:
            edge, row = half % m, half < m
            u = edges[edge, 1 if row else 0]
            if u < v:
                columns = offsets[u + 1] - offsets[u]
                for i in range(width):
                    own[i] += table[table_at[edge] + (i * columns + chosen[u] if row else chosen[u] * width + i)]
        chosen[v] = np.argmin(own)
    return chosen


def repaired(problem: Problem, chosen: Int64) -> Int64:
    """Where the limit is passed, the live nodes that save memory at least cost a byte use less, until it is kept."""
    if problem.limit == NO_LIMIT:
        return chosen
    chosen, least = chosen.copy(), best_by(problem, problem.usages, problem.costs)
    base = problem.offsets[:-1]
    while True:
        times, used = problem.profile(chosen)
        worst = int(np.argmax(np.array([min(one, 2**62) for one in used], np.int64))) if used else 0
        if not used or used[worst] <= problem.limit:
            return chosen
        live = (problem.intervals[:, 0] <= times[worst]) & (times[worst] < problem.intervals[:, 1])
        saves = problem.usages[base + chosen] - problem.usages[base + least]
        able = np.flatnonzero(live & (saves > 0))
        extra = problem.costs[base[able] + least[able]] - problem.costs[base[able] + chosen[able]]
        able = able[np.argsort(extra / saves[able], kind="stable")]
        enough = int(np.searchsorted(np.cumsum(saves[able].astype(np.float64)), used[worst] - problem.limit)) + 1
        chosen[able[:enough]] = least[able[:enough]]


def annealing(problem: Problem, view: View, seed: int) -> None:
    """One node at a time (S. Kirkpatrick et al., "Optimization by simulated annealing", Science 220, 1983).

    Begins from least memory; a move that passes the limit is not made. The temperature falls from the mean cost of a
    node to a thousandth of it.
    """
    from unseat.tasks.shard.policies import SECONDS, ends
    from unseat.tasks.shard.solver.search import Clock

    reduction = reduced(problem, contract=False)
    graph = reduction.graph
    start = reduction.restrict(least_memory(problem, view, seed))
    view.report(reduction.expand(start))
    if not graph.nodes:
        return
    until = ends(view)
    clock = Clock(SECONDS if until is None else 1e9, until)
    state = State.of(graph, start, seed)
    if not np.isfinite(state.numbers[1]):
        return
    scale, told = min(abs(state.numbers[0]), graph.forbidden) / graph.nodes, np.inf
    began = time.monotonic()
    while (spent := clock.spent()) < 1:
        moved(graph, state, 20_000, scale * 1e-3**spent)
        if state.numbers[1] < told and (time.monotonic() > began + 0.1 or clock.spent() >= 1):
            told, began = float(state.numbers[1]), time.monotonic()
            view.report(reduction.expand(state.best))
    view.report(reduction.expand(state.best))


def moved(graph: Graph, state: State, count: int, temperature: float) -> None:
    """Try that many moves of single nodes."""
    _moves(count, temperature, graph.offsets, graph.memory, graph.arcs, graph.head, graph.table,
           graph.entries, state.chosen, state.local, state.slack, state.best, state.numbers,
           state.random)  # fmt: skip


@jit
def _moves(
    count: int, temperature: float, offsets: Int64, memory: Pieces, arcs: Int64, head: Int64, table: Int64,
    entries: Float64, chosen: Int64, local: Float64, slack: Float64, best: Int64, numbers: Float64,
    random: NDArray[np.uint64],
) -> None:  # fmt: skip
    """A move costs O(1) to refuse by its cost, O(live steps) by memory, and O(degree) to make."""
    pieces, uses, usages, first, last = memory
    n, dirty = len(offsets) - 1, False
    for _ in range(count):
        v = min(int(draw(random) * n), n - 1)
        width = offsets[v + 1] - offsets[v]
        new = min(int(draw(random) * width), width - 1)
        old = chosen[v]
        delta = local[offsets[v] + new] - local[offsets[v] + old]
        if new == old or (delta > 0 and delta > -temperature * np.log(draw(random))):
            continue
        tight = -1
        for piece in range(pieces[v], pieces[v + 1]):
            more, passed = usages[uses[piece] + new] - usages[uses[piece] + old], 0
            if more > 0:
                for step in range(first[piece], last[piece]):
                    passed += slack[step] < more
            if passed:
                tight = piece
                break
            if more != 0:
                for step in range(first[piece], last[piece]):
                    slack[step] -= more
        if tight >= 0:
            for piece in range(pieces[v], tight):
                more = usages[uses[piece] + new] - usages[uses[piece] + old]
                for step in range(first[piece], last[piece]):
                    slack[step] += more
            continue
        if dirty and delta > 0 and numbers[0] < numbers[1]:
            # Kept when it is left, so that a long fall is copied once.
            numbers[1], dirty = numbers[0], False
            best[:] = chosen
        for a in range(arcs[v], arcs[v + 1]):
            base, columns = offsets[head[a]], offsets[head[a] + 1] - offsets[head[a]]
            gets, loses = table[a] + new * columns, table[a] + old * columns
            for j in range(columns):
                local[base + j] += entries[gets + j] - entries[loses + j]
        chosen[v] = new
        numbers[0] += delta
        dirty = dirty or numbers[0] < numbers[1]
    if numbers[0] < numbers[1]:
        numbers[1] = numbers[0]
        best[:] = chosen


def ilp(problem: Problem, view: View, seed: int) -> None:
    """The integer program of Alpa (L. Zheng et al., OSDI 2022) with the memory of each time step, through HiGHS."""
    from unseat.tasks.shard.ilp import solve

    view.report(greedy(problem, view, seed))
    found = solve(problem, view, seed)
    if found is not None:
        view.report(found)


RULES: Mapping[str, Callable[[Problem, View, int], Int64 | None]] = {
    "cheapest": cheapest, "least memory": least_memory, "greedy": greedy, "annealing": annealing, "ILP": ilp,
}  # fmt: skip
"""By the name of their contender."""
assert FORBIDDEN > 0
