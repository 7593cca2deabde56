"""The native environments' engine: a cluster that pauses at its open question."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import gymnasium
import numpy as np
from gymnasium import error

from unseat.core.jit import jit
from unseat.core.policy import Question
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.cluster import advance
from unseat.tasks.schedule.engine.layout import Int32, Memory
from unseat.tasks.schedule.problem import Problem
from unseat.tasks.schedule.question import observe, take, time_in_system


@jit
def go(m: Memory, durations: Int32, action: int) -> bool:
    """Answer the open question if there is one, and go on to the next; False at the end."""
    if m[at.OFFERED] > 0:
        take(m, durations, action)
    return bool(advance(m, durations))


class ScheduleEnv(gymnasium.Env[dict[str, Any], np.int64]):
    """One workload: an episode is a run, a step one answer.

    The reward is minus the time that jobs have spent in the system since the last step, in seconds, over their number:
    the rewards sum up to minus the objective. ``info["outcome"]`` ends an episode. What may be answered is in the
    observation's ``action_mask``; see `question.ACTIONS`.
    """

    def __init__(self, problem: Problem, question: Question) -> None:
        assert question.observation is not None and question.action is not None
        # Spaces have a random state each: that of one environment is not another's.
        self.observation_space, self.action_space = deepcopy((question.observation, question.action))
        self.problem = problem
        self._m: Memory | None = None
        self._paid = 0.0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Empty the cluster and run up to the first question."""
        super().reset(seed=seed)
        self._m = self.problem.cluster.begin(int(self.np_random.integers(2**31)) if seed is None else seed)
        go(self._m, self.problem.cluster.durations, 0)
        self._paid = time_in_system(self._m)
        return self._seen(self._m)

    def step(self, action: np.int64) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Answer, and run up to the next question."""
        if self._m is None:
            raise error.ResetNeeded("call reset() before step()")
        m = self._m
        if not self.action_space.contains(action):
            raise error.InvalidAction(f"{action!r} is not in {self.action_space}")
        asks = go(m, self.problem.cluster.durations, int(action))
        before, self._paid = self._paid, time_in_system(m)
        if asks:
            seen, info = self._seen(m)
            return seen, before - self._paid, False, False, info
        self._m, info = None, {"outcome": self.problem.outcome(m), "action_mask": self._last["action_mask"]}
        return self._last, before - self._paid, True, False, info

    def _seen(self, m: Memory) -> tuple[dict[str, Any], dict[str, Any]]:
        self._last = observe(m, self.problem.cluster.static)
        return self._last, {"action_mask": self._last["action_mask"]}
