"""Gantt charts: every bar is work that was done, and hundreds of thousands of tasks are a small file."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from unseat.core.errors import UserError
from unseat.core.jit import jit
from unseat.core.policy import Form, InvalidAnswer, Policy, Session, View
from unseat.tasks.schedule import figures
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.memory import Machines, logged, table
from unseat.tasks.schedule.generators import batch, generate, poisson
from unseat.tasks.schedule.policies import RuleOf
from unseat.tasks.schedule.problem import Problem
from unseat.tasks.schedule.question import LEVELS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FIFO, FAIR = RuleOf("FIFO", "FIFO"), RuleOf("fair", "fair")
GRAPHS = [generate(seed, size) for seed in (0, 1) for size in (2, 5)]
SMALL = Problem(poisson(GRAPHS, 6, 8000, 0), Machines((7,)))
HOSTILE = "two $\\wrong{$ <b>"
Row = tuple[int, int, int, int]


def rows(m: Any) -> list[Row]:
    """Executor, job, start and end of every task, in order of executor and start; the slow way."""
    jobs = [(int(stage[at.OF_JOB]) - int(m[at.ALL_JOBS])) // at.JOB for stage in table(m, at.ALL_STAGES)]
    return sorted((int(row[at.LOG_EXECUTOR]), jobs[row[at.LOG_STAGE]], int(row[at.LOG_START]), int(row[at.LOG_END]))
                  for row in logged(m))  # fmt: skip


def merged(tasks: list[Row], gap_ms: float) -> list[Row]:
    """Bars, one task after the other."""
    found: list[Row] = []
    for row in sorted(tasks, key=lambda row: (row[0], row[2])):
        last = found[-1] if found else None
        if last and last[:2] == row[:2] and row[2] - last[3] <= gap_ms:
            found[-1] = (*last[:3], row[3])
        else:
            found.append(row)
    return found


def size(figure: Figure) -> tuple[int, str]:
    """Bytes of a figure's SVG, and the SVG."""
    file = io.StringIO()
    figure.savefig(file, format="svg")
    return len(file.getvalue()), file.getvalue()


def corners(axes: Axes, filled: bool) -> set[tuple[float, ...]]:
    """Left, right and executor of each bar, or place of each mark (not filled), as drawn."""
    found: set[tuple[float, ...]] = set()
    for patch in axes.patches:
        if patch.get_fill() is not filled:
            continue
        outline = patch.get_path()
        points = np.asarray(outline.vertices)
        for corner in np.flatnonzero(np.asarray(outline.codes) == outline.MOVETO).tolist():
            (left, low), (right, _) = points[corner].tolist(), points[corner + 1].tolist()
            found.add((left, right, math.floor(low)) if filled else (left,))
    return found


@pytest.mark.parametrize("gap_ms", [0.0, 150.0, 1e9])
def test_bars_are_the_tasks_that_ran(gap_ms: float) -> None:
    """Red: a bar is work that nobody did, work is missing, or a pause or another job vanishes in a bar."""
    m = figures.played(SMALL, FAIR, 0)
    found = [tuple(map(int, row)) for row in zip(*figures.bars(m, gap_ms), strict=True)]
    assert found == merged(rows(m), gap_ms)
    if not gap_ms:
        assert sum(end - start for _, _, start, end in found) == m[at.BUSY_MS] and len(found) < m[at.LOGGED]


def test_panels_stand_above_each_other_on_one_time_axis() -> None:
    """Red: two policies cannot be compared, or a bar, a mark or a title is another's."""
    shown = figures.gantt(SMALL, {"one": FIFO, HOSTILE: FAIR}, 0)
    assert size(shown)[0] and len(shown.axes) == 2 and shown.axes[0].get_xlim() == shown.axes[1].get_xlim()
    assert shown.axes[0].get_position().y0 > shown.axes[1].get_position().y1
    for axes, (name, policy) in zip(shown.axes, {"one": FIFO, HOSTILE: FAIR}.items(), strict=True):
        m = figures.played(SMALL, policy, 0)
        outcome = SMALL.outcome(m)
        title = f"{name}: mean completion {outcome.value:.3g} s, {outcome.metrics['idle_share']:.0%} idle"
        assert axes.get_title("left") == title
        gap = shown.axes[0].get_xlim()[1] * 1000 / 2000
        assert corners(axes, True) == {(start / 1000, end / 1000, float(executor))
                                       for executor, _, start, end in merged(rows(m), gap)}  # fmt: skip
        assert corners(axes, False) == {(done / 1000,) for done in table(m, at.ALL_JOBS)[:, at.DONE_AT].tolist()}


def test_a_long_run_is_a_small_file_that_shows_the_same() -> None:
    """Red: a page with a long run takes minutes to open, or what it shows there is not what ran."""
    problem = Problem(poisson(GRAPHS, 400, 4000, 0), Machines((20,)))
    m = figures.played(problem, FAIR, 0)
    shown = figures.gantt(problem, {"fair": FAIR, "FIFO": FIFO}, 0)
    count, text = size(shown)
    assert m[at.LOGGED] > 50_000 and count < 500_000 and text.count("<image") == 2
    picture = np.asarray(shown.axes[0].images[0].get_array())
    last_ms = shown.axes[0].get_xlim()[1] * 1000
    drawn = merged(rows(m), last_ms / 2000)
    by_executor = [[row for row in drawn if row[0] == executor] for executor in range(20)]
    rng = np.random.default_rng(0)
    for executor, column in zip(
        rng.integers(20, size=300).tolist(), rng.integers(2000, size=300).tolist(), strict=True
    ):
        when = int((column + 0.5) * last_ms / 2000)
        at_work = [job for _, job, start, end in by_executor[executor] if start <= when < end]
        wanted = figures.COLOURS[at_work[0] % len(figures.COLOURS)] if at_work else None
        red, green, blue, alpha = (picture[executor, column] * 255).round().astype(int).tolist()
        assert alpha == (255 if wanted else 0)
        assert wanted is None or f"#{red:02x}{green:02x}{blue:02x}" == wanted


def test_a_short_run_is_drawn_in_lines() -> None:
    """Red: a small chart is blurred when one looks closer, or is a large file."""
    count, text = size(figures.gantt(SMALL, {"FIFO": FIFO, "fair": FAIR}, 0))
    assert "<image" not in text and count < 200_000


@pytest.mark.parametrize("executors", [1, 10_000])
def test_any_cluster_can_be_drawn(executors: int) -> None:
    """Red: one executor, or the most that a cluster can have, ends in an error or a large file."""
    problem = Problem(batch(GRAPHS, 60, 0), Machines((executors,)))
    shown = figures.gantt(problem, {"fair": FAIR}, 0)
    count, _ = size(shown)
    assert count < 500_000
    if executors > 1:
        picture = np.asarray(shown.axes[0].images[0].get_array())
        assert picture.shape[0] <= 1000 and picture[0].any() and picture[-1].any()


@dataclass(frozen=True)
class First(Policy):
    """Gives the first candidate all executors."""

    name: str
    form = Form.DECIDE

    def start(self, view: View, seed: int) -> Session:
        class Mine(Session):
            def decide(self, observation: Any) -> int:
                return LEVELS

        return Mine()


@jit
def first(stages: Any, row: Any) -> tuple[int, int]:
    """As a kernel: a row of the candidates, and all executors."""
    return row[0], 1_000_000


@dataclass(frozen=True)
class Compiled(Policy):
    """Gives a row of the candidates all executors."""

    name: str
    row: int
    form = Form.KERNEL

    def start(self, view: View, seed: int) -> Session:
        session = Session()
        session.kernel = first, (np.array([self.row]),)
        return session


def test_policies_of_every_form_are_drawn() -> None:
    """Red: a learned policy has no chart, or its wrong answer is drawn."""
    problem = Problem(poisson(GRAPHS, 4, 8000, 0), Machines((5,)))
    policies: Mapping[str, Policy] = {"asked": First("asked"), "compiled": Compiled("compiled", 0)}
    asked, compiled = figures.gantt(problem, policies, 0).axes
    assert corners(asked, True) == corners(compiled, True) and asked.get_title("left")
    with pytest.raises(InvalidAnswer, match="kernel"):
        figures.gantt(problem, {"wrong": Compiled("wrong", 1000)}, 0)


def test_a_chart_is_saved_in_the_form_of_its_ending(tmp_path: Path) -> None:
    """Red: a person cannot have the chart of a run, or a wrong path ends in a traceback."""
    for ending, begin in (("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")):
        path = tmp_path / f"run.{ending}"
        figures.save_gantt(SMALL, FAIR, path)
        assert path.read_bytes().startswith(begin)
    with pytest.raises(UserError, match=r"\.svg"):
        figures.save_gantt(SMALL, FAIR, tmp_path / "run.docx")
    with pytest.raises(UserError, match="No such file"):
        figures.save_gantt(SMALL, FAIR, tmp_path / "nowhere" / "run.svg")
    with pytest.raises(UserError, match="no policy"):
        figures.gantt(SMALL, {}, 0)
