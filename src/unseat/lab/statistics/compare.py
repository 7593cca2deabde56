"""One contender against another: ratio, difference, gap closed, regressions, each with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import ContractError
from unseat.core.task import Objective
from unseat.lab.records import Comparison, Interval, Run
from unseat.lab.statistics import bootstrap, windows
from unseat.lab.statistics.bootstrap import MIN_GROUPS, RESAMPLES, Statistic
from unseat.lab.statistics.choose import HINDSIGHT
from unseat.lab.statistics.pairs import Design, Matrix, paired

Rows = NDArray[np.bool_]


def compare(
    a: Sequence[Run],
    b: Sequence[Run],
    *,
    objective: Objective,
    bound: Sequence[Run] | None = None,
    best: Sequence[Run] | None = None,
    min_headroom: float = 0.0,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Comparison:
    """Compare contender a with b on the same instances and seeds.

    Args:
        a: Every run of the one contender; those of one split.
        b: Every run of the other, usually the incumbent to beat.
        objective: The task's objective.
        bound: Every run of the bound; without it there are no gap figures.
        best: Runs of the best incumbent of each instance (see `hindsight`); an instance's headroom, which decides
            whether it enters the gap figures, is from there (or from b, where b is better) to the bound.
        min_headroom: From the card, in the objective's unit.
        resamples: Resamples of the bootstrap.
        seed: Of the bootstrap; the same runs give the same figures.

    Returns:
        The comparison; `p_holm` is the p-value of this one comparison until `holm` corrects it.

    Raises:
        ContractError: A contender lacks a run that another one has.
    """
    if not a or not b:
        raise ContractError("there are no runs to compare")
    used = [runs for runs in (a, b, bound, best) if runs]
    design, costs = paired(used, objective)
    source = _Source.of(design, costs, used, objective, resamples, seed)
    (difference, ratio), drawn = source.figures(_difference, _ratio if objective.minimise else _ratio_of_gains)
    gap = _Gap.of(source, costs, min_headroom) if bound else None
    differences = drawn[:, 0]
    mean_a, mean_b = costs[0].mean(axis=1), costs[1].mean(axis=1)
    lost = mean_a > mean_b + 1e-12 * np.abs(mean_b)
    return Comparison(
        task=a[0].task, a=a[0].contender, b=b[0].contender,
        ratio=None if objective.can_be_zero else _defined(ratio), difference=difference,
        gap_closed=gap.closed if gap else None, gap_median=gap.median if gap else None,
        p_better=bootstrap.p_better(differences),
        p_holm=bootstrap.p_value(differences, len(design.groups)) if len(design.groups) >= MIN_GROUPS else None,
        regressions=int(lost.sum()), worst=_worst(mean_a, mean_b, objective),
        instances=len(design.instances), groups=len(design.groups), seeds=len(design.seeds), method=source.method,
        per_group=_per_group(source, gap, objective),
        hindsight=b[0].contender == HINDSIGHT,
    )  # fmt: skip


@dataclass(frozen=True)
class _Source:
    """Resamples of a design, and how they were drawn."""

    design: Design
    costs: list[Matrix]
    over_time: list[list[Matrix]] | None
    resamples: int
    seed: int

    @classmethod
    def of(cls, design: Design, costs: list[Matrix], runs: Sequence[Sequence[Run]], objective: Objective,
           resamples: int, seed: int) -> _Source:  # fmt: skip
        few = len(design.groups) < MIN_GROUPS
        return cls(design, costs, windows.matrices(design, runs, objective) if few else None, resamples, seed)

    def take(self, rows: Rows) -> _Source:
        """The same of some of the instances."""
        chosen = np.flatnonzero(rows)
        over_time = self.over_time and [[own[row] for row in chosen] for own in self.over_time]
        return _Source(self.design.take(rows), [matrix[rows] for matrix in self.costs], over_time, self.resamples,
                       self.seed)  # fmt: skip

    def values(self, statistic: Statistic) -> Matrix:
        """The statistic of each resample."""
        if self.over_time:
            return windows.values(self.design, self.over_time, statistic, resamples=self.resamples, seed=self.seed)
        return bootstrap.values(self.design, self.costs, statistic, resamples=self.resamples, seed=self.seed)

    def figures(self, *statistics: Statistic) -> tuple[list[Interval], Matrix]:
        """Figures with their intervals, and the resamples that they share; [resamples, statistics]."""

        def each(weights: Matrix, costs: list[Matrix]) -> Matrix:
            return np.stack([statistic(weights, costs) for statistic in statistics], axis=1)

        means = [matrix.mean(axis=1)[np.newaxis] for matrix in self.costs]
        points, drawn = each(self.design.weight[np.newaxis], means)[0], self.values(each)
        return [self._figure(float(point), own) for point, own in zip(points, drawn.T, strict=True)], drawn

    def _figure(self, point: float, drawn: Matrix) -> Interval:
        """A figure, with an interval where there are groups enough and every resample defines it."""
        groups = len(self.design.groups)
        if (groups < MIN_GROUPS and not self.over_time) or not np.isfinite(drawn).all():
            return Interval(point)
        low, high = bootstrap.interval(drawn, groups) if groups >= MIN_GROUPS else windows.interval(drawn)
        return Interval(point, low, high)

    @property
    def method(self) -> str:
        """How intervals were made, in words."""
        groups = len(self.design.groups)
        if groups >= MIN_GROUPS:
            return (f"hierarchical bootstrap, {self.resamples} resamples of {groups} groups, of the series in each "
                    "(levels stay together) and of seeds; expanded percentile interval, 95%")  # fmt: skip
        inside = f"{groups} group{'s' if groups > 1 else ''}, too few for an interval over groups"
        if self.over_time:
            return f"{inside}; block bootstrap over time, 95%, which speaks for these instances alone"
        return f"{inside}; p_better resamples series and seeds inside and speaks for these groups alone"


@dataclass(frozen=True)
class _Gap:
    """The share of the headroom that was closed, over the instances that have enough of it."""

    closed: Interval
    median: Interval | None
    source: _Source

    @classmethod
    def of(cls, source: _Source, costs: list[Matrix], min_headroom: float) -> _Gap | None:
        means = [matrix.mean(axis=1) for matrix in costs]
        headroom = np.minimum.reduce([means[1], *means[3:]]) - means[2]
        rows = (headroom >= min_headroom * (1 - 1e-12)) & (headroom > 0)
        if not rows.any():
            return None
        inside = source.take(rows)
        (closed, median), _ = inside.figures(_gap_closed, _gap_median)
        return cls(closed, _defined(median), inside) if np.isfinite(closed.point) else None


def _defined(figure: Interval) -> Interval | None:
    return figure if np.isfinite(figure.point) else None


def _mean(weights: Matrix, costs: Matrix) -> Matrix:
    mean: Matrix = np.einsum("ri,ri->r", *np.broadcast_arrays(weights, costs)) / weights.sum(axis=1)
    return mean


def _difference(weights: Matrix, costs: list[Matrix]) -> Matrix:
    return _mean(weights, costs[0] - costs[1])


def _divide(over: Matrix, under: Matrix) -> Matrix:
    """A quotient of positive figures; not a number where the lower one is not above zero."""
    quotient: Matrix = np.divide(over, under, out=np.full(over.shape, np.nan), where=under > 0)
    return quotient


def _ratio(weights: Matrix, costs: list[Matrix]) -> Matrix:
    return _divide(_mean(weights, costs[0]), _mean(weights, costs[1]))


def _ratio_of_gains(weights: Matrix, costs: list[Matrix]) -> Matrix:
    """Of an objective that is maximised, whose costs are negative values: turned around, so that under 1 is better."""
    return _divide(-_mean(weights, costs[1]), -_mean(weights, costs[0]))


def _gap_closed(weights: Matrix, costs: list[Matrix]) -> Matrix:
    return _divide(_mean(weights, costs[1] - costs[0]), _mean(weights, costs[1] - costs[2]))


def _gap_median(weights: Matrix, costs: list[Matrix]) -> Matrix:
    """The median over instances, each with its weight; of equal weights, the plain median."""
    gaps, weights = np.broadcast_arrays(_divide(costs[1] - costs[0], costs[1] - costs[2]), weights)
    order = np.argsort(gaps, axis=1)
    total = np.cumsum(np.take_along_axis(weights, order, axis=1), axis=1)
    half = total[:, -1:] / 2
    ranked = np.take_along_axis(gaps, order, axis=1)
    rows = np.arange(len(ranked))
    low, high = np.argmax(total >= half * (1 - 1e-12), axis=1), np.argmax(total > half * (1 + 1e-12), axis=1)
    median: Matrix = (ranked[rows, low] + ranked[rows, high]) / 2
    return median


def _worst(a: Matrix, b: Matrix, objective: Objective) -> float:
    """The worst of the instances: as a ratio of costs, or as a difference where values can be zero.

    An instance on which the lower figure is zero has no ratio; it counts among the regressions only.
    """
    if objective.can_be_zero:
        return float(np.max(a - b))
    over, under = (a, b) if objective.minimise else (-b, -a)
    ratios = over[under > 0] / under[under > 0]
    return float(ratios.max()) if len(ratios) else 1.0


def _per_group(source: _Source, gap: _Gap | None, objective: Objective) -> dict[str, float]:
    """Each group's gap closed, or its ratio where there are no gap figures, or its difference; of few groups only.

    Groups without headroom leave the gap figures, so that these may have too few groups where the ratio has enough.
    """
    shown, statistic = (gap.source, _gap_closed) if gap else (source, _ratio if objective.minimise else _ratio_of_gains)
    if not gap and objective.can_be_zero:
        statistic = _difference
    if len(shown.design.groups) >= MIN_GROUPS:
        return {}
    figures = {}
    for index, name in enumerate(shown.design.groups):
        rows = shown.design.group == index
        means = [matrix[rows].mean(axis=1)[np.newaxis] for matrix in shown.costs]
        figure = float(statistic(shown.design.weight[rows][np.newaxis], means)[0])
        if np.isfinite(figure):
            figures[name] = figure
    return figures


def holm(comparisons: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """Correct the p-values of a family of comparisons, each as `compare` gave it (S. Holm, 1979)."""
    known = [comparison for comparison in comparisons if comparison.p_holm is not None]
    adjusted = dict(zip(map(id, known), holm_p([one.p_holm for one in known if one.p_holm is not None]), strict=True))
    return tuple(one.with_holm(adjusted[id(one)]) if id(one) in adjusted else one for one in comparisons)


def holm_p(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction: p-values that may all be held against one threshold."""
    order = np.argsort(p_values, kind="stable")
    factors = len(p_values) - np.arange(len(p_values))
    stepped = np.minimum(1.0, np.maximum.accumulate(np.asarray(p_values, dtype=float)[order] * factors))
    adjusted = np.empty(len(p_values))
    adjusted[order] = stepped
    return [float(p) for p in adjusted]
