"""Trees as arrays, beside LightGBM's own walk."""

from __future__ import annotations

import lightgbm
import numpy as np
import pytest

from unseat.learn.trees import Forest, boost, flattened, score


def rows(seed: int, count: int = 400) -> np.ndarray:
    return np.random.default_rng(seed).integers(-50, 50, (count, 6))


def as_bytes(forest: Forest) -> bytes:
    parts = (forest.feature, forest.threshold, forest.children, forest.leaves, forest.roots)
    return b"".join(part.tobytes() for part in parts)


@pytest.mark.parametrize("objective", ["regression", "binary"])
def test_the_arrays_give_what_lightgbm_gives(objective: str) -> None:
    """Red: a child, a leaf or a threshold is written to the wrong place, or equal values go to the other side."""
    seen = rows(0)
    targets = (seen[:, 0] * seen[:, 1] > seen[:, 2]).astype(float)
    data = lightgbm.Dataset(seen.astype(float), targets)
    options = {"objective": objective, "num_leaves": 9, "verbose": -1, "num_threads": 1}
    booster = lightgbm.train(options, data, 20)
    forest = flattened(booster.dump_model())
    asked = rows(1)
    wanted = booster.predict(asked.astype(float), raw_score=True)
    assert np.allclose([score(row, *forest) for row in asked], wanted)
    assert len(forest.roots) == 20 and forest.feature.size == forest.leaves.size - 20


def test_a_forest_that_can_learn_nothing_is_a_constant() -> None:
    """Red: a tree of a single leaf is walked as if it had a split."""
    forest = boost(rows(0), np.full(400, 3.0), np.ones(400), 0, trees=5)
    assert len({score(row, *forest) for row in rows(1)}) == 1


def test_equal_seeds_give_equal_trees_and_weights_count() -> None:
    """Red: a fit cannot be repeated, or what weighs nothing is learned from."""
    seen, targets = rows(0), rows(0)[:, 0].astype(float)
    one, same, other = (boost(seen, targets, np.ones(400), seed) for seed in (1, 1, 2))
    assert as_bytes(one) == as_bytes(same) != as_bytes(other)
    weights = np.where(np.arange(400) < 200, 1.0, 0.0)
    halved: Forest = boost(seen, np.where(weights > 0, targets, 1e6), weights, 1)
    assert max(score(row, *halved) for row in rows(1)) < 100
