"""Programs for sharding: they start at the greedy incumbent, and nothing that a sandbox says of them is believed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.tasks.shard import small

from unseat.core.jit import python
from unseat.core.outcome import Limits
from unseat.core.policy import InvalidAnswer, View
from unseat.lab.attempt import attempt
from unseat.lab.study import LocalStudy
from unseat.learn.evolve import Evolve, GrammarProposer
from unseat.learn.evolve.grammar import Grammar
from unseat.sandbox import bubblewrap
from unseat.sandbox.bytecode import registers
from unseat.sandbox.programs import machine_code
from unseat.tasks.shard import programs
from unseat.tasks.shard.engine.problem import NO_LIMIT, Problem
from unseat.tasks.shard.engine.programs import FEATURES, ROWS, F, chosen_by, graph_of, place_by
from unseat.tasks.shard.incumbents import greedy

OFFER = programs.offer()
NAMES = tuple(FEATURES)
GRAMMAR = Grammar("score", NAMES, NAMES)


def drawn(seed: int) -> str:
    """A program from the grammar."""
    return GRAMMAR.source(GRAMMAR.program(np.random.default_rng(seed), 4))


@settings(deadline=None, max_examples=60)
@given(small.problems(most=1000, forbidden=False))
def test_the_start_is_greedy(problem: Problem) -> None:
    """Red: a search begins from something else than the incumbent that it names."""
    made = OFFER.policy("start", OFFER.start).start(View("strategies", problem.facts()), 0).decide(None)
    assert problem.cost(made) == problem.cost(greedy(problem, View("strategies"), 0))


@settings(deadline=None, max_examples=25)
@given(small.problems(), st.integers(0, 10_000))
def test_what_is_counted_outside(problem: Problem, seed: int) -> None:
    """Red: choices are worth something else than the task says, or a compiled loop differs from its Python."""
    code = OFFER.compiled(drawn(seed))
    shared = OFFER.share(problem)
    actions = chosen_by(code.code, code.constants, {"x": shared})["x"]
    room = registers(F, len(code.constants), len(code.code), ROWS)
    with np.errstate(all="ignore"):
        plain = python(place_by)(*graph_of(shared), code.code, code.constants, room)
    assert (plain == actions).all()
    made = OFFER.policy("x", drawn(seed)).start(View("strategies", problem.facts()), 0).decide(None)
    within = problem.limit == NO_LIMIT or small.slow_peak(problem, made) <= problem.limit
    assume(within)
    value = small.SmallShard().score(problem, made).value
    assert OFFER.replay(problem, actions) == value == float(small.slow_cost(problem, made))


def test_what_no_node_can_choose() -> None:
    """Red: the scorer believes actions that are none."""
    problem = small.made([[0, 2], [0, 2]], [[1, 2], [3, 4, 5]], [[0, 0], [0, 0, 0]], [[0, 1]], [[0] * 6])
    good = np.zeros(2, np.int16)
    assert OFFER.replay(problem, good) == 4
    for wrong in (good[:1], good.astype(np.int64), good.tolist(), None, good - 1, good + 2, good[np.newaxis]):
        with pytest.raises(InvalidAnswer):
            OFFER.replay(problem, wrong)


def test_an_elite_decides_the_same() -> None:
    """Red: a program that Numba compiled chooses other strategies than its instructions."""
    source = OFFER.start.replace(
        "0 - cost", "0 - cost - math.tanh(ahead_mean) if done < 0.5 else memory - cost * tight"
    )
    assert OFFER.elite is not None
    task, found = small.SmallShard(), set[int]()
    choose, code = machine_code(source, NAMES), OFFER.compiled(source)
    for instance in task.instances():
        problem = task.load(instance)
        made = chosen_by(code.code, code.constants, {"x": OFFER.share(problem)})["x"]
        assert (OFFER.elite(choose, problem) == made).all()
        found |= set(made.tolist())
    assert len(found) > 2


@pytest.mark.skipif(bubblewrap.found() is None, reason=f"no bubblewrap here; {bubblewrap.INSTALL}")
def test_a_search_finds_something() -> None:
    """Red: `unseat evolve shard` does not run from the start to a policy that the task takes, and is no worse."""
    task = small.SmallShard()
    train, valid = ([one for one in task.instances() if one.split == split] for split in ("train", "valid"))
    learner = Evolve("evolved", OFFER, GrammarProposer(), candidates=8, batch=8, workers=1, elites=False)
    policy = learner.fit(LocalStudy(task, train, valid, Limits(), seed=0))
    assert learner.found.valid >= 0.0 and learner.found.chosen is not None and len(learner.found.candidates) >= 8
    start = OFFER.policy("start", OFFER.start)
    ratio = [attempt(task, one, policy, seed=0, limits=Limits()).value
             / attempt(task, one, start, seed=0, limits=Limits()).value for one in valid]  # fmt: skip
    assert 1.0 - np.mean(ratio) == pytest.approx(learner.found.valid)
