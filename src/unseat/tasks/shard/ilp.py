"""The integer program, through HiGHS."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import MissingExtra
from unseat.core.policy import View
from unseat.tasks.shard.engine.problem import Int64, Problem
from unseat.tasks.shard.policies import SECONDS, ends
from unseat.tasks.shard.solver.graph import Graph
from unseat.tasks.shard.solver.presolve import reduced

MOST_ENTRIES = 400_000
"""Larger programs are not built: their relaxation alone takes longer than a run."""


def solve(problem: Problem, view: View, seed: int) -> Int64 | None:
    """The best solution of the program within the time; None where it is too large, or none was found.

    Raises:
        MissingExtra: HiGHS is not installed.
    """
    try:
        import highspy
    except ImportError as error:
        raise MissingExtra("the contender ILP needs HiGHS: pip install 'unseat[solvers]'") from error
    reduction = reduced(problem)
    graph = reduction.graph
    if not graph.nodes or len(graph.entries) // 2 > MOST_ENTRIES:
        return reduction.expand(np.zeros(0, np.int64)) if not graph.nodes else None
    until = ends(view)
    with _quiet():
        model = highspy.Highs()
    model.silent()
    model.setOptionValue("threads", 1)
    model.setOptionValue("random_seed", int(seed) % 2**31)
    model.passModel(_program(highspy, graph))
    model.setOptionValue("time_limit", max(SECONDS if until is None else until - time.monotonic(), 0.01))
    model.run()
    values = np.array(model.getSolution().col_value)
    if len(values) == 0 or model.getInfo().primal_solution_status != 2:
        return None
    picked = np.array([np.argmax(values[a:b]) for a, b in zip(graph.offsets, graph.offsets[1:], strict=False)])
    return reduction.expand(picked.astype(np.int64))


@contextmanager
def _quiet() -> Iterator[None]:
    """HiGHS prints a line about itself when it is made, past Python's own standard output, whatever its options say."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def _program(highspy: object, graph: Graph) -> object:
    """One binary a strategy, one variable a pair of an edge that is not forbidden, rows that tie them together."""
    from scipy.sparse import coo_matrix

    sizes, states = np.diff(graph.offsets), int(graph.offsets[-1])
    tail = np.repeat(np.arange(graph.nodes), np.diff(graph.arcs))
    rows: list[NDArray[np.int64]] = [np.repeat(np.arange(graph.nodes), sizes)]
    columns: list[NDArray[np.int64]] = [np.arange(states)]
    values: list[NDArray[np.float64]] = [np.ones(states)]
    costs, lower, row, column = [graph.costs], [np.ones(graph.nodes)], graph.nodes, states
    for arc in np.flatnonzero(graph.head > tail):
        u, v = int(tail[arc]), int(graph.head[arc])
        table = graph.entries[graph.table[arc] :][: sizes[u] * sizes[v]].reshape(sizes[u], sizes[v])
        i, j = np.nonzero(table < graph.forbidden)
        pairs = column + np.arange(len(i))
        rows += [row + i, row + sizes[u] + j, row + np.arange(sizes[u] + sizes[v])]
        columns += [pairs, pairs, np.concatenate([graph.offsets[u] + np.arange(sizes[u]),
                                                  graph.offsets[v] + np.arange(sizes[v])])]  # fmt: skip
        values += [np.ones(len(i)), np.ones(len(i)), -np.ones(sizes[u] + sizes[v])]
        costs.append(table[i, j])
        lower.append(np.zeros(sizes[u] + sizes[v]))
        row += int(sizes[u] + sizes[v])
        column += len(i)
    for v in range(graph.nodes):
        for piece in range(graph.pieces[v], graph.pieces[v + 1]):
            live = np.arange(graph.first[piece], graph.last[piece])
            bytes_of = graph.usages[graph.uses[piece] : graph.uses[piece + 1]]
            own = np.flatnonzero(bytes_of)
            rows.append(row + np.repeat(live, len(own)))
            columns.append(np.tile(graph.offsets[v] + own, len(live)))
            values.append(np.tile(bytes_of[own], len(live)))
    steps = len(graph.capacity)
    shape = (row + steps, column)
    matrix = coo_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape).tocsc()
    program = highspy.HighsLp()  # type: ignore[attr-defined]
    program.num_row_, program.num_col_ = shape
    program.col_cost_ = np.concatenate(costs)
    program.col_lower_, program.col_upper_ = np.zeros(column), np.ones(column)
    program.row_lower_ = np.concatenate([*lower, np.full(steps, -np.inf)])
    program.row_upper_ = np.concatenate([*lower, graph.capacity])
    program.a_matrix_.start_, program.a_matrix_.index_ = matrix.indptr, matrix.indices
    program.a_matrix_.value_ = matrix.data
    kinds = highspy.HighsVarType  # type: ignore[attr-defined]
    program.integrality_ = [kinds.kInteger] * states + [kinds.kContinuous] * (column - states)
    return program
