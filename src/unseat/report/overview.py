"""The first screen: every task on one axis, where 1 is the incumbent to beat and less is better."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from unseat.report import digits
from unseat.report.story import Story, relative, relative_interval

_LONGEST = 22


@dataclass(frozen=True)
class Mark:
    """A point on the axis; places are per cent of its width."""

    place: float
    name: str
    text: str
    low: float | None = None
    high: float | None = None

    @property
    def anchor(self) -> str:
        """On which side of the point its label has room, on a phone too."""
        return "start" if self.place < 100 / 3 else "middle" if self.place < 200 / 3 else "end"


@dataclass(frozen=True)
class Strip:
    """A task's row of the axis."""

    incumbent: Mark
    challenger: Mark | None
    bound: Mark | None
    label: str


@dataclass(frozen=True)
class Axis:
    """The axis that the tasks share, logarithmic where the costs spread wide."""

    low: float
    high: float
    log: bool

    @classmethod
    def over(cls, stories: Sequence[Story]) -> Axis:
        """The axis that holds every mark."""
        values = [1.0, 0.9, *(value for story in stories for value in _values(story))]
        log = min(values) > 0 and max(values) / min(values) > 8
        low, high = (math.log(min(values)), math.log(max(values))) if log else (min(values), max(values))
        pad = 0.04 * (high - low)
        return cls(low - pad, high + pad, log)

    def place(self, value: float) -> float:
        """Where a value lies, in per cent of the width."""
        at = math.log(value) if self.log else value
        return round(100 * (at - self.low) / (self.high - self.low), 2)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Place and text of a few round values."""
        low, high = (math.exp(self.low), math.exp(self.high)) if self.log else (self.low, self.high)
        if self.log:
            steps = [base * 10.0**decade for decade in range(-9, 10) for base in (1, 2, 5)]
        else:
            rough = (high - low) / 4
            unit = 10 ** math.floor(math.log10(rough))
            step = next(unit * base for base in (1, 2, 5, 10) if unit * base >= rough)
            steps = [round(index * step, 12) for index in range(math.floor(low / step), math.ceil(high / step) + 1)]
        return [(self.place(step), f"{step:g}×") for step in steps if low <= step <= high]


def strip(story: Story, axis: Axis) -> Strip | None:
    """A task's row, or None where nothing was measured."""
    name = story.results.incumbent
    if name is None or story.incumbent_mean is None:
        return None
    incumbent = Mark(axis.place(1.0), _short(name), digits.number(story.incumbent_mean))
    challenger, bound = _challenger(story, axis), None
    said = [f"{name} at 1"]
    if challenger:
        said.append(f"{story.results.challenger} at {challenger.text}")
    if story.results.bound and story.bound_at is not None:
        bound = Mark(axis.place(story.bound_at), _short(story.results.bound), f"{digits.ratio(story.bound_at)}×")
        said.append(f"{story.results.bound} at {bound.text}")
    return Strip(incumbent, challenger, bound, "Cost relative to the incumbent: " + ", ".join(said))


def _challenger(story: Story, axis: Axis) -> Mark | None:
    comparison, at = story.headline, relative(story.headline, story)
    if comparison is None or at is None:
        return None
    ends = relative_interval(comparison, story)
    low, high = (axis.place(ends[0]), axis.place(ends[1])) if ends else (None, None)
    return Mark(axis.place(at), _short(comparison.a), f"{digits.ratio(at)}×", low, high)


def _values(story: Story) -> list[float]:
    """Every value of a task that the axis must hold."""
    values = [value for value in (relative(story.headline, story), story.bound_at) if value is not None]
    if story.headline is not None:
        values += relative_interval(story.headline, story) or ()
    return values


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"
