"""Programs that score requests: what a sandbox hands back is done again outside, and is the run."""

from __future__ import annotations

import numpy as np
import pytest
from tests.tasks.serving.small_task import SMALL, SmallServing

from unseat.core.outcome import Limits
from unseat.core.policy import InvalidAnswer
from unseat.lab.study import LocalStudy
from unseat.learn.evolve import Evolve, GrammarProposer
from unseat.sandbox import bubblewrap
from unseat.sandbox.programs import machine_code
from unseat.tasks.serving import generators
from unseat.tasks.serving.challengers.programs import SEED, chosen_by, offer, replay, share
from unseat.tasks.serving.engine.programs import PLACES
from unseat.tasks.serving.problem import Problem

PROBLEM = Problem(generators.generate("chat", 120, 1), SMALL)


def actions(source: str) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
    code = offer().compiled(source)
    return chosen_by(code.code, code.constants, {"x": share(PROBLEM)})["x"]


def test_a_replay_is_the_run() -> None:
    """Red: the scorer outside finds another goodput than the policy's own run, or the order changes nothing."""
    made = offer()
    run = SmallServing().run(PROBLEM, made.policy("start", made.start), seed=SEED, limits=Limits())
    assert replay(PROBLEM, actions(made.start)) == run.value
    contrary = made.start.replace("0 - to_compute", "to_compute")
    assert replay(PROBLEM, actions(contrary)) < run.value


def test_actions_that_are_none_are_refused() -> None:
    """Red: too few or too many choices, one twice, one that is no row, or something else, is scored."""
    good = actions(offer().start)
    assert len(good) > PLACES
    twice = good.copy()
    twice[1] = twice[0]
    for wrong in (good[:-1], np.append(good, np.int8(0)), twice, np.full_like(good, 127), -good - 1,
                  good.astype(np.int64), good[np.newaxis], None):  # fmt: skip
        with pytest.raises(InvalidAnswer):
            replay(PROBLEM, wrong)


def test_an_elite_decides_the_same() -> None:
    """Red: a program that Numba compiled lets others go first than its instructions; some scores are no numbers."""
    made = offer()
    source = made.start.replace(
        "0 - to_compute", "math.sqrt(slack) * waited - math.tanh(to_compute_log) / (cached - 0.5)"
    )
    assert made.elite is not None
    assert np.array_equal(made.elite(machine_code(source, tuple(made.arguments)), PROBLEM), actions(source))


@pytest.mark.skipif(bubblewrap.found() is None, reason=f"no bubblewrap here; {bubblewrap.INSTALL}")
def test_a_search_finds_something() -> None:
    """Red: `unseat evolve serving` does not run from the start to a policy that the task takes."""
    task = SmallServing()
    train, valid = ([one for one in task.instances() if one.split == split] for split in ("train", "valid"))
    learner = Evolve("evolved", offer(), GrammarProposer(), minimise=False, candidates=6, batch=6, workers=1,
                     elites=False)  # fmt: skip
    policy = learner.fit(LocalStudy(task, train, valid, Limits(), seed=0))
    assert learner.found.valid >= 0.0 and len(learner.found.candidates) >= 6
    assert task.run(task.load(valid[0]), policy, seed=0, limits=Limits()).value > 0
