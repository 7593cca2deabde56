"""The compiled evaluation of whole schedules, and the moves on it, against the plain one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseat.tasks.graphsched.data.generators import FAMILIES, Recipe, generate
from unseat.tasks.graphsched.engine.compiled import BITS, gather, graph_of, memory_of, rows_of, steps_of, total
from unseat.tasks.graphsched.engine.problem import Problem
from unseat.tasks.graphsched.engine.schedule import Evaluator, Step
from unseat.tasks.graphsched.solver.anneal import anneal
from unseat.tasks.graphsched.solver.moves import MOVES, moved
from unseat.tasks.graphsched.solver.partitions import partitioned, resident, single


def drawn(problem: Problem, rng: np.random.Generator) -> list[Step]:
    """A schedule or what is none: runs of the order, some operators twice or out of place, some tensors kept."""
    order = list(problem.order)
    if rng.random() < 0.2:
        at, to = rng.integers(len(order), size=2)
        order[at], order[to] = order[to], order[at]
    ends = sorted({int(one) for one in rng.integers(1, len(order) + 1, size=rng.integers(1, len(order) + 1))})
    steps, begin = [], 0
    for end in ends:
        ops = set(order[begin:end])
        if rng.random() < 0.2:
            ops.add(order[int(rng.integers(len(order)))])
        near = [one for op in ops for one in (*problem.inputs[op], problem.outputs[op])]
        keep = {near[int(rng.integers(len(near)))]} if rng.random() < 0.4 else set()
        steps.append(Step(frozenset(ops), frozenset(keep)))
        begin = end
    return steps


def same(one: float, other: float) -> bool:
    return one == other or math.isclose(one, other, rel_tol=1e-12)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(FAMILIES), st.integers(0, 99), st.sampled_from([1, 1, 2, 8]))
def test_a_schedule_takes_what_the_plain_evaluation_says(family: str, seed: int, blocks: int) -> None:
    """Red: a search is told another latency than the answer is judged by, or a schedule for what is none."""
    problem, rng = generate(Recipe(family, seed, blocks)), np.random.default_rng(seed)
    evaluator, graph = Evaluator(problem), graph_of(problem)
    # A table of four is emptied all the time.
    large, small = (memory_of(graph, 2 * problem.operators, slots) for slots in (1 << 10, 4))
    cut = partitioned(evaluator, problem.order)
    every = [single(problem), cut, resident(evaluator, cut, lambda: True), *(drawn(problem, rng) for _ in range(12))]
    for steps in every:
        rows = rows_of(graph, steps, 2 * problem.operators)
        plain = evaluator.total(steps)
        assert same(total(graph, rows, len(steps), large), plain)
        assert same(total(graph, rows, len(steps), small), plain)
        assert steps_of(graph, rows, len(steps)) == steps


def test_sets_of_more_than_a_word() -> None:
    """Red: the larger graphs of the test above fit into one word, so that nothing is said of two."""
    assert len(generate(Recipe("convolution", 0, 8)).widths) > BITS


def whole(steps: Sequence[Step]) -> list[int]:
    return sorted({op for step in steps for op in step.ops})


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(FAMILIES), st.integers(0, 99), st.integers(0, len(MOVES) - 1))
def test_a_move_is_what_it_says(family: str, seed: int, kind: int) -> None:
    """Red: a move loses an operator, changes what it should not, or leaves sets that are not those of its rows."""
    problem, rng = generate(Recipe(family, seed, 2)), np.random.default_rng(seed)
    graph, most = graph_of(problem), 2 * problem.operators
    steps = drawn(problem, rng)
    if missing := set(problem.order) - set(whole(steps)):
        steps.append(Step(frozenset(missing)))
    rows, found = rows_of(graph, steps, most), rows_of(graph, [], most)
    before = rows.copy()
    for _ in range(20):
        count = moved(kind, graph, rows, len(steps), found, rng)
        assert np.array_equal(rows, before), "the old schedule is still there"
        if count < 0:
            continue
        after = steps_of(graph, found, count)
        again = found.copy()
        for at in range(count):
            gather(graph, again, at)
        assert np.array_equal(again[:count], found[:count])
        assert all(step.ops for step in after)
        name = MOVES[kind]
        if name == "recompute":
            changed = [at for at in range(count) if after[at] != steps[at]]
            assert len(changed) == 1 and len(after[changed[0]].ops ^ steps[changed[0]].ops) == 1
            assert whole(after) == whole(steps)
        elif name == "keep":
            assert [step.ops for step in after] == [step.ops for step in steps]
            (at,) = (at for at in range(count) if after[at] != steps[at])
            (tensor,) = after[at].keep ^ steps[at].keep
            assert problem.size[tensor] <= problem.capacity
        else:
            assert whole(after) == whole(steps)
            change = {"merge": [-1], "split": [1], "swap": [0]}.get(name, [0, -1])
            assert count - len(steps) in change


def test_every_move_is_possible() -> None:
    """Red: one of the moves never does anything, so that no search can recompute, keep or reorder."""
    problem, rng = generate(Recipe("attention", 1, 2)), np.random.default_rng(0)
    graph, most = graph_of(problem), 2 * problem.operators
    rows, found = rows_of(graph, single(problem), most), rows_of(graph, [], most)
    rows_of_runs = rows_of(graph, partitioned(Evaluator(problem), problem.order), most)
    runs = len(partitioned(Evaluator(problem), problem.order))
    done = {name for kind, name in enumerate(MOVES) for _ in range(30)
            if moved(kind, graph, rows, problem.operators, found, rng) > 0
            or moved(kind, graph, rows_of_runs, runs, found, rng) > 0}  # fmt: skip
    assert done == set(MOVES)


@pytest.mark.parametrize("family", ["residual", "mlp"])
def test_annealing_reports_what_it_found_and_better_each_time(family: str) -> None:
    """Red: a search reports a schedule that takes something else, or goes backwards; or never gets from one operator
    a step to what dynamic programming over runs finds."""
    problem = generate(Recipe(family, 1, 2))
    evaluator, told = Evaluator(problem), list[float]()
    looks = iter(np.linspace(0, 1, 400))

    def report(steps: list[Step], took: float) -> None:
        assert same(evaluator.total(steps), took)
        told.append(took)

    anneal(problem, single(problem), lambda: float(next(looks)), report, seed=0, weights=dict.fromkeys(MOVES, 1.0))
    assert told == sorted(told, reverse=True) and len(set(told)) == len(told) > 0
    assert told[-1] <= evaluator.total(partitioned(evaluator, problem.order)) * (1 + 1e-9)
