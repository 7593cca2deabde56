"""What a run looks like: a Gantt chart, which executor works for which job at what time. And how Decima learned."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from unseat.core.errors import UserError
from unseat.core.policy import Asker, Policy
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.layout import Float32, Float64, Memory
from unseat.tasks.schedule.engine.memory import logged, table
from unseat.tasks.schedule.problem import Problem
from unseat.tasks.schedule.question import assign, serve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377")
"""Of jobs, in turn: P. Tol's bright scheme (Colour Schemes, SRON/EPS/TN/09-002, 2021) without its grey. Colour-blind
people can tell them apart, and all can be seen on white and on black."""

_WIDTH, _LEFT, _RIGHT, _FOOT, _HEAD = 10.5, 0.62, 0.12, 0.5, 0.36
# A gap shorter than this share of the time axis is half a pixel: what lies beside it is one bar.
_GAP = 1 / 2000
# A bar is 80 bytes of SVG and a mark 40; of more of them pixels are smaller. They are half as wide as the page's own.
_MOST_BARS, _MOST_MARKS = 4000, 2000
_ROWS, _COLUMNS = 400, 2000
_PIXELS_PER_INCH = 200
# Rows of executors that are thinner than this share of an inch have no line of paper between them.
_THIN = 0.045
_LONGEST_NAME = 70


class Bars(NamedTuple):
    """Times in which an executor works for a job, one after the other of an executor; all int64, of one length.

    Attributes:
        executor: Number of the executor.
        job: Number of the job.
        start, end: In ms.
    """

    executor: Memory
    job: Memory
    start: Memory
    end: Memory


class _Panel(NamedTuple):
    title: str
    bars: Bars
    done_s: Float64


def gantt(problem: Problem, policies: Mapping[str, Policy], seed: int) -> Figure:
    """Run policies, and draw who works for whom: a panel each, on one time axis.

    A bar is an executor at work for a job, in the job's colour. While an executor moves or has nothing to do there is
    none. A mark above the bars is where the job of its colour is done.

    Args:
        problem: Jobs and machines.
        policies: By the names that stand above the panels; at least one.
        seed: Of the runs.

    Raises:
        UserError: There is no policy.
        InvalidAnswer: A policy's answer is none.
        ContractError: A run did not come to its end.
    """
    from matplotlib.figure import Figure

    if not policies:
        raise UserError("no policy to draw; give at least one")
    ends = {name: played(problem, policy, seed) for name, policy in policies.items()}
    last_ms = max(int(m[at.NOW]) for m in ends.values())
    panels = [_panel(problem, name, m, last_ms * _GAP) for name, m in ends.items()]
    in_pixels = sum(len(panel.bars.job) for panel in panels) > _MOST_BARS
    executors = problem.machines.executors
    each = float(np.clip(0.036 * executors, 1.1, 2.3))
    height = len(panels) * (_HEAD + each) + _FOOT
    figure = Figure(figsize=(_WIDTH, height), dpi=_PIXELS_PER_INCH)
    for place, panel in enumerate(panels):
        low = _FOOT + (len(panels) - 1 - place) * (_HEAD + each)
        box = (_LEFT / _WIDTH, low / height, 1 - (_LEFT + _RIGHT) / _WIDTH, each / height)
        axes = figure.add_axes(box)
        if in_pixels:
            _draw_pixels(axes, panel.bars, executors, last_ms)
        else:
            _draw_bars(axes, panel.bars, 0.86 if each / executors > _THIN else 1.0)
        _draw_marks(axes, panel.done_s, executors)
        _finish(axes, panel.title, executors, last_ms)
        axes.tick_params(labelbottom=place == len(panels) - 1)
    axes.set_xlabel("time (s); a bar has its job's colour, and so has the mark above where the job is done", loc="left")
    return figure


def learning_curve(curve: Float32) -> Figure:
    """How training went, on the validation workloads.

    Args:
        curve: See `Decima.curve`.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, 2.6))
    axes = figure.add_axes((_LEFT / _WIDTH, 0.22, 1 - (_LEFT + _RIGHT) / _WIDTH, 0.64))
    episodes, now, best = curve[:, 0], np.exp(curve[:, 1]), np.exp(curve[:, 2])
    axes.plot(episodes, now, color=COLOURS[0], linewidth=0.8, alpha=0.6, label="so far trained")
    axes.plot(episodes, best, color=COLOURS[0], linewidth=1.6, label="best so far, which is kept")
    axes.axhline(1.0, color=COLOURS[1], linewidth=1.0, label="fair shares")
    axes.set_xlim(0, float(episodes[-1]))
    axes.set_ylim(min(0.9, float(best[-1]) * 0.95), min(float(now.max()), 2.5))
    axes.set_ylabel("times fair")
    axes.set_xlabel("episodes; mean completion time on the validation workloads, geometric mean", loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="upper right", frameon=False)
    axes.set_title(f"ends at {best[-1]:.3g} times the mean completion time of fair shares", loc="left", pad=5)
    return figure


def save_gantt(problem: Problem, policy: Policy, path: Path, seed: int = 0) -> None:
    """Run a policy, and write its Gantt chart; see `gantt`.

    Args:
        problem: Jobs and machines.
        policy: Any policy of this task.
        path: An SVG, PDF or PNG file, by its ending.
        seed: Of the run.

    Raises:
        UserError: The file cannot be written, or not in the form that its ending asks for.
    """
    figure = gantt(problem, {policy.name: policy}, seed)
    try:
        figure.savefig(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{path}: cannot be written ({reason}); give a path that ends in .svg, .pdf or .png") from error


def played(problem: Problem, policy: Policy, seed: int) -> Memory:
    """The last state of a run, with the log of its tasks.

    Raises:
        InvalidAnswer: An answer is none.
    """
    m = problem.cluster.begin(seed, log=True)
    serve(m, problem.cluster, Asker(policy.start(problem.view(), seed), assign()))
    return m


def bars(m: Memory, gap_ms: float = 0.0) -> Bars:
    """The log of a run as bars.

    Args:
        m: The last state of a run that was logged.
        gap_ms: Tasks of a job that follow each other on an executor after no more than this are one bar.
    """
    rows = logged(m)
    rows = rows[np.lexsort((rows[:, at.LOG_START], rows[:, at.LOG_EXECUTOR]))]
    jobs = (table(m, at.ALL_STAGES)[:, at.OF_JOB] - m[at.ALL_JOBS]) // at.JOB
    executor, job = rows[:, at.LOG_EXECUTOR], jobs[rows[:, at.LOG_STAGE]]
    start, end = rows[:, at.LOG_START], rows[:, at.LOG_END]
    begins = np.ones(len(rows), np.bool_)
    begins[1:] = (executor[1:] != executor[:-1]) | (job[1:] != job[:-1]) | (start[1:] - end[:-1] > gap_ms)
    return Bars(executor[begins], job[begins], start[begins], end[np.roll(begins, -1)])


def _panel(problem: Problem, name: str, m: Memory, gap_ms: float) -> _Panel:
    outcome = problem.outcome(m)
    shown = name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
    mean = f"{outcome.value:,.0f}" if outcome.value >= 1000 else f"{outcome.value:.3g}"
    title = f"{shown}: mean completion {mean} s, {outcome.metrics['idle_share']:.0%} idle"
    return _Panel(title, bars(m, gap_ms), table(m, at.ALL_JOBS)[:, at.DONE_AT] / 1000)


def _draw_bars(axes: Axes, own: Bars, thick: float) -> None:
    for number, colour in enumerate(COLOURS):
        chosen = own.job % len(COLOURS) == number
        left, right, low = own.start[chosen] / 1000, own.end[chosen] / 1000, own.executor[chosen] + (1 - thick) / 2
        corners = [(left, low), (right, low), (right, low + thick), (left, low + thick)]
        _add(axes, corners, facecolor=colour, linewidth=0)


def _draw_pixels(axes: Axes, own: Bars, executors: int, last_ms: int) -> None:
    """Bars as a picture: each pixel is what one executor does at one moment."""
    from matplotlib.colors import to_rgba_array

    rows, columns = min(executors, _ROWS), min(last_ms, _COLUMNS)
    executor = ((np.arange(rows) + 0.5) * executors / rows).astype(np.int64)
    when = ((np.arange(columns) + 0.5) * last_ms / columns).astype(np.int64)
    # Bars are in order of executor and start: the last one that has begun is the one at work, or none is.
    begins = own.executor * (last_ms + 1) + own.start
    place = np.searchsorted(begins, executor[:, None] * (last_ms + 1) + when, side="right") - 1
    works = (place >= 0) & (own.executor[place] == executor[:, None]) & (own.end[place] > when)
    picture = np.zeros((rows, columns, 4))
    picture[works] = to_rgba_array(COLOURS)[own.job[place[works]] % len(COLOURS)]
    axes.imshow(picture, extent=(0, last_ms / 1000, 0, executors), origin="lower", aspect="auto", interpolation="none")


def _draw_marks(axes: Axes, done_s: Float64, executors: int) -> None:
    for number, colour in enumerate(COLOURS):
        at_s = done_s[number :: len(COLOURS)]
        ends = [(at_s, np.full(len(at_s), share * executors)) for share in (1.03, 1.1)]
        _add(axes, ends, fill=False, edgecolor=colour, linewidth=1.3, clip_on=False,
             rasterized=len(done_s) > _MOST_MARKS)  # fmt: skip


def _finish(axes: Axes, title: str, executors: int, last_ms: int) -> None:
    axes.set_xlim(0, last_ms / 1000)
    axes.set_ylim(0, executors * 1.1)
    axes.set_yticks(sorted({0, executors // 2, executors}))
    axes.set_ylabel("executor")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines["left"].set_bounds(0, executors)
    axes.set_title(title, loc="left", pad=5, parse_math=False)


def _add(axes: Axes, corners: list[tuple[Float64, Float64]], **style: Any) -> None:
    """Add polygons (of two corners: lines) as one path: an element for each would be several times as large."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path as Outline

    points = np.stack([np.column_stack(corner) for corner in corners], axis=1)
    codes = np.full(points.shape[:2], Outline.LINETO, np.uint8)
    codes[:, 0] = Outline.MOVETO
    if len(corners) > 2:
        points = np.concatenate([points, points[:, :1]], axis=1)
        codes = np.concatenate([codes, np.full((len(codes), 1), Outline.CLOSEPOLY, np.uint8)], axis=1)
    if len(points):
        axes.add_patch(PathPatch(Outline(points.reshape(-1, 2), codes.ravel()), **style))
