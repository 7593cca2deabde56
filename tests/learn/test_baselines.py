"""Constant and random policies keep to what is legal, and can be saved."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unseat import Policy, View
from unseat.learn.baselines import Constant, Uniform

MASKS = st.lists(st.integers(0, 1), min_size=5, max_size=5).filter(any)


@given(mask=MASKS, action=st.integers(0, 4), seed=st.integers(0, 100))
def test_masked_actions_are_never_taken(mask: list[int], action: int, seed: int) -> None:
    """Red: a baseline answers what the engine forbids, fails, and so looks worse than it is."""
    seen = {"action_mask": np.array(mask, np.int8)}
    for policy in (Constant("constant", action), Uniform("uniform", 5)):
        assert mask[policy.start(View("?"), seed).decide(seen)]
    if mask[action]:
        assert Constant("constant", action).start(View("?"), seed).decide(seen) == action


def test_uniform_gives_every_action_and_hangs_on_its_seed() -> None:
    """Red: the random policy is not random, or cannot be repeated."""

    def drawn(seed: int) -> list[int]:
        session = Uniform("uniform", 3).start(View("?"), seed)
        return [session.decide(None) for _ in range(100)]

    assert set(drawn(0)) == {0, 1, 2}
    assert drawn(0) == drawn(0) != drawn(1)
    one, other = (Uniform("uniform", 3).start(View("?", agent=agent), 0) for agent in range(2))
    assert [one.decide(None) for _ in range(100)] != [other.decide(None) for _ in range(100)], "agents are not one"


@pytest.mark.parametrize("policy", [Constant("c", 3), Constant("c", np.array([0.5, 1.0])), Uniform("u", 4)])
def test_baselines_are_data(policy: Policy) -> None:
    """Red: a baseline cannot be kept in the content store."""
    again = policy.artefact.restore()
    assert again.artefact.hash == policy.artefact.hash
    answers = [one.start(View("?"), 1).decide(None) for one in (policy, again)]
    assert np.array_equal(*answers)
