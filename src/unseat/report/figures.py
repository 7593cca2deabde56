"""Figures as inline SVG: text stays text, and colours are the page's own, so that they follow light and dark mode."""

from __future__ import annotations

import io
import itertools
import math
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from unseat.core.task import Objective
from unseat.report.anytime import Anytime
from unseat.report.story import Line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Colours that stand for the page's variables until the SVG is written; no figure uses them otherwise.
_COLOURS = {"ink": "#010101", "muted": "#020202", "faint": "#030303", "challenger": "#040404", "incumbent": "#050505",
            "bound": "#060606", "loss": "#070707"}  # fmt: skip
_SETTINGS: Any = {
    "svg.fonttype": "none", "svg.hashsalt": "unseat", "text.parse_math": False, "axes.formatter.use_mathtext": False,
    "font.size": 10, "axes.titlesize": 10, "axes.labelsize": 9.5, "xtick.labelsize": 9.5, "ytick.labelsize": 9.5,
    "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": _COLOURS["muted"],
    "axes.labelcolor": _COLOURS["muted"], "xtick.color": _COLOURS["muted"], "ytick.color": _COLOURS["muted"],
    "axes.titlecolor": _COLOURS["ink"], "text.color": _COLOURS["ink"], "axes.linewidth": 0.7,
    "xtick.major.width": 0.7, "ytick.major.width": 0.7, "xtick.minor.size": 0, "ytick.minor.size": 0,
}  # fmt: skip
# Of figures that a task draws, where it leaves them as they are: no paper of their own, and ink that follows the page.
_THEIR_SETTINGS: Any = {
    "figure.facecolor": "none", "axes.facecolor": "none", "lines.color": _COLOURS["ink"],
    "patch.edgecolor": _COLOURS["ink"], "hatch.color": _COLOURS["ink"], "grid.color": _COLOURS["faint"],
    "legend.edgecolor": _COLOURS["faint"],
}  # fmt: skip
# Beyond this spread an axis is logarithmic.
_WIDE = 8.0


def curve(
    lines: Sequence[Line],
    others: Sequence[Sequence[float | None]],
    level: Callable[[float], str],
    *,
    name: str,
    label: str,
) -> str:
    """The objective against the level, for one series.

    Args:
        lines: The series' instances in order of level.
        others: Values of the other incumbents at these levels, drawn faintly behind.
        level: How a level is written.
        name: Unique in the page; prefixes every id.
        label: What the figure shows, for those who do not see it.
    """
    levels = [line.level or 0.0 for line in lines]
    # Places on a plain axis with ticks of our own: Matplotlib's logarithmic one costs more than all the rest.
    wide = min(levels) > 0 and max(levels) / min(levels) >= _WIDE
    places = [math.log10(one) if wide else one for one in levels]
    drawn = [[getattr(line, part) for line in lines] for part in ("bound", "incumbent", "challenger")]
    values = [value for own in (*others, *drawn) for value in own if value is not None]
    # Else the slowest of the others would press all that matters to the foot of the figure.
    tall = bool(values) and min(values) > 0 and max(values) / min(values) >= _WIDE

    def scaled(own: Sequence[float | None]) -> list[float | None]:
        return [math.log10(value) if tall and value is not None else value for value in own]

    def draw(axes: Any) -> None:
        for own in others:
            _line(axes, places, scaled(own), color=_COLOURS["faint"], linewidth=1)
        _line(axes, places, scaled(drawn[0]), color=_COLOURS["bound"], linewidth=1.3, linestyle=(0, (4, 2)))
        for part, own in zip(("incumbent", "challenger"), drawn[1:], strict=True):
            _line(axes, places, scaled(own), color=_COLOURS[part], linewidth=1.8, marker="o", markersize=4)
        if tall:
            ticks = _log_ticks(min(values), max(values))
            axes.set_yticks([math.log10(tick) for tick in ticks], [f"{tick:g}" for tick in ticks])
        shown = range(len(levels)) if len(levels) <= 5 else (0, len(levels) // 2, len(levels) - 1)
        axes.set_xticks([places[index] for index in shown], [level(levels[index]) for index in shown])
        axes.margins(x=0.08, y=0.12)

    return _svg(draw, (2.9, 2.0), name, label, margin=0.45)


def slopes(lines: Sequence[Line], objective: Objective, *, name: str, label: str) -> str:
    """Each instance from the incumbent over the challenger to the bound; losses stand out."""
    parts = [part for part in ("incumbent", "challenger", "bound")
             if any(getattr(line, part) is not None for line in lines)]  # fmt: skip
    values = [value for line in lines for part in parts if (value := getattr(line, part)) is not None]
    wide = min(values) > 0 and max(values) / min(values) >= _WIDE
    strength = max(0.25, min(0.9, 12 / len(lines)))

    def draw(axes: Any) -> None:
        for line in lines:
            better = line.ratio is None or line.ratio <= (0 if objective.can_be_zero else 1)
            points = [(place, math.log10(value) if wide else value) for place, part in enumerate(parts)
                      if (value := getattr(line, part)) is not None]  # fmt: skip
            for (left, start), (right, end) in itertools.pairwise(points):
                colour = "bound" if parts[right] == "bound" else "challenger" if better else "loss"
                axes.plot([left, right], [start, end], color=_COLOURS[colour], linewidth=1.3,
                          alpha=strength * (0.6 if colour == "bound" else 1.0))  # fmt: skip
        for place, part in enumerate(parts):
            own = [value for line in lines if (value := getattr(line, part)) is not None]
            axes.plot([place] * len(own), [math.log10(value) for value in own] if wide else own, "o",
                      color=_COLOURS[part], markersize=3.5, clip_on=False)  # fmt: skip
        if wide:
            ticks = _log_ticks(min(values), max(values))
            axes.set_yticks([math.log10(tick) for tick in ticks], [f"{tick:g}" for tick in ticks])
        axes.set_xticks(range(len(parts)), parts)
        axes.set_xlim(-0.15, len(parts) - 0.85)
        axes.set_ylabel(objective.name + (f" ({objective.unit})" if objective.unit else ""))

    return _svg(draw, (3.7, 3.4), name, label, margin=0.62)


def anytime(curves: Anytime, objective: Objective, *, name: str, label: str) -> str:
    """What the headline contenders' answers are worth as time goes by; a dot is where every run has one."""
    known = [float(value) for own in curves.values.values() for value in own if not math.isnan(value)]
    values = known + ([] if curves.bound is None else [curves.bound])
    tall = min(values) > 0 and max(values) / min(values) >= _WIDE
    first, last = float(curves.seconds[0]), float(curves.seconds[-1])
    wide = last / first >= _WIDE

    def scaled(value: float, log: bool) -> float:
        return math.log10(value) if log and value > 0 else value

    def draw(axes: Any) -> None:
        if curves.bound is not None:
            axes.axhline(scaled(curves.bound, tall), color=_COLOURS["bound"], linewidth=1.3, linestyle=(0, (4, 2)))
        for part, own in curves.values.items():
            points = [(scaled(second, wide), scaled(value, tall))
                      for second, value in zip(curves.seconds.tolist(), own.tolist(), strict=True)
                      if not math.isnan(value)]  # fmt: skip
            axes.step(*zip(*points, strict=True), where="post", color=_COLOURS[part], linewidth=1.8)
            axes.plot(*points[0], "o", color=_COLOURS[part], markersize=4)
        if tall:
            ticks = _log_ticks(min(values), max(values))
            axes.set_yticks([math.log10(tick) for tick in ticks], [f"{tick:g}" for tick in ticks])
        if wide:
            ticks = _log_ticks(first, last)
            axes.set_xticks([math.log10(tick) for tick in ticks], [f"{tick:g} s" for tick in ticks])
        else:
            axes.xaxis.set_major_formatter("{x:g} s")
        axes.set_ylabel(objective.name + (f" ({objective.unit})" if objective.unit else ""))
        axes.margins(x=0.03, y=0.12)

    return _svg(draw, (6.2, 2.6), name, label, margin=0.85)


def theirs(draw: Callable[[], Mapping[str, Figure]], *, name: str, label: str) -> list[tuple[str, str]]:
    """Figures that a task draws itself, by title: in the page's colours, where they have none of their own.

    Args:
        draw: Makes the figures.
        name: Unique in the page; prefixes every id.
        label: What the figures show, for those who do not see them; titles are added.
    """
    import matplotlib

    with matplotlib.rc_context({**_SETTINGS, **_THEIR_SETTINGS}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")
        return [(title, _element(_written(figure), f"{name}{place}", f"{title}: {label} {_titles(figure)}".strip()))
                for place, (title, figure) in enumerate(draw().items())]  # fmt: skip


def _titles(figure: Figure) -> str:
    """The titles of a figure's panels."""
    found = [axes.get_title(place) for axes in figure.axes for place in ("left", "center", "right")]
    return "; ".join(title for title in found if title)


def _line(axes: Any, places: Sequence[float], values: Sequence[float | None], **style: Any) -> None:
    if any(value is not None for value in values):
        axes.plot(places, [math.nan if value is None else value for value in values], **style)


def _log_ticks(low: float, high: float) -> list[float]:
    """Round values from low to high: 1, 2 and 5 of each decade, or its first only where there are many."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 2, 5) if len(decades) <= 4 else (1,)
    ticks = [step * 10.0**decade for decade in decades for step in steps]
    return [tick for tick in ticks if low * 0.8 <= tick <= high * 1.25]


def _svg(draw: Callable[[Any], None], size: tuple[float, float], name: str, label: str, margin: float) -> str:
    """Draw, and turn Matplotlib's file into an element of a page."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_SETTINGS), warnings.catch_warnings():
        # A name in a script that Matplotlib's own font lacks is drawn by the reader's browser all the same.
        warnings.filterwarnings("ignore", message="Glyph")
        figure = Figure(figsize=size)
        FigureCanvasSVG(figure)
        # Fixed margins: measuring the labels to fit them would take longer than drawing.
        left, low, right, high = margin / size[0], 0.32 / size[1], 1 - 0.1 / size[0], 1 - 0.08 / size[1]
        axes = figure.add_axes((left, low, right - left, high - low))
        draw(axes)
        figure.patch.set_visible(False)
        axes.patch.set_visible(False)
        return _element(_written(figure), name, label)


def _written(figure: Figure) -> str:
    """A figure as the text of an SVG file, the same each time."""
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return file.getvalue()


def _element(text: str, name: str, label: str) -> str:
    """An SVG file as an element: ids of its own, no metadata, the page's fonts and colours."""
    body = text[text.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r'\s(?:xmlns(?::\w+)?|version)="[^"]*"', "", body)
    body = body.replace("xlink:href", "href")
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = re.sub(r'href="#', f'href="#{name}-', body)
    body = body.replace("url(#", f"url(#{name}-")
    body = re.sub(r"font:\s*([\d.]+px)[^;\"<]*", r"font-size: \1; font-family: inherit", body)
    body = re.sub(r"font-family:[^;\"<]*", "font-family: inherit", body)
    for variable, colour in _COLOURS.items():
        body = body.replace(colour, f"var(--{variable})")
    width = re.search(r'<svg[^>]*?width="([\d.]+)pt"', body)
    body = re.sub(r'(<svg[^>]*?) (?:height)="[^"]*"', r"\1", body, count=1)
    body = re.sub(r'(<svg[^>]*?) (?:width)="[^"]*"', r"\1", body, count=1)
    pixels = float(width.group(1)) * 4 / 3 if width else 300
    escaped = label.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")
    return body.replace("<svg", f'<svg role="img" aria-label="{escaped}" style="width: {pixels:.0f}px"', 1)
