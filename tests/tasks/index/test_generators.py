"""The synthetic key sets."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from unseat.core.errors import UserError
from unseat.core.jit import python
from unseat.tasks.index import cascade, generators
from unseat.tasks.index.generators import generate, names


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("n", [1, 2, 3, 17, 4096])
def test_keys_are_sorted_and_distinct(name: str, n: int) -> None:
    """Red: an index would be built on keys that are no sorted set, and every answer would be wrong."""
    keys = generate(name, n, seed=3)
    assert keys.dtype == np.uint64
    assert keys.shape == (n,)
    assert np.all(keys[1:] > keys[:-1])


@pytest.mark.parametrize("name", names())
def test_a_seed_is_a_set(name: str) -> None:
    """Red: what the ledger calls one instance would be other keys each time, or the same with every seed."""
    assert np.array_equal(generate(name, 1000, 5), generate(name, 1000, 5))
    assert not np.array_equal(generate(name, 1000, 5), generate(name, 1000, 6))


def test_raw_draws_are_those_of_every_numpy() -> None:
    """Red: a ledger's instances are other keys with another NumPy."""
    digest = hashlib.sha256(generate("adversarial", 1000, 0).tobytes()).hexdigest()
    assert digest.startswith("10cda8eead35"), digest


def test_adversarial_segments_grow_with_the_error_only() -> None:
    """Red: the set that is built against linear models is one that they fit."""
    for error in (8, 64):
        segments = {name: _segments(generate(name, 20_000, 1), error) for name in ("uniform", "adversarial")}
        assert segments["adversarial"] > 20_000 / (12 * error)
        assert segments["adversarial"] > 3 * segments["uniform"]


def test_cascade_is_the_same_in_plain_python() -> None:
    """Red: the compiled generator has wrapped or rounded a number otherwise than Python does."""
    compiled, plain = np.empty(500, np.uint64), np.empty(500, np.uint64)
    cascade.cascade(np.uint64(7), compiled)
    with np.errstate(over="ignore"):
        python(cascade.cascade)(np.uint64(7), plain)
    assert np.array_equal(compiled, plain)


def test_keys_that_would_be_equal_are_lifted() -> None:
    """Red: duplicates where the generators promise none, or a wrap beyond the type's end."""
    top = 2**64 - 1
    keys = generators._distinct(np.array([top, top, 5, 5, 5, 6, 0], np.uint64))
    assert keys.tolist() == [0, 5, 6, 7, 8, top - 1, top]


@pytest.mark.parametrize(("name", "n", "seed"), [("zipf", 10, 0), ("uniform", 0, 0), ("uniform", 10, -1)])
def test_a_wrong_request_says_what_is_there(name: str, n: int, seed: int) -> None:
    """Red: a mistyped name ends in a traceback."""
    with pytest.raises(UserError, match="generator"):
        generate(name, n, seed)


def _segments(keys: np.ndarray, error: int) -> int:
    """Segments of a greedy piecewise linear model through each segment's first key (a shrinking cone)."""
    at = keys.astype(np.float64)
    count, start, low, high = 1, 0, -np.inf, np.inf
    for i in range(1, len(at)):
        dx, dy = at[i] - at[start], i - start
        if dx == 0:
            continue
        low, high = max(low, (dy - error) / dx), min(high, (dy + error) / dx)
        if low > high:
            count, start, low, high = count + 1, i, -np.inf, np.inf
    return count
