"""Decima as a policy: its weights, and how its training went."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unseat.core.policy import Form, Policy, Session, View
from unseat.tasks.schedule.challengers.decima import layout, network
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.layout import Float32, Memory
from unseat.tasks.schedule.engine.memory import Cluster
from unseat.tasks.schedule.policies import Fused


@dataclass(frozen=True)
class Decima(Policy):
    """The most likely stage and limit of the network.

    Attributes:
        name: Its name in tables.
        theta: float32 [layout.size()], the weights.
        curve: float32 [n, 3], the learning curve: episodes so far, and the mean logarithm of the mean completion time
            on the validation instances over that of fair shares, of this policy and of the best one until then.
        messages: Whether stages hear from their children.
    """

    form = Form.FUSED
    name: str
    theta: Float32
    curve: Float32
    messages: bool = True

    def start(self, view: View, seed: int) -> Session:
        """There is nothing to prepare."""
        return Fused(self.play)

    def play(self, m: Memory, cluster: Cluster) -> None:
        """Run a state to its end."""
        network.play(m, cluster.durations, self.theta, layout.layers(), self.messages, at.NEVER_MS, -1,
                     network.record(0, 0))  # fmt: skip


def untrained(name: str, seed: int, messages: bool = True) -> Decima:
    """Random weights."""
    return Decima(name, layout.begin(seed), np.zeros((0, 3), np.float32), messages)
