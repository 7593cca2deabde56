"""Hierarchical bootstrap: groups, then the series of a group, then seeds.

Groups are the units of independence. The levels of one series (one trace at several capacities) stay together: they
are one draw of the world seen under several conditions. Seeds are crossed with instances and not nested in them,
since the fit of a seed decides every instance, so a seed is drawn for all instances at once.

Percentiles of a bootstrap over few groups are too narrow; the *expanded percentile* interval widens them as Student's
t does for a mean (T. Hesterberg, What Teachers Should Know About the Bootstrap, The American Statistician 69, 2015).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from unseat.lab.statistics.pairs import Design, Matrix

# Fewer groups than this say too little about groups that were not measured.
MIN_GROUPS = 5
RESAMPLES = 10_000

# A statistic of weights [resamples, instances] and of each contender's costs [resamples or 1, instances].
Statistic = Callable[[Matrix, list[Matrix]], Matrix]


def draws(
    design: Design, costs: list[Matrix], *, resamples: int = RESAMPLES, seed: int = 0
) -> Iterator[tuple[Matrix, list[Matrix]]]:
    """Resampled weights and costs, in pieces that keep memory small.

    With fewer than `MIN_GROUPS` groups the groups stay fixed, and series and seeds are drawn inside them.

    Args:
        design: What depends on what.
        costs: Matrices [instances, seeds].
        resamples: How many resamples in total.
        seed: Of the generator; equal seeds give equal draws.

    Yields:
        Weights [piece, instances], and costs [piece or 1, instances] for each matrix.
    """
    rng = np.random.default_rng(seed)
    piece = max(1, min(resamples, 2_000_000 // max(1, len(design.instances))))
    for begin in range(0, resamples, piece):
        size = min(piece, resamples - begin)
        counts = _series_counts(design, size, rng)
        weights = counts[:, design.series] * design.weight
        yield weights, [_over_seeds(matrix, picks) for picks in [_seed_picks(design, size, rng)] for matrix in costs]


def values(
    design: Design, costs: list[Matrix], statistic: Statistic, *, resamples: int = RESAMPLES, seed: int = 0
) -> Matrix:
    """A statistic of every resample; [resamples, ...]."""
    return np.concatenate([
        statistic(weights, drawn) for weights, drawn in draws(design, costs, resamples=resamples, seed=seed)
    ])  # fmt: skip


def interval(drawn: Matrix, groups: int, level: float = 0.95) -> tuple[float, float]:
    """The expanded percentile interval of a statistic's resamples, over that many groups."""
    tail = _tail(groups, level)
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return float(low), float(high)


def below_zero(drawn: Matrix, groups: int, level: float = 0.95) -> NDArray[np.bool_]:
    """Whether the whole `interval` of each column lies below zero; bool [columns].

    Counting resamples below zero says so without sorting any, but where its end lies between one of them and the next.
    """
    place = (len(drawn) - 1) * (1 - _tail(groups, level))
    under = np.count_nonzero(drawn < 0, axis=0)
    found: NDArray[np.bool_] = under > np.floor(place) + 1
    for column in np.flatnonzero(under == np.floor(place) + 1):
        found[column] = interval(drawn[:, column], groups, level)[1] < 0
    return found


def _tail(groups: int, level: float) -> float:
    from scipy.special import ndtr, stdtrit

    return float(ndtr(_stretch(groups) * stdtrit(groups - 1, (1 - level) / 2)))


def p_value(drawn: Matrix, groups: int) -> float:
    """One-sided p-value that a difference is not below zero; agrees with `interval`."""
    from scipy.special import ndtri, stdtr

    share = (np.sum(drawn >= 0) + 1) / (len(drawn) + 1)
    return float(stdtr(groups - 1, ndtri(min(share, len(drawn) / (len(drawn) + 1))) / _stretch(groups)))


def p_better(drawn: Matrix) -> float:
    """Share of the resamples in which a difference is below zero; a tie counts half."""
    return float(np.mean(drawn < 0) + np.mean(drawn == 0) / 2)


def _stretch(groups: int) -> float:
    return float(np.sqrt(groups / (groups - 1)))


def _series_counts(design: Design, size: int, rng: np.random.Generator) -> Matrix:
    """How often each series is drawn; [size, series]."""
    groups = len(design.groups)
    if groups < MIN_GROUPS:
        times = np.ones((size, groups), dtype=np.int64)
    else:
        times = rng.multinomial(groups, np.full(groups, 1 / groups), size=size)
    counts = np.empty((size, int(design.series.max()) + 1))
    for group in range(groups):
        members = np.unique(design.series[design.group == group])
        # A group drawn k times has its n series drawn k·n times.
        counts[:, members] = rng.multinomial(times[:, group] * len(members), np.full(len(members), 1 / len(members)))
    return counts


def _seed_picks(design: Design, size: int, rng: np.random.Generator) -> Matrix | None:
    """How much each seed weighs; [size, seeds], rows sum to one."""
    seeds = len(design.seeds)
    return None if seeds == 1 else rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=size) / seeds


def _over_seeds(matrix: Matrix, picks: Matrix | None) -> Matrix:
    return matrix.T if picks is None else picks @ matrix.T
