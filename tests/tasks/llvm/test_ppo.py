"""Proximal policy optimisation of an inliner."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.tasks.llvm.small_task import SmallInline

from unseat.core.outcome import Limits
from unseat.lab.study import LocalStudy
from unseat.tasks.llvm.inline.learners import MOVES, START, Evolution, begun
from unseat.tasks.llvm.inline.ppo import PPO, SOFT, Batch, Drawn, margins
from unseat.tasks.llvm.inline.question import COST, FEATURES, told
from unseat.tasks.llvm.inline.rules import NetworkRule, margin

torch = pytest.importorskip("torch")


def calls(count: int) -> NDArray[np.int64]:
    """Observations of calls, drawn."""
    rng = np.random.default_rng(0)
    rows = np.round(rng.normal(0, 1, (count, len(FEATURES))) * 10 ** rng.uniform(0, 3, (count, 1))).astype(np.int64)
    rows[:, COST] = rng.integers(-30, 10, count)
    return rows


def moved(seed: int) -> NetworkRule:
    """A network that says something."""
    rng = np.random.default_rng(seed)
    start = begun("x", 5, rng)
    return NetworkRule("x", start.hidden, rng.normal(0, 0.3, 5), start.rule)


def test_what_is_trained_is_what_decides() -> None:
    """Red: the tensors that are trained say other margins than the policy that is shipped."""
    rows, rule = calls(50), moved(1)
    theta = [torch.tensor(rule.hidden), torch.tensor(rule.output)]
    wanted = [margin(row, rule.hidden, rule.output, rule.rule) for row in rows]
    assert margins(theta, rows, rule.rule).numpy() == pytest.approx(np.array(wanted))


def test_exploration_follows_the_margin() -> None:
    """Red: calls are inlined by chance alone, or never otherwise than the rule says, so that nothing is tried."""
    rows, rule = calls(300), moved(1)
    likely = 1 / (1 + np.exp(-np.array([margin(row, rule.hidden, rule.output, rule.rule) for row in rows]) / SOFT))
    session = Drawn("x", rule).start(told(), 0)
    share = np.mean([[session.decide(row) for row in rows] for _ in range(200)], axis=0)
    assert share == pytest.approx(likely, abs=0.15)
    assert 0.2 < likely.mean() < 0.8


def test_a_step_makes_what_went_well_likelier_and_no_more_than_it_may() -> None:
    """Red: decisions are learned with the wrong sign, or one batch throws the policy far away."""
    rows = calls(200)
    acted = np.random.default_rng(2).integers(0, 2, 200)
    better = np.where(rows[:, 0] > 0, 1.0, -1.0) * np.where(acted == 1, 1.0, -1.0)
    rule = begun("x", 8, np.random.default_rng(0))
    theta = [torch.tensor(part.copy(), requires_grad=True) for part in (rule.hidden, rule.output)]
    learner, optimizer = PPO(), torch.optim.Adam(theta, lr=0.01)

    def gained() -> float:
        odds = margins(theta, rows, rule.rule).detach().numpy() - (START - rows[:, COST])
        return float((odds * np.where(rows[:, 0] > 0, 1.0, -1.0)).mean())

    learner.step(theta, optimizer, Batch(rows, acted, better), rule.rule)
    first = gained()
    assert first > 0
    for _ in range(40):
        learner.step(theta, optimizer, Batch(rows, acted, better), rule.rule)
    assert gained() > 5 * first
    # Many steps on one batch end near its bounds; without them they would go on.
    far = []
    for clip in (learner.clip, 1e9):
        theta = [torch.tensor(part.copy(), requires_grad=True) for part in (rule.hidden, rule.output)]
        optimizer = torch.optim.Adam(theta, lr=0.01)
        PPO(epochs=300, clip=clip).step(theta, optimizer, Batch(rows, acted, better), rule.rule)
        far.append(gained())
    assert far[0] < 0.5 * far[1]


@pytest.mark.usefixtures("llvm", "nothing_left")
def test_it_begins_where_evolution_begins_and_keeps_to_its_runs() -> None:
    """Red: the two ways to train are compared from other places, or compile more than they are charged."""
    task = SmallInline()
    train, valid = ([one for one in task.instances() if one.split == split] for split in ("train", "valid"))
    for runs in (2, 40):
        study = LocalStudy(task, train, valid, Limits(runs=runs), seed=0)
        policy = PPO(every=1).fit(study)
        assert isinstance(policy, NetworkRule)
        assert study.runs <= runs
        if runs == 2:
            other = Evolution().fit(LocalStudy(task, train, valid, Limits(runs=runs), seed=0))
            assert isinstance(other, NetworkRule)
            assert policy.hidden == pytest.approx(other.hidden, abs=1e-6)
            assert policy.rule.tolist() == [START, MOVES]
