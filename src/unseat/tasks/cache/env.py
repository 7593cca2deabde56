"""The native environment of the cache: the engine pauses at each eviction, so that no thread is needed."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import gymnasium
import numpy as np
from gymnasium import error
from numpy.typing import NDArray

from unseat.core.jit import jit
from unseat.core.outcome import Outcome
from unseat.core.policy import Question
from unseat.tasks.cache.engine import sampled
from unseat.tasks.cache.engine.simulate import Counts
from unseat.tasks.cache.engine.trace import Int64
from unseat.tasks.cache.problem import Problem
from unseat.tasks.cache.question import empty_cache

Int8 = NDArray[np.int8]


@jit
def go(
    ids: Any, sizes: Int64, judged_from: int, capacity: int, state: Any, warm: Int64, judged: Int64, choice: int
) -> bool:
    """Answer the open question if there is one, and go on to the next, over the boundary of warm-up and judged part."""
    if state[0][sampled.OPEN]:
        sampled.evict(choice, sizes, state, warm if state[0][sampled.NEXT] < judged_from else judged)
    if state[0][sampled.NEXT] < judged_from and sampled.advance(ids, sizes, judged_from, capacity, state, warm):
        return True
    return bool(sampled.advance(ids, sizes, ids.size, capacity, state, judged))


class Episode:
    """One cache serving one problem, paused at its open question."""

    def __init__(self, problem: Problem, seed: int) -> None:
        self.problem, self.cache = problem, empty_cache(problem, seed)
        self.warm, self.judged = np.zeros(4, np.int64), np.zeros(4, np.int64)
        self.paid = 0

    @property
    def observation(self) -> NDArray[np.float32]:
        """The candidates' features."""
        return self.cache[7].copy()

    def go(self, choice: int) -> tuple[bool, float]:
        """Answer, and give whether another question is open and the reward since the last one."""
        problem = self.problem
        asks = go(problem.trace.ids, problem.sizes, problem.judged_from, problem.capacity, self.cache, self.warm,
                  self.judged, choice)  # fmt: skip
        missed = int(self.judged[2])
        reward, self.paid = (self.paid - missed) / problem.judged_total, missed
        return asks, reward

    def outcome(self) -> Outcome:
        """What the run measured."""
        counts = (Counts(*part.tolist()) for part in (self.warm, self.judged))
        return self.problem.outcome(*counts, start_s=0.0, learn_s=0.0, serve_s=0.0)


class CacheEnv(gymnasium.Env[NDArray[np.float32], np.int64]):
    """One instance: an episode is the whole trace, a step an eviction, the reward minus the judged misses it led to.

    Rewards are shares of the judged requests (bytes, with sizes), so that their sum is minus the objective, but for
    misses before the first eviction, which nobody could help. ``info["outcome"]`` ends an episode.
    """

    def __init__(self, problem: Problem, question: Question) -> None:
        assert question.observation is not None and question.action is not None
        # Spaces have a random state each: that of one environment is not another's.
        self.observation_space, self.action_space = deepcopy((question.observation, question.action))
        self.problem = problem
        self._episode: Episode | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Empty the cache and serve up to the first eviction.

        Raises:
            gymnasium.error.Error: The cache never fills, so there is nothing to decide.
        """
        super().reset(seed=seed)
        run_seed = int(self.np_random.integers(2**31)) if seed is None else seed
        self._episode = Episode(self.problem, run_seed)
        asks, _ = self._episode.go(0)
        if not asks:
            raise error.Error(f"{self.problem.trace.name}: the cache never fills, so there is nothing to decide")
        return self._episode.observation, {}

    def step(self, action: np.int64) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Evict a candidate and serve up to the next eviction."""
        if self._episode is None:
            raise error.ResetNeeded("call reset() before step()")
        if not self.action_space.contains(action):
            raise error.InvalidAction(f"{action!r} is not in {self.action_space}")
        episode = self._episode
        asks, reward = episode.go(int(action))
        if asks:
            return episode.observation, reward, False, False, {}
        self._episode = None
        return episode.observation, reward, True, False, {"outcome": episode.outcome()}
