"""The tables that `unseat run` prints: readable at 80 columns, and more at 120."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from unseat.core import registry
from unseat.core.learner import Role
from unseat.core.task import Task
from unseat.lab.records import Results, Run
from unseat.report import digits
from unseat.report.story import ORDER, Row, Story
from unseat.report.verdict import verdict

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_WIDE = 100
_LEVELS = 5
_STYLE = {
    "error": "bold red",
    "warning": "yellow",
    "win": "bold",
    "loss": "bold",
    "tie": "bold",
    "open": "bold",
    "plain": "",
}


def terminal(
    results: Results, console: Console, data: bool = False, *, find: Callable[[str], Task] = registry.task
) -> None:
    """Print the contenders of an experiment by role, and what came out of it.

    Args:
        results: What `unseat.evaluate` gave.
        console: Where to print.
        data: Whether a person brought data of their own: then each level has a column, few instances or many.
        find: Gives the task of an id.
    """
    from rich.text import Text

    story = Story.of(results, find)
    console.print()
    console.print(Text.assemble((story.card.full_id, "bold"), f"  {story.card.title}"))
    levels = _levels(story, data, console.width)
    console.print(_table(story, console.width, levels))
    console.print(Text(_caption(story, levels), style="dim"))
    for sentence in verdict(story):
        console.print(Text(sentence.text, style=_STYLE[sentence.tone]))
    for name, reason in results.skipped.items():
        console.print(Text(f"Not measured: {name}: {reason}", style="dim"))


def _table(story: Story, width: int, levels: Sequence[float]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    columns = ["contender", *(digits.level(story.card)(level) for level in levels)]
    columns += [] if levels else ["mean"]
    columns += ["difference" if story.objective.can_be_zero else "cost ratio", "gap closed"]
    columns += ["a decision", "training"] if width >= _WIDE else []
    columns += ["failed"] if any(row.failed for row in story.rows) else []
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(columns):
        # A long name wraps rather than ends in dots.
        table.add_column(Text(column), justify="right" if index else "left", overflow="fold", no_wrap=False,
                         min_width=10 if not index else None)  # fmt: skip
    for role in ORDER:
        rows = [row for row in story.rows if row.role is role]
        if rows:
            table.add_row(Text(f"{role}s" if len(rows) > 1 else str(role), style="dim italic"))
        for row in rows:
            style = "bold" if row.name in (story.results.incumbent, story.results.challenger) else ""
            table.add_row(*map(Text, _cells(row, story, levels, columns)), style=style)
    if story.results.bound and story.results.incumbent:
        table.add_row(*map(Text, _headroom(story, levels, columns)), style="dim")
    return table


def _cells(row: Row, story: Story, levels: Sequence[float], columns: Sequence[str]) -> list[str]:
    runs = story.contenders[row.name]
    kind = f" ({story.kinds[row.name]})" if row.name in story.kinds else ""
    cells = [f" {row.name}{kind}", *(digits.number(_at(runs, level)) for level in levels)]
    if "mean" in columns:
        part = "" if row.instances == story.instances else f" on {row.instances} of {story.instances}"
        cells.append(digits.number(row.mean) + part)
    versus = row.versus
    if versus is None:
        cells += ["1×" if row.name == story.results.incumbent and not story.objective.can_be_zero else digits.NONE, ""]
    else:
        ratio = digits.interval(versus.ratio, 1.0, "×") if versus.ratio else digits.interval(versus.difference)
        cells += [ratio, "" if row.role is Role.BOUND else digits.percent(versus.gap_closed)]
    if "training" in columns:
        cells += [digits.nanoseconds(row.cost.decide_ns), digits.seconds(row.cost.fit_wall_s)]
    if "failed" in columns:
        cells.append(f"{row.failed} of {row.runs}" if row.failed else "")
    return cells


def _headroom(story: Story, levels: Sequence[float], columns: Sequence[str]) -> list[str]:
    """From the incumbent to beat to the bound, in the objective's unit."""
    incumbent = story.contenders[story.results.incumbent or ""]
    bound = story.contenders[story.results.bound or ""]
    cells = ["headroom"]
    for level in levels:
        ends = _at(incumbent, level), _at(bound, level)
        cells.append(
            digits.number(abs(ends[0] - ends[1])) if ends[0] is not None and ends[1] is not None else digits.NONE
        )
    if "mean" in columns:
        ends = story.incumbent_mean, next(row.mean for row in story.rows if row.name == story.results.bound)
        cells.append(
            digits.number(abs(ends[0] - ends[1])) if ends[0] is not None and ends[1] is not None else digits.NONE
        )
    return cells + [""] * (len(columns) - len(cells))


def _levels(story: Story, data: bool, width: int) -> list[float]:
    """The levels that have a column: all, where a person asked for them, as far as there is room."""
    levels = sorted({run.level for run in story.runs if run.level is not None})
    room = _LEVELS if width >= _WIDE else 3
    return levels if data and 0 < len(levels) <= room else []


def _at(runs: Sequence[Run], level: float) -> float | None:
    """Weighted mean at a level."""
    own = [run for run in runs if run.level == level]
    return float(np.average([run.outcome.value for run in own], weights=[run.weight for run in own])) if own else None


def _caption(story: Story, levels: Sequence[float]) -> str:
    unit = f" ({story.objective.unit})" if story.objective.unit else ""
    by = f" at {story.card.level or 'each level'}" if levels else ""
    drawn = any(row.versus and row.versus.difference.low is not None for row in story.rows)
    shown = "; in brackets 95% intervals" if drawn else ""
    better = "less" if story.objective.minimise else "more"
    return (f"{'' if levels else 'mean '}{story.objective.name}{unit}{by}, {better} is better; {story.instances} "
            f"instance{'s' if story.instances != 1 else ''}{shown}")  # fmt: skip
