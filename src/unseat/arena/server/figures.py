"""Figures of a board as text and as small drawings, which a strict content policy lets through."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from unseat.lab.records import Interval
from unseat.report import digits

WIDTH, HEIGHT, MARGIN = 640, 200, 56
MOST_LINES = 6


def interval(figure: Mapping[str, float | None] | None, scale: float = 1.0, suffix: str = "") -> str:
    """A figure with its interval."""
    known = Interval(figure["point"] or 0.0, figure["low"], figure["high"]) if figure else None
    return digits.interval(known, scale, suffix)


def change(versus: Mapping[str, Any] | None, minimise: bool) -> str:
    """How a submission compares with the best incumbent: less cost is a minus."""
    if not versus:
        return digits.NONE
    ratio = versus["ratio"]
    if ratio is None:
        return interval(versus["difference"])
    turned = {name: None if value is None else value - 1 for name, value in ratio.items()}
    shown = interval(turned, 100.0, "%")
    return shown if shown.startswith(("−", "0%")) else f"+{shown}"


def steps(
    lines: Mapping[str, Sequence[tuple[float, float]]], label: str, shown: Callable[[float], str], *, log: bool = False
) -> Markup:
    """Step curves: each value holds until the next; `lines` by their names, the best first; `shown` writes an x."""
    known = {name: points for name, points in list(lines.items())[:MOST_LINES] if points}
    if not known:
        return Markup("")
    xs = [_scaled(x, log) for points in known.values() for x, _ in points]
    ys = [y for points in known.values() for _, y in points]
    left, last_x, low, high = min(xs), max(xs), min(ys), max(ys)
    # What holds at last is seen to hold on.
    right, high, low = (
        last_x + 0.06 * (last_x - left or 1),
        high + 0.08 * (high - low or 1),
        low - 0.08 * (high - low or 1),
    )

    def place(x: float, y: float) -> tuple[float, float]:
        return (MARGIN + (WIDTH - MARGIN - 8) * (_scaled(x, log) - left) / (right - left),
                8 + (HEIGHT - 32) * (high - y) / (high - low))  # fmt: skip

    parts = [f'<svg class="steps" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">']
    for value in (min(ys), max(ys)) if max(ys) > min(ys) else (min(ys),):
        y = place(left if not log else 10**left, value)[1]
        parts.append(
            f'<line class="grid" x1="{MARGIN}" x2="{WIDTH - 8}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text x="{MARGIN - 6}" y="{y + 4:.1f}" text-anchor="end">{escape(digits.number(value))}</text>'
        )
    for value, anchor in ((left, "start"), (last_x, "end")) if last_x > left else ((left, "start"),):
        x = place(10**value if log else value, low)[0]
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 6}" text-anchor="{anchor}">'
                     f"{escape(shown(10**value if log else value))}</text>")  # fmt: skip
    for number, points in enumerate(known.values()):
        path, last = [], None
        for x, y in points:
            at, level = place(x, y)
            path.append(f"M{at:.1f} {level:.1f}" if last is None else f"H{at:.1f}V{level:.1f}")
            last = level
        path.append(f"H{WIDTH - 8}")
        parts.append(f'<path class="line l{number}" d="{"".join(path)}"/>')
    return Markup("".join(parts) + "</svg>")


def _scaled(x: float, log: bool) -> float:
    return math.log10(max(x, 1e-6)) if log else x
