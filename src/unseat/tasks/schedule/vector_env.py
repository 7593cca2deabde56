"""Many clusters at once: one compiled call answers all open questions and goes on to the next ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import jit
from unseat.core.lockstep import LockstepEnv
from unseat.core.outcome import Outcome
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
    runs: Memory, actions: Memory, asks: Bool, seen: Float32, scratch: Float32, masks: Int8, spent: Float64,
) -> None:  # fmt: skip
    """`env.go` for some of the clusters whose states lie one behind the other, and what they show then."""
    for row in range(runs.size):
        b = runs[row]
        m, own = memory[ends[b] : ends[b + 1]], durations[duration_ends[b, 0] : duration_ends[b, 1]]
        asks[row] = go(m, own, actions[row])
        spent[b] = time_in_system(m)
        if asks[row]:
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


class ScheduleVectorEnv(LockstepEnv):
    """One environment a problem; see `ScheduleEnv`.

    Raises:
        ValueError: No problems were given, or of clusters of different size.
    """

    def __init__(self, problems: Sequence[Problem], question: Question) -> None:
        super().__init__(len(problems), question)
        self.problems, clusters = list(problems), [problem.cluster for problem in problems]
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
        self._spent = np.zeros(self.num_envs)

    def begin(self, run: int, seed: int) -> None:
        """Empty a cluster."""
        self._memory[self._ends[run] : self._ends[run + 1]] = self.problems[run].cluster.begin(seed)

    def go(self, runs: Memory, actions: Memory) -> Bool:
        """Answer, and go on."""
        asks = np.zeros(len(runs), np.bool_)
        go_all(self._memory, self._ends, self._durations, self._duration_ends, self._static, self._static_ends,
               runs, actions, asks, self._seen, self._scratch, self._masks, self._spent)  # fmt: skip
        return asks

    def costs(self) -> Float64:
        """The time that jobs have spent in the system, in seconds, over their number."""
        return self._spent.copy()

    def observations(self) -> dict[str, Any]:
        """The candidates' rows and the legal answers."""
        return {"stages": self._seen.copy(), "action_mask": self._masks.copy()}

    def outcome(self, run: int) -> Outcome:
        """The completion times."""
        return self.problems[run].outcome(self._memory[self._ends[run] : self._ends[run + 1]])


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
