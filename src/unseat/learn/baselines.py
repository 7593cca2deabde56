"""Constant and random policies: what every contender must beat, for any question with a space of actions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from unseat.core.policy import Policy, Session, View


def legal(observation: Any) -> Any:
    """The action mask of an observation (int8 [actions], 1 for a legal action), or None where all are legal."""
    return observation.get("action_mask") if isinstance(observation, Mapping) else None


@dataclass(frozen=True)
class Constant(Policy):
    """Always gives the same answer; where an action mask forbids it, the first answer that is legal."""

    name: str
    action: Any
    questions: tuple[str, ...] = ()

    def start(self, view: View, seed: int) -> Session:
        return _Constant(self.action)


class _Constant(Session):
    def __init__(self, action: Any) -> None:
        self.action = action

    def decide(self, observation: Any) -> Any:
        mask = legal(observation)
        return self.action if mask is None or mask[self.action] else int(np.argmax(mask))


@dataclass(frozen=True)
class Uniform(Policy):
    """Draws from ``0 .. actions - 1``, or from the legal ones among them, each as likely as any other."""

    name: str
    actions: int
    questions: tuple[str, ...] = ()

    def start(self, view: View, seed: int) -> Session:
        # Agents must not draw alike, or they would act as one.
        return _Uniform(self.actions, (seed, view.agent))


class _Uniform(Session):
    def __init__(self, actions: int, seed: tuple[int, int]) -> None:
        self.actions, self.rng = actions, np.random.default_rng(seed)

    def decide(self, observation: Any) -> int:
        mask = legal(observation)
        if mask is None:
            return int(self.rng.integers(self.actions))
        return int(self.rng.choice(np.flatnonzero(mask)))
