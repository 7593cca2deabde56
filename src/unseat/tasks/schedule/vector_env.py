"""Many clusters at once: one compiled call answers all open questions and goes on to the next ones."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import numpy as np
from gymnasium import error
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from unseat.core.jit import jit
from unseat.core.policy import Question
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.features import F, describe
from unseat.tasks.schedule.engine.layout import Float32, Float64, Int32, Memory
from unseat.tasks.schedule.env import go
from unseat.tasks.schedule.problem import Problem
from unseat.tasks.schedule.question import ACTIONS, LEVELS, ROWS, time_in_system

Int8 = NDArray[np.int8]
Bool = NDArray[np.bool_]


@jit
def go_all(
    memory: Memory, ends: Memory, durations: Int32, duration_ends: Memory, static: Float32, static_ends: Memory,
    actions: Memory, asks: Bool, seen: Float32, scratch: Float32, masks: Int8, spent: Float64,
) -> None:  # fmt: skip
    """`env.go` for each cluster whose states lie one behind the other, and what it shows then."""
    for b in range(actions.size):
        m, own = memory[ends[b] : ends[b + 1]], durations[duration_ends[b, 0] : duration_ends[b, 1]]
        asks[b] = go(m, own, actions[b])
        spent[b] = time_in_system(m)
        if asks[b]:
            show(m, static[static_ends[b, 0] : static_ends[b, 1]], scratch, seen[b], masks[b])


@jit
def show(m: Memory, static: Float32, scratch: Float32, seen: Float32, legal: Int8) -> None:
    """An observation: ``float32[ROWS, F]`` and ``int8[ACTIONS]``."""
    count = m[at.CANDIDATES]
    describe(m, static, scratch)
    shown = min(count, ROWS)
    seen[:shown] = scratch[:shown]
    seen[shown:] = 0.0
    legal[0] = m[at.FORCED] == 0
    legal[1 : 1 + shown * LEVELS] = 1
    legal[1 + shown * LEVELS :] = 0


class ScheduleVectorEnv(VectorEnv[dict[str, Any], NDArray[np.int64], NDArray[Any]]):
    """One environment a problem; see `ScheduleEnv`. An episode that ends begins anew in the same step.

    ``info["final_obs"]`` and ``info["outcome"]``, of which only the rows under the mask ``info["_outcome"]`` are set,
    belong to episodes that ended.

    Raises:
        ValueError: No problems were given, or of clusters of different size.
    """

    def __init__(self, problems: Sequence[Problem], question: Question) -> None:
        if not problems:
            raise ValueError("give at least one problem")
        assert question.observation is not None and question.action is not None
        self.num_envs, self.problems = len(problems), list(problems)
        self.single_observation_space, self.single_action_space = deepcopy((question.observation, question.action))
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self.metadata = {"autoreset_mode": AutoresetMode.SAME_STEP}
        clusters = [problem.cluster for problem in problems]
        if len({cluster.static.shape[1] for cluster in clusters}) > 1:
            raise ValueError("give problems whose graphs were measured with the same numbers of executors")
        self._ends = np.cumsum([0] + [cluster.memory.size for cluster in clusters])
        self._memory = np.zeros(self._ends[-1], np.int64)
        self._durations, self._duration_ends = _joined([cluster.durations for cluster in clusters])
        self._static, self._static_ends = _joined([cluster.static for cluster in clusters])
        most = max(int(cluster.memory[at.STAGES]) for cluster in clusters)
        self._scratch = np.zeros((max(most, ROWS), F), np.float32)
        self._seen = np.zeros((self.num_envs, ROWS, F), np.float32)
        self._masks = np.zeros((self.num_envs, ACTIONS), np.int8)
        self._asks, self._spent = np.zeros(self.num_envs, np.bool_), np.zeros(self.num_envs)
        self._begun = False

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begin every run; given seeds are the runs' own, as in `ScheduleEnv`."""
        if seed is None or isinstance(seed, int):
            self._rng = np.random.default_rng(seed)
            seeds = [None if seed is None else seed + b for b in range(self.num_envs)]
        else:
            self._rng, seeds = np.random.default_rng(), list(seed)
        for b, own in enumerate(seeds):
            self._begin(b, own)
        self._go(np.full(self.num_envs, -1))
        self._begun = True
        return self._observations(), {}

    def step(
        self, actions: NDArray[np.int64]
    ) -> tuple[dict[str, Any], NDArray[Any], NDArray[Any], NDArray[Any], dict[str, Any]]:
        """Answer all open questions.

        Raises:
            gymnasium.error.ResetNeeded: `reset` was not called.
            gymnasium.error.InvalidAction: There are not as many answers as clusters, or one is out of range.
        """
        if not self._begun:
            raise error.ResetNeeded("call reset() before step()")
        chosen = np.asarray(actions, np.int64)
        if chosen.shape != (self.num_envs,) or chosen.min() < 0 or chosen.max() >= ACTIONS:
            raise error.InvalidAction(f"give {self.num_envs} answers from 0 to {ACTIONS - 1}, not {actions!r:.80}")
        before = self._spent.copy()
        self._go(chosen)
        rewards, ended = before - self._spent, ~self._asks
        info = self._begin_again(ended) if ended.any() else {}
        return self._observations(), rewards, ended, np.zeros(self.num_envs, np.bool_), info

    def _begin(self, b: int, seed: int | None) -> None:
        own = int(self._rng.integers(2**31)) if seed is None else seed
        self._memory[self._ends[b] : self._ends[b + 1]] = self.problems[b].cluster.begin(own)

    def _go(self, actions: NDArray[np.int64]) -> None:
        go_all(self._memory, self._ends, self._durations, self._duration_ends, self._static, self._static_ends,
               actions, self._asks, self._seen, self._scratch, self._masks, self._spent)  # fmt: skip

    def _observations(self) -> dict[str, Any]:
        return {"stages": self._seen.copy(), "action_mask": self._masks.copy()}

    def _begin_again(self, ended: Bool) -> dict[str, Any]:
        final, outcomes = np.full(self.num_envs, None, object), np.full(self.num_envs, None, object)
        for b in np.flatnonzero(ended).tolist():
            m = self._memory[self._ends[b] : self._ends[b + 1]]
            final[b] = {"stages": self._seen[b].copy(), "action_mask": self._masks[b].copy()}
            outcomes[b] = self.problems[b].outcome(m)
            self._begin(b, None)
            cluster = self.problems[b].cluster
            go(m, cluster.durations, -1)
            self._spent[b] = time_in_system(m)
            show(m, cluster.static, self._scratch, self._seen[b], self._masks[b])
        return {"final_obs": final, "_final_obs": ended, "outcome": outcomes, "_outcome": ended}


def _joined(arrays: Sequence[NDArray[Any]]) -> tuple[NDArray[Any], Memory]:
    """Arrays one behind the other, each only once, and where each begins and ends."""
    places: dict[int, tuple[int, int]] = {}
    kept: list[NDArray[Any]] = []
    end = 0
    for array in arrays:
        if id(array) not in places:
            places[id(array)] = end, end + len(array)
            kept.append(array)
            end += len(array)
    return np.concatenate(kept), np.array([places[id(array)] for array in arrays], np.int64)
