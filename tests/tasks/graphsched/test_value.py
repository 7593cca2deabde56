"""What leads a beam and orders operators."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tasks.graphsched.small import SmallGraphSched

from unseat.core.outcome import Limits
from unseat.lab.study import LocalStudy
from unseat.tasks.graphsched.bounds import traffic
from unseat.tasks.graphsched.challengers import NUMBERED, ValueLearner
from unseat.tasks.graphsched.data.generators import FAMILIES, Recipe, generate
from unseat.tasks.graphsched.engine.schedule import Evaluator
from unseat.tasks.graphsched.policies import Beam
from unseat.tasks.graphsched.solver.exact import optimal
from unseat.tasks.graphsched.solver.value import BY, LEFT, Rest, by_priority


@settings(deadline=None, max_examples=30)
@given(st.sampled_from(FAMILIES), st.integers(0, 99), st.integers(1, 3))
def test_orders_run_what_is_read_first(family: str, seed: int, blocks: int) -> None:
    """Red: priorities let an operator run before what it reads, or the default is not the order that the rules cut."""
    problem, rng = generate(Recipe(family, seed, blocks)), np.random.default_rng(seed)
    assert tuple(by_priority(problem, NUMBERED)) == problem.order
    order = by_priority(problem, dict(zip(BY, rng.normal(size=len(BY)), strict=True)))
    assert sorted(order) == list(range(problem.operators))
    place = {op: at for at, op in enumerate(order)}
    for op, read in enumerate(problem.inputs):
        assert all(place[problem.producer[one]] < place[op] for one in read if one in problem.producer)


def test_priorities_are_heard() -> None:
    """Red: a weight changes nothing: an operator that reads what was made last, or frees much, has to wait."""
    problem = generate(Recipe("wide", 0, 3))
    orders = {tuple(by_priority(problem, {**dict.fromkeys(BY, 0.0), name: sign})) for name in BY for sign in (-1, 1)}
    assert len(orders) > len(BY)


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_left_counts_what_is_left(family: str) -> None:
    """Red: of a whole graph not its compulsory traffic is left, of none something, or of less more."""
    problem = generate(Recipe(family, 0, 2))
    rest = Rest(Evaluator(problem))
    places = [LEFT.index(name) for name in ("compulsory", "alone", "arithmetic", "between")]
    whole = rest(frozenset())
    assert whole[places[0]] == pytest.approx(traffic(problem)) and whole[LEFT.index("in flight")] == 0
    assert not rest(frozenset(range(problem.operators))).any()
    now = whole[places[1:]]
    for count in range(1, problem.operators + 1):
        then = rest(frozenset(problem.order[:count]))[places[1:]]
        assert (then <= now + 1e-9).all()
        now = then


def test_a_wide_beam_is_the_dynamic_programming_and_a_narrow_one_a_schedule() -> None:
    """Red: a beam that drops nothing misses the best partition, or one that drops much gives no schedule."""
    for family in FAMILIES:
        evaluator = Evaluator(generate(Recipe(family, 0, 1)))
        best = optimal(evaluator, 6, lambda: True)
        wide, narrow = (optimal(evaluator, 6, lambda: True, width) for width in (10_000, 1))
        assert best is not None and wide is not None and narrow is not None
        assert evaluator.total(wide) == evaluator.total(best) <= evaluator.total(narrow) < float("inf")


def test_a_value_is_learned() -> None:
    """Red: the fit keeps its default, or a part of what is left makes the rest shorter."""
    task = SmallGraphSched()
    train = [one for one in task.instances() if one.split == "train"]
    policy = ValueLearner("beam-value", 0.05).fit(LocalStudy(task, train, [], Limits(), seed=0))
    assert isinstance(policy, Beam) and policy.value != {"alone": 1.0}
    assert set(policy.value) == set(LEFT) and min(policy.value.values()) >= 0


def test_a_beam_follows_its_value() -> None:
    """Red: what the rest will take does not decide which states a beam goes on from."""
    problem = generate(Recipe("wide", 0, 2))
    order = by_priority(problem, {**NUMBERED, "number": -1.0})
    prefixes = {frozenset(order[:count]) for count in range(problem.operators + 1)}

    def seen(value: Callable[[frozenset[int]], float]) -> set[frozenset[int]]:
        steps = optimal(Evaluator(problem), 3, lambda: True, 1, value)
        assert steps is not None
        return set(accumulate((step.ops for step in steps), frozenset[int].union))

    assert seen(lambda done: 1e15 * (done not in prefixes)) <= prefixes
    assert not seen(lambda done: 0.0) <= prefixes
