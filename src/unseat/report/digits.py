"""Numbers for people: no more digits than the measurement carries."""

from __future__ import annotations

import math
from collections.abc import Callable

from unseat.core.card import Card
from unseat.lab.records import Interval

NONE = "–"


def number(value: float | None, digits: int = 3) -> str:
    """A figure with that many significant digits, and thin spaces between thousands."""
    if value is None or not math.isfinite(value):
        return NONE
    if value == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(value)))
    if magnitude >= 7 or magnitude < -5:
        return f"{value:.{digits - 1}e}".replace("-", "−")
    return _signed(value, max(0, digits - 1 - magnitude))


def interval(figure: Interval | None, scale: float = 1.0, suffix: str = "") -> str:
    """A figure with its interval, rounded to the first digit that the interval leaves open."""
    if figure is None:
        return NONE
    low, high = figure.low, figure.high
    if low is None or high is None:
        return (ratio(figure.point) if suffix == "×" else number(figure.point * scale)) + suffix
    places = _places((high - low) * scale / 2, figure.point * scale)
    point, low_text, high_text = (_signed(value * scale, places) for value in (figure.point, low, high))
    if suffix == "%":
        low_text, high_text = low_text + suffix, high_text + suffix
    return f"{point}{suffix} [{low_text},\u00a0{high_text}]"


def ratio(value: float | None) -> str:
    """A ratio without an interval; near one, three decimals tell on which side it is."""
    return f"{value:.3f}" if value is not None and 0.9 < value < 1.1 else number(value)


def count(value: float | None) -> str:
    """A number of things; a mean of them may be broken."""
    return f"{value:,.0f}".replace(",", "\u202f") if value is not None and value == round(value) else number(value)


def percent(figure: Interval | None) -> str:
    """A share with its interval, in per cent."""
    return interval(figure, 100.0, "%")


def p_value(p: float | None) -> str:
    """A p-value; small ones are not told apart."""
    if p is None:
        return NONE
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def chance(p: float) -> str:
    """A probability that was counted over resamples, never quite none or all."""
    return (
        "< 0.1%"
        if p < 0.001
        else "> 99.9%"
        if p > 0.999
        else f"{100 * p:.1f}%"
        if p > 0.95 or p < 0.05
        else f"{100 * p:.0f}%"
    )


def seconds(value: float | None) -> str:
    """A duration in the unit that suits it."""
    if value is None:
        return NONE
    if value == 0:
        return "0"
    if value >= 120:
        return f"{number(value / 60)} min" if value < 7200 else f"{number(value / 3600)} h"
    for factor, unit in ((1.0, "s"), (1e3, "ms"), (1e6, "µs")):
        if value * factor >= 1:
            return f"{number(value * factor)} {unit}"
    return f"{number(value * 1e9)} ns"


def nanoseconds(value: float | None) -> str:
    """A duration that is given in nanoseconds."""
    return NONE if value is None else seconds(value * 1e-9)


def level(card: Card) -> Callable[[float], str]:
    """How a task's levels are written: in per cent where the card calls them a share."""
    if "share" in card.level or "fraction" in card.level:
        return lambda value: f"{value * 100:g}%"
    return lambda value: f"{value:g}"


def _places(half_width: float, point: float) -> int:
    """Decimal places such that the interval's half width keeps one digit, two where that digit is a one or a two."""
    if half_width <= 0 or not math.isfinite(half_width):
        return max(0, 2 - math.floor(math.log10(abs(point)))) if point and abs(point) >= 1e-6 else 3
    magnitude = math.floor(math.log10(half_width))
    return min(6, max(0, -magnitude + (half_width / 10.0**magnitude < 2.5)))


def _signed(value: float, places: int) -> str:
    text = f"{value:,.{places}f}".replace(",", "\u202f")
    # Minus zero is zero.
    if not any(digit in text for digit in "123456789"):
        text = text.lstrip("-")
    return text.replace("-", "−")
