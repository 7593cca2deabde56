"""Block bootstrap over time, for the few traces of a user who brought his own: no groups, but a long record.

A task whose objective is a mean over time may give it for equal, consecutive stretches of the judged part, as metrics
``window.0``, ``window.1`` and so on. Runs of adjacent stretches are then drawn together, so that what lasts for a
while stays together (H. Künsch, The jackknife and the bootstrap for general stationary observations, Annals of
Statistics 17, 1989; the circular form is of Politis and Romano, 1992). It speaks for these instances alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from unseat.core.task import Objective
from unseat.lab.records import Run
from unseat.lab.statistics.bootstrap import RESAMPLES, Statistic
from unseat.lab.statistics.pairs import Design, Matrix, sign

PREFIX = "window."
MIN_WINDOWS = 20


def matrices(design: Design, contenders: Sequence[Sequence[Run]], objective: Objective) -> list[list[Matrix]] | None:
    """Costs over time of each contender and instance, the mean over its runs; each [windows].

    None where a run has no windows, where they are fewer than `MIN_WINDOWS`, or where runs of one series differ in
    their number.
    """
    lengths: dict[str, int] = {}
    found: list[list[Matrix]] = []
    for runs in contenders:
        own: dict[str, list[Matrix]] = {}
        for run in runs:
            series = _windows(run)
            if len(series) < MIN_WINDOWS or lengths.setdefault(run.series or run.instance, len(series)) != len(series):
                return None
            own.setdefault(run.instance, []).append(series)
        found.append([sign(objective) * np.mean(own[name], axis=0) for name in design.instances])
    return found


def values(
    design: Design, over_time: list[list[Matrix]], statistic: Statistic, *, resamples: int = RESAMPLES, seed: int = 0
) -> Matrix:
    """A statistic of every resample of time; the levels and the contenders of a series share its drawn stretches."""
    rng = np.random.default_rng(seed)
    drawn = [np.empty((resamples, len(design.instances))) for _ in over_time]
    for series in np.unique(design.series):
        rows = np.flatnonzero(design.series == series)
        length = len(over_time[0][rows[0]])
        counts = _counts(length, resamples, rng)
        for matrix, own in zip(drawn, over_time, strict=True):
            for row in rows:
                matrix[:, row] = counts @ own[row] / length
    return statistic(np.broadcast_to(design.weight, drawn[0].shape), drawn)


def interval(drawn: Matrix, level: float = 0.95) -> tuple[float, float]:
    """The percentile interval of a statistic's resamples."""
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _counts(length: int, resamples: int, rng: np.random.Generator) -> Matrix:
    """How often each window is drawn, in blocks of adjacent ones that wrap around; [resamples, length].

    Blocks are about the cube root of the record long, the rate that serves an interval's width best.
    """
    block = max(2, round(length ** (1 / 3)))
    starts = rng.integers(length, size=(resamples, -(-length // block)))
    picks = ((starts[:, :, np.newaxis] + np.arange(block)) % length).reshape(resamples, -1)[:, :length]
    rows = np.repeat(np.arange(resamples), length)
    flat: NDArray[np.int64] = np.bincount(rows * length + picks.ravel(), minlength=resamples * length)
    return flat.reshape(resamples, length).astype(float)


def _windows(run: Run) -> Matrix:
    """The run's windows in order, as far as they are numbered without a hole."""
    metrics = run.outcome.metrics
    series: list[float] = []
    while (value := metrics.get(f"{PREFIX}{len(series)}")) is not None:
        series.append(value)
    return np.array(series, dtype=float)
