"""What there is to tell of one task's results: a row a contender, a line an instance, a curve a series."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from unseat.core.card import Card
from unseat.core.errors import ContractError
from unseat.core.learner import Bounder, Role
from unseat.core.outcome import Status
from unseat.core.task import Objective, Task
from unseat.lab import statistics
from unseat.lab.records import Comparison, Fit, Results, Run

ORDER = (Role.INCUMBENT, Role.CHALLENGER, Role.BASELINE, Role.BOUND)
# Enough for a column of a table; what the verdict rests on comes from the laboratory with its own.
_RESAMPLES = 2_000


@dataclass(frozen=True)
class Cost:
    """What a contender costs beside its value; means over runs, and None where it is not known.

    Attributes:
        fits: How many fits stand behind the runs.
        fit_wall_s: Wall seconds of a fit.
        fit_cpu_s: CPU seconds of a fit.
        fit_runs: Engine runs of a fit.
        start_s: Seconds to get ready for an instance.
        learn_s: Seconds of learning during a run.
        decide_ns: Nanoseconds a decision.
        wall_s: Wall seconds of a run.
        cpu_s: CPU seconds of a run.
    """

    fits: int
    fit_wall_s: float | None
    fit_cpu_s: float | None
    fit_runs: float | None
    start_s: float
    learn_s: float
    decide_ns: float | None
    wall_s: float
    cpu_s: float


@dataclass(frozen=True)
class Row:
    """A contender in the table.

    Attributes:
        mean: Weighted mean of the objective over the instances it ran.
        instances: How many those are.
        rank: Rank among all but the bounds, with ties; None for a bound or where instances are missing.
        versus: Against the incumbent to beat.
        hindsight: Against the best incumbent of each instance.
        failed: How many runs did not end well.
        runs: How many there are.
    """

    name: str
    role: Role
    mean: float
    instances: int
    rank: int | None
    versus: Comparison | None
    hindsight: Comparison | None
    failed: int
    runs: int
    cost: Cost


@dataclass(frozen=True)
class Line:
    """One instance: the values of the headline contenders, means over seeds."""

    instance: str
    group: str
    series: str
    level: float | None
    incumbent: float | None
    challenger: float | None
    bound: float | None
    ratio: float | None
    gap: float | None
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Story:
    """All that the pages and the terminal tell of one task."""

    results: Results
    card: Card
    objective: Objective
    kinds: Mapping[str, str]

    @classmethod
    def of(cls, results: Results, find: Callable[[str], Task]) -> Story:
        """The story of an experiment; the task is looked up for its card, its objective and what its bounds prove."""
        task = find(results.task)
        bounds = {run.contender for run in results.runs if run.role is Role.BOUND}
        made = {name: one.make() for name, one in task.contenders().items() if name in bounds}
        kinds = {name: str(bounder.kind) for name, bounder in made.items() if isinstance(bounder, Bounder)}
        return cls(results, task.card, task.objective, kinds)

    @cached_property
    def runs(self) -> list[Run]:
        """The runs that are judged; those on ``valid`` are there for choosing, unless there are no others."""
        splits = {run.split for run in self.results.runs}
        part = next((split for split in ("test", "train") if split in splits), "valid")
        return [run for run in self.results.runs if run.split == part]

    @cached_property
    def contenders(self) -> dict[str, list[Run]]:
        """Judged runs of each contender."""
        return statistics.by_contender(self.runs)

    @cached_property
    def instances(self) -> int:
        """How many instances are judged."""
        return len({run.instance for run in self.runs})

    @cached_property
    def rows(self) -> list[Row]:
        """A row a contender: by role, then by mean."""
        ranks = self._ranks
        rows = [self._row(name, runs, ranks.get(name)) for name, runs in self.contenders.items()]
        turn = 1 if self.objective.minimise else -1
        return sorted(rows, key=lambda row: (ORDER.index(row.role), turn * row.mean, row.name))

    @cached_property
    def headline(self) -> Comparison | None:
        """The headline challenger against the incumbent to beat."""
        return self._against(self.results.challenger, self.results.comparisons) if self.results.challenger else None

    @cached_property
    def chosen_elsewhere(self) -> bool:
        """Whether a person's own data is judged, and the incumbent to beat was chosen on the built-in data.

        With folds it was chosen on the person's own.
        """
        own = any(run.job.get("data") and run.fold is None for run in self.runs)
        return own and any(run.split == "valid" for run in self.results.runs)

    @cached_property
    def best_incumbent(self) -> Row | None:
        """The best single incumbent on all that is judged, which is known in hindsight only."""
        whole = [row for row in self.rows if row.role is Role.INCUMBENT and self._is_whole(row.name)]
        turn = 1 if self.objective.minimise else -1
        return min(whole, key=lambda row: (turn * row.mean, row.name), default=None)

    def between(self, name: str, other: str) -> Comparison | None:
        """One contender against another where both have run, without gap figures."""
        a, b = self._by_instance(name), self._by_instance(other)
        try:
            return statistics.compare(*([run for each in a if each in b for run in own[each]] for own in (a, b)),
                                      objective=self.objective)  # fmt: skip
        except ContractError:
            return None

    @cached_property
    def lines(self) -> list[Line]:
        """One line an instance, the worst loss of the challenger first."""
        names = (self.results.incumbent, self.results.challenger, self.results.bound)
        first = {run.instance: run for run in reversed(self.runs)}
        by_name = [self._by_instance(name) for name in names]
        best: dict[str, list[Run]] = {}
        for run in self._best:
            best.setdefault(run.instance, []).append(run)
        lines = []
        for instance, run in first.items():
            ran = [own.get(instance, []) for own in by_name]
            incumbent, challenger, bound = (_mean(own) for own in ran)
            lines.append(Line(
                instance, run.group, run.series or instance, run.level, incumbent, challenger, bound,
                self._ratio(challenger, incumbent),
                self._gap(incumbent, challenger, bound, _mean(best.get(instance, []))),
                tuple(one.key for own in ran[:2] for one in own[:1]),
            ))  # fmt: skip
        return sorted(lines, key=lambda line: (-(line.ratio or 0), line.instance))

    @cached_property
    def curves(self) -> dict[str, list[Line]]:
        """Series with more than one level, those with most headroom first; each in order of level."""
        series: dict[str, list[Line]] = {}
        for line in self.lines:
            if line.level is not None:
                series.setdefault(f"{line.group}\n{line.series}", []).append(line)
        curves = {name: sorted(own, key=lambda line: line.level or 0.0) for name, own in series.items()
                  if len({line.level for line in own}) > 1}  # fmt: skip
        return dict(sorted(curves.items(), key=lambda item: (-self._headroom(item[1]), item[0])))

    def value(self, contender: str, instance: str) -> float | None:
        """A contender's mean over seeds on an instance."""
        return _mean(self._by_instance(contender).get(instance, []))

    @cached_property
    def bound_at(self) -> float | None:
        """Where the bound lies, as a cost relative to the incumbent to beat."""
        return relative(self._against(self.results.bound, ()), self) if self.results.bound else None

    @cached_property
    def incumbent_mean(self) -> float | None:
        """The incumbent's weighted mean over the judged instances."""
        runs = self.contenders.get(self.results.incumbent or "")
        return self._mean_of(runs) if runs else None

    def row(self, name: str | None) -> Row | None:
        """The row of a contender."""
        return next((row for row in self.rows if row.name == name), None)

    @cached_property
    def _ranks(self) -> dict[str, int]:
        whole = [run for run in self.runs if run.role is not Role.BOUND and self._is_whole(run.contender)]
        try:
            return statistics.ranks_with_ties(whole, self.objective, resamples=_RESAMPLES)
        except ContractError:
            return {}

    def _is_whole(self, contender: str) -> bool:
        return len(self._by_instance(contender)) == self.instances

    def _row(self, name: str, runs: list[Run], rank: int | None) -> Row:
        compared = name != self.results.incumbent
        return Row(
            name, runs[0].role, self._mean_of(runs), len({run.instance for run in runs}), rank,
            self._against(name, self.results.comparisons) if compared else None,
            next((one for one in self.results.hindsight if one.a == name), None),
            sum(run.outcome.status is not Status.OK for run in runs), len(runs), self._cost(name, runs),
        )  # fmt: skip

    def _against(self, name: str | None, known: Sequence[Comparison]) -> Comparison | None:
        """A contender against the incumbent: as the laboratory gave it, or computed for the table."""
        incumbent = self.results.incumbent
        for one in known:
            if one.a == name and one.b == incumbent:
                return one
        a, b = self.contenders.get(name or "", []), self.contenders.get(incumbent or "", [])
        bound = self.contenders.get(self.results.bound or "", [])
        if not a or not b:
            return None
        try:
            return statistics.compare(a, b, objective=self.objective, min_headroom=self.card.min_headroom,
                                      bound=bound if a is not bound else None, best=self._best,
                                      resamples=_RESAMPLES)  # fmt: skip
        except ContractError:
            return None

    @cached_property
    def _best(self) -> list[Run]:
        return statistics.hindsight(self.runs, self.objective)

    @cached_property
    def _index(self) -> dict[str, dict[str, list[Run]]]:
        index: dict[str, dict[str, list[Run]]] = {}
        for run in self.runs:
            index.setdefault(run.contender, {}).setdefault(run.instance, []).append(run)
        return index

    def _by_instance(self, name: str | None) -> dict[str, list[Run]]:
        return self._index.get(name or "", {})

    def _mean_of(self, runs: list[Run]) -> float:
        return next(iter(statistics.mean_values(runs, self.objective).values()))

    def _ratio(self, a: float | None, b: float | None) -> float | None:
        """Cost of a over cost of b on an instance, or the difference where values can be zero."""
        if a is None or b is None:
            return None
        if self.objective.can_be_zero:
            return a - b if self.objective.minimise else b - a
        over, under = (a, b) if self.objective.minimise else (b, a)
        return over / under if under > 0 else 1.0 if over == under else None

    def _gap(
        self, incumbent: float | None, challenger: float | None, bound: float | None, best: float | None
    ) -> float | None:
        """The gap closed on an instance, if its headroom, from its best incumbent, is enough for gap figures."""
        if incumbent is None or challenger is None or bound is None or best is None:
            return None
        turn = 1 if self.objective.minimise else -1
        room = turn * (best - bound)
        enough = room > 0 and room >= self.card.min_headroom * (1 - 1e-12)
        return turn * (incumbent - challenger) / (turn * (incumbent - bound)) if enough else None

    @staticmethod
    def _headroom(lines: list[Line]) -> float:
        return sum(abs(line.incumbent - line.bound) for line in lines
                   if line.incumbent is not None and line.bound is not None)  # fmt: skip

    def _cost(self, name: str, runs: list[Run]) -> Cost:
        keys = {run.fit for run in runs if run.fit}
        fits: list[Fit] = [fit for fit in self.results.fits if fit.key in keys or (not keys and fit.contender == name)]
        outcomes = [run.outcome for run in runs]
        decisions = [outcome for outcome in outcomes if outcome.decide_s is not None and outcome.decisions]
        spent = sum(outcome.decide_s or 0.0 for outcome in decisions)
        return Cost(
            len(fits), _mean_or_none([fit.wall_s for fit in fits]), _mean_or_none([fit.cpu_s for fit in fits]),
            _mean_or_none([fit.runs for fit in fits]),
            float(np.mean([outcome.start_s for outcome in outcomes])),
            float(np.mean([outcome.learn_s for outcome in outcomes])),
            1e9 * spent / sum(outcome.decisions for outcome in decisions) if decisions else None,
            float(np.mean([outcome.wall_s for outcome in outcomes])),
            float(np.mean([outcome.cpu_s for outcome in outcomes])),
        )  # fmt: skip


def relative(comparison: Comparison | None, story: Story) -> float | None:
    """A comparison as a cost relative to the incumbent: 1 is the incumbent, less is better."""
    return None if comparison is None else _scaled(comparison, story, comparison.difference.point, "point")


def relative_interval(comparison: Comparison, story: Story) -> tuple[float, float] | None:
    """The interval of `relative`."""
    low = _scaled(comparison, story, comparison.difference.low, "low")
    high = _scaled(comparison, story, comparison.difference.high, "high")
    return None if low is None or high is None else (low, high)


def _scaled(comparison: Comparison, story: Story, difference: float | None, part: str) -> float | None:
    if comparison.ratio is not None:
        ratio: float | None = getattr(comparison.ratio, part)
        return ratio
    scale = abs(story.incumbent_mean or 0.0)
    return None if difference is None or scale == 0 else 1 + difference / scale


def _mean(runs: Sequence[Run]) -> float | None:
    return float(np.mean([run.outcome.value for run in runs])) if runs else None


def _mean_or_none(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
