"""The built-in policies: settings and weights that one compiled loop reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from unseat.core.policy import Form, Policy, Session, View
from unseat.tasks.serving.engine import layout as at
from unseat.tasks.serving.engine import play as of
from unseat.tasks.serving.engine.layout import Float64, State

QUESTIONS = ("batch", "route", "preempt", "admit")

SETTINGS: Mapping[str, int] = {
    "router": of.ROUTER, "order": of.ORDER, "mode": of.MODE, "budget": of.BUDGET, "admission": of.ADMISSION,
    "patient": of.PATIENT, "pace": of.PACE, "affinity": of.AFFINITY, "imbalance": of.IMBALANCE,
    "late_last": of.LATE_LAST, "victim": of.VICTIM, "long": of.LONG, "ahead": of.AHEAD, "spare": of.SPARE,
    "pressed": of.PRESSED, "saved": of.SAVED, "decoding": of.DECODING, "slack": of.SLACK, "ease": of.EASE,
    "easy": of.EASY, "urgent": of.URGENT,
}  # fmt: skip
"""A policy's settings by name: see `engine.play`."""

DEFAULTS: Mapping[str, float] = {
    "router": of.LEAST_LOADED, "order": of.FCFS, "mode": at.MIXED, "budget": 2048, "patient": 1.0, "affinity": 0.3,
    "imbalance": 16.0,
}  # fmt: skip


class Fused(Session):
    """A session whose policy and engine are one compiled loop.

    Attributes:
        play: Runs a state to its end.
    """

    def __init__(self, play: Callable[[State], None]) -> None:
        self.play = play


@dataclass(frozen=True)
class RuleOf(Policy):
    """Settings, and weights where one of them is learned.

    Attributes:
        name: Its name in tables.
        settings: By name, where they are not the defaults.
        weights: float64 [`engine.play.WEIGHTS`], or empty.
        lengths: float64 [`engine.lengths.N_KNOWN`], the length prediction's weights, or empty: all requests are alike.
    """

    form = Form.FUSED
    questions = QUESTIONS
    name: str
    settings: Mapping[str, float] = field(default_factory=dict)
    weights: Float64 = field(default_factory=lambda: np.zeros(0))
    lengths: Float64 = field(default_factory=lambda: np.zeros(0))

    @property
    def vector(self) -> Float64:
        """The settings as the loop reads them."""
        values = np.zeros(of.SETTINGS)
        for name, value in {**DEFAULTS, **self.settings}.items():
            values[SETTINGS[name]] = value
        return values

    def start(self, view: View, seed: int) -> Session:
        """Everything is there."""
        return Fused(self.play)

    def play(self, s: State) -> None:
        """Run a state to its end."""
        of.play(s, self.vector, self.weights if self.weights.size else np.zeros(of.WEIGHTS), self.lengths)
