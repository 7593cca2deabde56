"""Evolution strategies: what is asked, which way a step goes, and that it finds a minimum through noise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseat.learn.evolution import EvolutionStrategy, Float32, Float64


def quadratic(rows: Float32, minimum: Float64, noise: Float64) -> Float64:
    return np.asarray(((rows - minimum) ** 2).sum(axis=1) + noise)


def searched(seed: int, spread: float, generations: int = 400, n: int = 6) -> tuple[EvolutionStrategy, Float64]:
    """A search for a minimum, in which each pair is valued with noise of its own that both members share in part."""
    rng = np.random.default_rng(100 + seed)
    minimum = rng.uniform(-1, 1, n)
    strategy = EvolutionStrategy(np.zeros(n, np.float32), sigma=0.1, pairs=8, seed=seed)
    for generation in range(generations):
        shared = 50 * rng.standard_normal(8)  # of a pair's problem, which both members meet
        noise = np.tile(shared, 2) + spread * rng.standard_normal(16)
        strategy.tell(quadratic(strategy.ask(), minimum, noise), 0.05 * (1 - 0.9 * generation / generations))
    return strategy, minimum


@pytest.mark.parametrize("spread", [0.0, 0.3])
def test_it_finds_the_minimum_through_noise(spread: float) -> None:
    """Red: the search goes uphill or nowhere, or noise that both members of a pair share leads it away."""
    for seed in range(3):
        strategy, minimum = searched(seed, spread)
        begin, end = np.linalg.norm(minimum), np.linalg.norm(strategy.mean - minimum)
        assert end < (0.02 if spread == 0 else 0.25) * begin


def test_the_mean_is_steadier_than_the_last() -> None:
    """Red: what is proposed jumps about with the last step, or lags far behind."""
    means, lasts = [], []
    for seed in range(5):
        strategy, minimum = searched(seed, 1.0)
        means.append(np.linalg.norm(strategy.mean - minimum))
        lasts.append(np.linalg.norm(strategy.theta - minimum))
    assert np.mean(means) < np.mean(lasts)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_samples_are_mirrored(n: int, pairs: int, seed: int) -> None:
    """Red: the members of a pair are not on opposite sides, at the stated distance, or pairs repeat each other."""
    theta = np.random.default_rng(seed).standard_normal(n).astype(np.float32)
    strategy = EvolutionStrategy(theta, sigma=0.25, pairs=pairs, seed=seed)
    rows = [strategy.ask(), strategy.ask()]
    for asked in rows:
        assert asked.shape == (2 * pairs, n) and asked.dtype == np.float32
        np.testing.assert_allclose(asked[:pairs] + asked[pairs:], np.tile(2 * theta, (pairs, 1)), atol=1e-5)
    assert len({row.tobytes() for asked in rows for row in asked}) == 4 * pairs


def test_samples_have_the_stated_deviation() -> None:
    """Red: the objective is blurred more or less than is said."""
    strategy = EvolutionStrategy(np.zeros(50, np.float32), sigma=0.25, pairs=400)
    assert strategy.ask().std() == pytest.approx(0.25, rel=0.02)


def test_a_step_is_adam_s_on_clipped_differences() -> None:
    """Red: the step is not the published one: another sign, scale, clip or correction of the first steps."""
    rng, rate = np.random.default_rng(0), 0.03
    strategy = EvolutionStrategy(np.zeros(4, np.float32), sigma=0.1, pairs=30, seed=1)
    theta, mean, first, second = np.zeros(4), np.zeros(4), np.zeros(4), np.zeros(4)
    for step in range(1, 6):
        rows = strategy.ask()
        noise = (rows[:30] - rows[30:]).astype(float) / 0.2
        values = rng.standard_normal(60)
        values[0] = 1e3  # one pair that would drown all others
        differences = [float(values[pair] - values[30 + pair]) for pair in range(30)]
        deviation = float(np.std(differences))
        clipped = [max(-3.0, min(3.0, one / deviation)) for one in differences]
        gradient = sum(one * row for one, row in zip(clipped, noise, strict=True)) / 30
        first, second = 0.9 * first + 0.1 * gradient, 0.99 * second + 0.01 * gradient**2
        theta = theta - rate * first / (1 - 0.9**step) / (np.sqrt(second / (1 - 0.99**step)) + 1e-8)
        mean = 0.95 * mean + 0.05 * theta
        strategy.tell(values, rate)
        np.testing.assert_allclose(strategy.theta, theta, atol=1e-5)
        np.testing.assert_allclose(strategy.mean, mean, atol=1e-5)


def test_equal_values_move_nothing_far() -> None:
    """Red: values that are all equal, as of a policy that decides nothing, end in no number."""
    strategy = EvolutionStrategy(np.ones(3, np.float32), pairs=4)
    for _ in range(3):
        strategy.ask()
        strategy.tell(np.full(8, 7.0), 0.1)
    assert np.array_equal(strategy.theta, np.ones(3, np.float32))


def test_a_seed_gives_one_search() -> None:
    """Red: equal searches differ, unlike seeds do not, or the vector that a search began with is changed."""
    begun = np.zeros(6, np.float32)
    found = []
    for seed in (0, 0, 1):
        strategy = EvolutionStrategy(begun, pairs=4, seed=seed)
        for _ in range(5):
            strategy.tell(quadratic(strategy.ask(), np.ones(6), np.zeros(8)), 0.1)
        found.append((strategy.theta.tobytes(), strategy.mean.tobytes()))
    assert found[0] == found[1] != found[2]
    assert not begun.any()
