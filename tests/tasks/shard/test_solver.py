"""Each stage of the solver against brute force."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from tests.tasks.shard import small

from unseat.tasks.shard.data.generators import FAMILIES, Recipe, generate
from unseat.tasks.shard.engine.problem import NO_LIMIT, Int64, Problem
from unseat.tasks.shard.incumbents import moved
from unseat.tasks.shard.solver import blocks, fuse
from unseat.tasks.shard.solver import columns as columns_of_prices
from unseat.tasks.shard.solver import dual as dual_of
from unseat.tasks.shard.solver import prices as prices_of
from unseat.tasks.shard.solver.blocks import BEST, COST, State
from unseat.tasks.shard.solver.columns import Columns
from unseat.tasks.shard.solver.dual import Dual, Float64, improve, used_by
from unseat.tasks.shard.solver.graph import Graph
from unseat.tasks.shard.solver.moves import Uniform
from unseat.tasks.shard.solver.presolve import reduced
from unseat.tasks.shard.solver.prices import Prices, Steps
from unseat.tasks.shard.solver.search import Clock, Schedule, bound_of, search, together
from unseat.tasks.shard.warming import warm


def cost_in(graph: Graph, chosen: Int64) -> float:
    """The cost of a solution of the graph, with its constant, one by one."""
    total = graph.constant + sum(float(graph.costs[graph.offsets[v] + one]) for v, one in enumerate(chosen))
    for v in range(graph.nodes):
        for a in range(graph.arcs[v], graph.arcs[v + 1]):
            w = int(graph.head[a])
            if w > v:
                width = int(graph.offsets[w + 1] - graph.offsets[w])
                total += float(graph.entries[graph.table[a] + chosen[v] * width + chosen[w]])
    return total


@settings(deadline=None)
@given(small.problems())
def test_reductions_keep_the_best(problem: Problem) -> None:
    """Red: a strategy or node that the best solution needs is reduced away, or comes back as another one."""
    found = small.best(problem)
    assert found is not None
    assume(found[0] < 10**17)
    made = reduced(problem)
    graph = made.graph
    sizes = np.diff(graph.offsets)
    every = [np.array(one, np.int64) for one in np.ndindex(*sizes.tolist())] if graph.nodes else [np.zeros(0, np.int64)]
    costs = []
    for one in every:
        used = used_by(one, graph.memory, len(graph.capacity))
        if (used <= graph.capacity).all():
            whole = made.expand(one)
            assert problem.limit == NO_LIMIT or problem.peak(whole) <= problem.limit
            if problem.cost(whole) < 10**17:
                assert problem.cost(whole) == cost_in(graph, one)
            costs.append(problem.cost(whole))
    assert min(costs) == found[0]


def test_one_choice_decides_a_chain() -> None:
    """Red: nodes whose neighbours leave them one strategy are searched one by one, or their memory is lost."""
    tied = [[0, 10**18, 10**18, 0], [10**18, 3, 5, 10**18], [0, 10**18, 10**18, 0]]
    problem = small.made([[0, 2], [1, 4], [3, 5], [2, 5]], [[1, 2], [3, 1], [0, 9], [4, 4]],
                         [[5, 1], [1, 6], [7, 2], [3, 8]], [[0, 1], [1, 2], [2, 3]], tied, 14)  # fmt: skip
    assert reduced(problem, contract=False).graph.nodes == 3 and reduced(problem).whole.nodes == 1
    # Of its two solutions the cheaper one passes the limit.
    heard: list[Int64] = []
    warm()
    search(problem, Clock(0.05), heard.append)
    found = small.best(problem)
    assert found is not None and problem.cost(heard[-1]) == found[0]


@settings(max_examples=60, deadline=None)
@given(small.problems(), st.integers(0, 60))
def test_no_solution_is_below_the_bound(problem: Problem, rounds: int) -> None:
    """Red: the dual bound is above a solution, so that a run would be called an error, or a search stop too soon."""
    found = small.best(problem)
    assert found is not None
    assume(found[0] < 10**17)
    graph = reduced(problem).graph
    dual = Dual.of(graph, 0.5)
    if graph.nodes:
        improve(graph, dual, float(found[0]), rounds + 1, 3, np.inf)
        assert dual.bound + graph.constant <= found[0]


def test_the_bound_is_tight_where_the_graph_is_a_tree() -> None:
    """Red: message passing does not reach the optimum of a tree without a limit, where it is exact."""
    rng = np.random.default_rng(0)
    edges = [[0, 1], [1, 2], [1, 3], [3, 4]]
    # Memory differs and its limit is far away, so that no node is eliminated for free.
    problem = small.made([[0, 1]] * 5, rng.integers(0, 99, (5, 3)).tolist(), rng.integers(0, 9, (5, 3)).tolist(), edges,
                         rng.integers(0, 99, (4, 9)).tolist(), 40)  # fmt: skip
    found = small.best(problem)
    assert found is not None
    assert bound_of(problem, 0.2)[0] == pytest.approx(found[0], abs=1e-3)


def one_choice(costs: Sequence[float], over: Sequence[Sequence[int]]) -> Graph:
    """A graph of one node, whose strategies pass a limit of nine bytes by so many at each step."""
    usages, steps = 9.0 + np.array(over, float).T, len(over[0])
    return Graph(
        offsets=np.array([0, len(costs)]), costs=np.array(costs, float), pieces=np.array([0, steps]),
        uses=np.arange(steps + 1) * len(costs), usages=usages.ravel(), first=np.arange(steps),
        last=np.arange(steps) + 1, capacity=np.full(steps, 9.0), arcs=np.zeros(2, np.int64), head=np.zeros(0, np.int64),
        back=np.zeros(0, np.int64), table=np.zeros(0, np.int64), entries=np.zeros(0), forbidden=1e18, constant=0.0,
        core=1,
    )  # fmt: skip


def columns_of(costs: Sequence[float], over: Sequence[Sequence[int]]) -> Columns:
    """Each strategy of such a graph is a column."""
    columns = Columns(one_choice(costs, over))
    for number, cost in enumerate(costs):
        columns.add(np.array([number]), float(cost))
    return columns


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(-9, 9)), min_size=1, max_size=8).map(sorted))
def test_prices_are_where_mixtures_of_solutions_meet_the_limit(told: list[tuple[int, int]]) -> None:
    """Red: the master problem's price of a scarce step, or what it says is left to pay, is not the best one.

    One step is scarce: the price is the steepest tangent, which a scan over all pairs of solutions finds.
    """
    columns = columns_of([cost for cost, _ in told], [[over] for _, over in told])
    prices = columns.prices()
    assume(any(over <= 0 for _, over in told))

    def least(price: float) -> float:
        return min(cost + price * over for cost, over in told)

    crossings = [(one[0] - two[0]) / (two[1] - one[1]) for one in told for two in told if one[1] != two[1]]
    best = max(least(price) for price in [0.0, *(price for price in crossings if price >= 0)])
    # No price is higher than what all of the memory may cost.
    assume(all(price * 9 <= 3 * max(cost for cost, _ in told) for price in crossings))
    assert prices is not None and least(prices[0]) == pytest.approx(best, abs=1e-6)
    assert columns.bound == pytest.approx(best, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 50), st.lists(st.integers(-9, 9), min_size=3, max_size=3)), min_size=1,
                max_size=8))  # fmt: skip
@example([(0, [3, 5, 3]), (10, [0, -5, 0])])
def test_a_mixture_bounds_prices_only_within_the_limit_at_every_step(told: list[tuple[int, list[int]]]) -> None:
    """Red: a mixture that passes the limit where its stretch is not highest stops the search for prices too soon."""
    costs, over = [float(cost) for cost, _ in told], [each for _, each in told]
    columns = columns_of(costs, over)
    columns.prices()
    every = linprog(costs, np.array(over, float).T, np.zeros(3), np.ones((1, len(costs))), [1.0], method="highs")
    assert columns.bound == np.inf or columns.bound == pytest.approx(every.fun, abs=1e-3)


def test_what_is_not_mixed_goes() -> None:
    """Red: the master problem grows with every round, or loses what its best mixture is made of."""
    columns, sizes = columns_of([0, 10], [[4], [-4]]), []
    for _ in range(100):
        columns.add(np.array([1]), 50.0)
        prices = columns.prices()
        assert prices is not None and prices[0] == pytest.approx(10 / 8) and columns.bound == pytest.approx(5)
        sizes.append(len(columns.costs))
    assert sizes[-1] == sizes[-2] < 50


def test_what_prices_come_across_keeps_the_limit() -> None:
    """Red: a solution that is told is not within the limit or costs something else, or a bound is above one."""
    graph = small_graph(0)
    heard: list[float] = []

    def told(chosen: Int64, cost: float) -> None:
        assert (used_by(chosen, graph.memory, len(graph.capacity)) <= graph.capacity).all()
        assert cost + graph.constant == cost_in(graph, chosen)
        heard.append(cost)

    warm()
    prices = Prices(graph, blocks.Spells(graph), Steps(), told)
    clock = Clock(1.0)
    dual = prices.run(clock.until, 1.0)
    assert heard == sorted(heard, reverse=True)
    assert dual.bound <= min([*heard, prices.columns.bound]) + 1e-6 * abs(dual.bound)
    assert prices.columns.steps.any() and dual.best_prices.any()


@pytest.mark.parametrize("off", ["_by_columns", "_subgradients"])
def test_prices_keep_to_their_time_and_end_at_the_best(off: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: rounds or master problems go on whatever time is left, or messages are not those at the best prices."""
    warm()
    ticks, untils, met = itertools.count(), list[float](), list[Float64]()
    for module in (prices_of, dual_of, columns_of_prices):
        monkeypatch.setattr(module, "time", SimpleNamespace(thread_time=lambda: float(next(ticks))))

    def improved(graph: Graph, dual: Dual, best: float, rounds: int, patience: int, until: float) -> float:
        untils.append(until)
        met.append(dual.prices.copy())
        return improve(graph, dual, best, rounds, patience, until)

    def solved(self: Columns, until: float = np.inf) -> Float64 | None:
        untils.append(until)
        return master(self, until)

    master, graph = Columns.prices, small_graph(0)
    monkeypatch.setattr(prices_of, "improve", improved)
    monkeypatch.setattr(Columns, "prices", solved)
    monkeypatch.setattr(Prices, off, lambda *_, **__: None)
    dual = Prices(graph, blocks.Spells(graph), Steps(), lambda *_: None).run(lambda share: 2000 * share, 0.5)
    assert max(untils) <= 1000 and dual.best_prices.any()
    assert np.array_equal(dual.prices, dual.best_prices) and np.array_equal(met[-1], dual.best_prices)
    columns = columns_of([0, 10], [[4], [-4]])
    assert columns.prices(0.0) is None


def small_graph(seed: int) -> Graph:
    """What is left of a small generated model."""
    return reduced(generate(Recipe("transformer", seed, 1))).graph


@pytest.mark.parametrize("temperature", [0.0, 1000.0])
def test_blocks_keep_their_books(temperature: float) -> None:
    """Red: after many moves the cost, the local costs or the memory differ from those of the solution itself."""
    graph = small_graph(0)
    state = State.of(graph, np.zeros(graph.nodes, np.int64), 3)
    stamp, near, mark = np.zeros(graph.nodes, np.int64), np.zeros(graph.nodes, np.int64), 0
    prices = np.linspace(0, 1e-3, len(graph.capacity) + 1)
    for size in (1, 5, 1000):
        mark = blocks.sweep(
            50, size, temperature, 1.0, 7, prices, np.arange(graph.nodes), graph.offsets, graph.memory,
            graph.arcs, graph.head, graph.back, graph.table, graph.entries, state.chosen, state.local,
            state.slack, state.best, state.numbers, state.over, state.random, stamp, near, mark, True,
        )  # fmt: skip
    moved(graph, state, 5000, 100.0)
    fresh = State.of(graph, state.chosen, 0)
    assert state.numbers[COST] + graph.constant == cost_in(graph, state.chosen)
    assert np.array_equal(state.local, fresh.local) and np.array_equal(state.slack, fresh.slack)
    assert state.numbers[BEST] + graph.constant == cost_in(graph, state.best)
    assert state.numbers[BEST] <= state.numbers[COST]


def test_a_block_of_a_whole_tree_is_solved_exactly() -> None:
    """Red: dynamic programming on a tree misses its optimum."""
    rng = np.random.default_rng(1)
    for _ in range(20):
        edges = [[int(rng.integers(v)), v] for v in range(1, 6)]
        problem = small.made([[0, 1]] * 6, rng.integers(0, 99, (6, 3)).tolist(), rng.integers(0, 9, (6, 3)).tolist(),
                             edges, rng.integers(0, 99, (5, 9)).tolist(), 53)  # fmt: skip
        graph, found = reduced(problem).graph, small.best(problem)
        assert found is not None
        state = State.of(graph, np.zeros(graph.nodes, np.int64), 0)
        stamp, near = np.zeros(graph.nodes, np.int64), np.zeros(graph.nodes, np.int64)
        blocks.sweep(
            1, 99, 0.0, 0.0, 9, np.zeros(len(graph.capacity) + 1), np.arange(graph.nodes), graph.offsets, graph.memory,
            graph.arcs, graph.head, graph.back, graph.table, graph.entries, state.chosen,
            state.local, state.slack, state.best, state.numbers, state.over, state.random, stamp, near, 0, True,
        )  # fmt: skip
        assert state.numbers[COST] + graph.constant == found[0]


@pytest.mark.parametrize("widest", [fuse.WIDEST, 1])
def test_mixtures_are_the_best(widest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: a mixture is not the cheapest of all, or dearer than where it began once the graph is too wide for that."""
    monkeypatch.setattr(fuse, "WIDEST", widest)
    graph, rng = small_graph(0), np.random.default_rng(0)
    prices = rng.uniform(0, 1e-3, len(graph.capacity))

    def priced(chosen: Int64) -> float:
        return cost_in(graph, chosen) + float(prices @ used_by(chosen, graph.memory, len(prices)))

    for _ in range(10):
        one, other = (rng.integers(0, np.diff(graph.offsets)) for _ in range(2))
        # Nodes beside each other, so that there is something to eliminate.
        free = rng.integers(graph.nodes - 9) + np.arange(9)
        mixtures = [one.copy() for _ in range(512)]
        for mask, mixture in enumerate(mixtures):
            takes = free[[bool(mask >> bit & 1) for bit in range(9)]]
            mixture[takes] = other[takes]
        found = priced(fuse.fused(graph, one, mixtures[-1], prices))
        assert found <= priced(one) * (1 + 1e-12)
        if widest > 1:
            assert found == pytest.approx(min(map(priced, mixtures)), rel=1e-12)


@settings(max_examples=25, deadline=None)
@given(small.problems())
def test_the_search_gives_sound_answers(problem: Problem) -> None:
    """Red: the whole solver reports what passes the limit, gives no answer at all, or claims a bound above the best."""
    found = small.best(problem)
    assert found is not None
    assume(found[0] < 10**17)
    heard: list[Int64] = []
    told = together(problem, 0.05, None, heard.append, threads=1, schedule=Schedule(), seed=0, selectors=[Uniform()])
    assert all(problem.limit == NO_LIMIT or problem.peak(one) <= problem.limit for one in heard)
    costs = [problem.cost(one) for one in heard]
    assert costs == sorted(costs, reverse=True) and costs[-1] >= found[0]
    assert told[0].bound <= found[0]


@pytest.mark.parametrize("family", FAMILIES)
def test_generated_models_have_solutions(family: str) -> None:
    """Red: a generated instance has none without a forbidden choice, or differs from one draw to the next."""
    recipe = Recipe(family, 5, 1, (2, 2), 0.5)
    problem = generate(recipe)
    assert all(np.array_equal(one, generate(recipe).facts()[name]) for name, one in problem.facts().items())
    heard: list[Int64] = []
    search(problem, Clock(0.2), heard.append)
    assert problem.cost(heard[-1]) < 10**17
