"""Seeded synthetic key sets, from those that one line fits to those that no line fits.

All draws come from NumPy's PCG64 by its raw uniform doubles, so that a seed gives the same keys with every NumPy.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import UserError

Keys = NDArray[np.uint64]
Doubles = NDArray[np.float64]


def generate(name: str, n: int, seed: int = 0) -> Keys:
    """Distinct keys of a synthetic distribution.

    Args:
        name: "uniform": over all of the type. "normal": around 2**63, a standard deviation of 2**60. "lognormal": sigma
            2, so that half of the keys lie in the first ten-thousandth of their range. "books": long runs of
            alike gaps with sudden steps between them, of heavy-tailed lengths and widths. "adversarial": see
            `_adversarial`.
        n: How many keys, at least 1 and at most 2**31.
        seed: Any non-negative integer.

    Returns:
        uint64[n], sorted, without duplicates.

    Raises:
        UserError: There is no such distribution, or a number is out of its range.
    """
    if name not in _MAKERS:
        raise UserError(f"no generator {name}; known are {', '.join(_MAKERS)}")
    if not 1 <= n <= 2**31 or seed < 0:
        raise UserError(f"generator {name}: n {n}, seed {seed}; n is from 1 to 2**31, the seed is not negative")
    rng = np.random.Generator(np.random.PCG64([seed, list(_MAKERS).index(name)]))
    return _MAKERS[name](rng, n)


def names() -> list[str]:
    """The distributions by name."""
    return list(_MAKERS)


def _distinct(keys: Keys) -> Keys:
    """Sort, and lift what is not above its predecessor to one above it."""
    keys.sort()
    if not np.any(keys[1:] == keys[:-1]):
        return keys
    room = np.arange(len(keys), dtype=np.uint64)[::-1]
    lifted = np.minimum(keys, np.uint64(2**64 - 1) - room) + room
    return np.maximum.accumulate(lifted, out=lifted) - room


def _uniform(rng: np.random.Generator, n: int) -> Keys:
    return _distinct(rng.bit_generator.random_raw(n))


def _standard_normal(rng: np.random.Generator, n: int) -> Doubles:
    """By Box and Muller, from raw uniforms: NumPy's own method may change between versions."""
    drawn: Doubles = np.sqrt(-2 * np.log1p(-rng.random(n))) * np.cos(2 * np.pi * rng.random(n))
    return drawn


def _normal(rng: np.random.Generator, n: int) -> Keys:
    # Rounded around zero, where doubles are finer than they are around 2**63.
    around = (_standard_normal(rng, n).clip(-7.9, 7.9) * 2.0**60).astype(np.int64)
    return _distinct(around.view(np.uint64) ^ np.uint64(1 << 63))


def _lognormal(rng: np.random.Generator, n: int) -> Keys:
    return _distinct((np.exp(2 * _standard_normal(rng, n)) * 2.0**44).astype(np.uint64))


def _books(rng: np.random.Generator, n: int) -> Keys:
    """Runs of Pareto length (shape 1.1, from 16 keys), each with gaps of its own log-normal scale (sigma 3)."""
    lengths = np.empty(0, np.int64)
    while lengths.sum() < n:
        more = 16 * (1 - rng.random(n // 100 + 16)) ** (-1 / 1.1)
        lengths = np.append(lengths, np.minimum(more, n / 10 + 1).astype(np.int64))
    runs = int(np.searchsorted(np.cumsum(lengths), n)) + 1
    lengths = lengths[:runs]
    scale = np.exp(3 * _standard_normal(rng, runs))
    # Between two runs lies a step of about the width of a run, whatever its density.
    step = (1 - rng.random(runs)) ** (-1 / 1.1) * np.mean(lengths * scale)
    unit = 2.0**62 / (np.sum(lengths * scale) + np.sum(step))
    gaps = np.repeat(scale, lengths)[:n]
    gaps *= -np.log1p(-rng.random(n))
    gaps[(np.cumsum(lengths) - lengths)] += step
    gaps *= unit
    keys = gaps.astype(np.uint64)
    keys += np.uint64(1)
    return np.cumsum(keys, out=keys)


def _adversarial(rng: np.random.Generator, n: int) -> Keys:
    """A binomial cascade: of any range's keys, three quarters lie in one of its halves, drawn by a coin.

    Whatever the scale, the density triples from one half of a range to the other. So a straight line through a range of
    m keys errs by at least m/8 at its middle, and more where the halves are no lines either: a segment with error e
    covers a small multiple of e keys, everywhere and for every e. A piecewise linear model then saves no more than a
    constant over a table of every e-th key, where on smooth keys it saves a factor of e. (On uniform keys a segment
    covers about e**2.) A radix table fares no better, as the shares of its cells are as unequal.
    """
    if n == 1:
        return rng.bit_generator.random_raw(1)
    from unseat.tasks.index.cascade import cascade

    keys = np.empty(n, np.uint64)
    cascade(np.uint64(rng.bit_generator.random_raw()), keys)
    return keys


_MAKERS: dict[str, Callable[[np.random.Generator, int], Keys]] = {
    "uniform": _uniform,
    "lognormal": _lognormal,
    "normal": _normal,
    "books": _books,
    "adversarial": _adversarial,
}
