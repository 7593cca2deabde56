"""What won, and by how much, in plain sentences that claim no more than the intervals do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from unseat.core.learner import Role
from unseat.lab.records import Comparison, Interval
from unseat.lab.statistics.bootstrap import MIN_GROUPS
from unseat.report import digits
from unseat.report.story import Row, Story

Tone = Literal["error", "warning", "win", "loss", "tie", "open", "plain"]


@dataclass(frozen=True)
class Sentence:
    """A sentence, and what it means for the reader."""

    text: str
    tone: Tone


def verdict(story: Story) -> list[Sentence]:
    """The sentences of a task, the one that a reader must know first at the front."""
    return [*_violations(story), *_baseline(story), *_headline(story), *_others(story), *_limits(story)]


def change(comparison: Comparison, story: Story) -> str:
    """By how much a's mean differs from b's, as in ``6.1% lower [4.0%, 8.2%]``."""
    better = comparison.difference.point <= 0
    direction = "lower" if better == story.objective.minimise else "higher"
    if comparison.ratio is None:
        unit = f" {story.objective.unit}" if story.objective.unit else ""
        return _sized(comparison.difference, -1.0 if better else 1.0, unit, direction)
    values = comparison.ratio if story.objective.minimise else _inverted(comparison.ratio)
    less = Interval(*(None if value is None else value - 1 for value in (values.point, values.low, values.high)))  # type: ignore[arg-type]
    return _sized(less, -100.0 if direction == "lower" else 100.0, "%", direction)


def _sized(figure: Interval, scale: float, unit: str, direction: str) -> str:
    """A figure, its direction and its interval; the ends are swapped where the sign is."""
    ends = (figure.low, figure.high) if scale > 0 else (figure.high, figure.low)
    turned = Interval(figure.point * scale, *(None if end is None else end * scale for end in ends))
    point, bracket, rest = digits.interval(turned, 1.0, unit).partition(" [")
    return f"{point} {direction}{bracket}{rest}"


def _inverted(figure: Interval) -> Interval:
    low, high = figure.low, figure.high
    return Interval(1 / figure.point, None if not high else 1 / high, None if not low else 1 / low)


def _violations(story: Story) -> list[Sentence]:
    found = story.results.violations
    if not found:
        return []
    worst = found[0]
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return [Sentence(
        f"Error: {worst.contender} beats the bound {worst.bound} on {worst.instance} "
        f"({digits.number(worst.value, 6)} against {digits.number(worst.bound_value, 6)}){more}. One of the two is "
        "wrong, so nothing that rests on this bound can be trusted.", "error",
    )]  # fmt: skip


def _baseline(story: Story) -> list[Sentence]:
    """A constant or random policy that does best is what a reader must know first."""
    whole = [row for row in story.rows if row.role is not Role.BOUND and row.instances == story.instances]
    if not whole:
        return []
    turn = 1 if story.objective.minimise else -1
    best = min(whole, key=lambda row: (turn * row.mean, row.role is Role.BASELINE))
    if best.role is not Role.BASELINE:
        return []
    return [Sentence(
        f"{best.name}, a baseline that learns nothing, does best of all (mean {_value(story, best)}): on these "
        "instances nothing here deserves to be called better.", "warning",
    )]  # fmt: skip


def _headline(story: Story) -> list[Sentence]:
    incumbent = story.row(story.results.incumbent)
    if incumbent is None:
        return [Sentence("No incumbent was measured, so there is nothing to beat.", "plain")]
    comparison = story.headline
    if comparison is None:
        room = story.bound_at
        left = f" {story.results.bound} would be {_room(room)}." if room is not None else ""
        best = _better_here(story)
        here = f"; in hindsight {best.name} does best here, with {_value(story, best)}" if best else ""
        return [Sentence(f"No challenger was measured. {incumbent.name} is the incumbent to beat, with a mean "
                         f"{story.objective.name} of {_value(story, incumbent)}{here}.{left}", "open")]  # fmt: skip
    return [_compared(comparison, story)]


def _compared(comparison: Comparison, story: Story) -> Sentence:
    a, b, name = comparison.a, comparison.b, story.objective.name
    best = _better_here(story)
    other = story.between(a, best.name) if best else None
    also = _also(comparison, other, story) if other else ""
    gap = ""
    if comparison.gap_closed is not None:
        gap = _gap(comparison.gap_closed, story.results.bound)
    difference = comparison.difference
    groups = f"{comparison.groups} group{'s' if comparison.groups > 1 else ''}"
    if difference.low is None or difference.high is None:
        if difference.point == 0:
            return Sentence(f"{a} and {b} have the same mean {name}{also}, over {groups}.", "tie")
        return Sentence(f"The mean {name} of {a} is {change(comparison, story)} than that of {b}{also}, over {groups}: "
                        f"too few for an interval, so this speaks for these instances alone.{gap}", "open")  # fmt: skip
    if comparison.groups < MIN_GROUPS:
        gap += f" The interval is over time, within {groups}, and speaks for these instances alone."
    if difference.high < 0:
        won: Tone = "win" if other is None or (other.difference.high or 0.0) < 0 else "tie"
        return Sentence(f"{a} beats {b}: its mean {name} is {change(comparison, story)}{also}.{gap}", won)
    if difference.low > 0:
        return Sentence(f"{_nobody(story)}{a} does worse than {b}: its mean {name} is {change(comparison, story)}, "
                        f"{_costs(comparison, story)}{also}.{gap}", "loss")  # fmt: skip
    return Sentence(f"{_nobody(story)}{a} cannot be told from {b}: its mean {name} is {change(comparison, story)}, "
                    f"{_costs(comparison, story)}{also}.{gap}", "tie")  # fmt: skip


def _better_here(story: Story) -> Row | None:
    """The best incumbent of a person's own data, if the incumbent to beat was chosen elsewhere and is another."""
    best = story.best_incumbent if story.chosen_elsewhere else None
    return None if best is None or best.name == story.results.incumbent else best


def _also(comparison: Comparison, other: Comparison, story: Story) -> str:
    """The same challenger against the best incumbent in hindsight, as the sentence goes on."""
    alike = (comparison.difference.point < 0) == (other.difference.point < 0)
    joint = "which is" if comparison.difference.point == 0 else "and" if alike else "but"
    return f", {joint} {change(other, story)} than that of {other.b}, in hindsight the best incumbent here"


def _gap(closed: Interval, bound: str | None) -> str:
    if closed.point >= 0:
        return f" It closes {digits.percent(closed)} of the gap to {bound}."
    wider = Interval(-closed.point, *(None if end is None else -end for end in (closed.high, closed.low)))
    return f" It widens the gap to {bound} by {digits.percent(wider)}."


def _nobody(story: Story) -> str:
    """The general statement, where nobody's own interval speaks against it."""
    seem = [one for one in _challengers(story) if one.difference.high is not None and one.difference.high < 0]
    return "" if seem else f"No challenger beats {story.results.incumbent}. "


def _costs(comparison: Comparison, story: Story) -> str:
    if comparison.ratio is None:
        return f"a difference of {digits.interval(comparison.difference)}"
    return f"{digits.interval(comparison.ratio, 1.0, '×')} the cost"


def _challengers(story: Story) -> list[Comparison]:
    """Every challenger against the incumbent to beat."""
    roles = {row.name: row.role for row in story.rows}
    return [one for one in story.results.comparisons
            if roles.get(one.a) is Role.CHALLENGER and one.b == story.results.incumbent]  # fmt: skip


def _winners(story: Story) -> list[Comparison]:
    """Challengers that beat the incumbent after Holm over all of them."""
    return [one for one in _challengers(story)
            if one.p_holm is not None and one.p_holm < 0.025 and one.difference.point < 0]  # fmt: skip


def _others(story: Story) -> list[Sentence]:
    """Challengers that would have won, had they been the one that was chosen."""
    shown = story.headline
    if shown is None or shown.difference.high is None or shown.difference.high < 0:
        return []
    names = [one.a for one in _winners(story) if one.a != shown.a]
    if not names:
        return []
    beat, was = ("beat", "were") if len(names) > 1 else ("beats", "was")
    return [Sentence(f"{', '.join(names)} {beat} {story.results.incumbent} here (after Holm over all challengers) but "
                     f"{was} not chosen as the headline beforehand.", "plain")]  # fmt: skip


def _limits(story: Story) -> list[Sentence]:
    """What the verdict leaves out."""
    sentences = []
    if story.results.bound is None:
        sentences.append(Sentence("No bound is proven for this task, so what is left to gain is not known.", "plain"))
    failed = [row for row in story.rows if row.failed]
    if failed:
        shown = ", ".join(f"{row.name} {row.failed} of {row.runs}" for row in failed)
        sentences.append(Sentence(f"Failed runs count with their failure value: {shown}.", "plain"))
    return sentences


def _value(story: Story, row: Row) -> str:
    unit = f" {story.objective.unit}" if story.objective.unit else ""
    return digits.number(row.mean) + unit


def _room(bound_at: float) -> str:
    share = digits.number(100 * abs(1 - bound_at), 2)
    return f"{share}% {'less' if bound_at <= 1 else 'more'} in cost"
