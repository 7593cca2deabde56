"""Environments of engines that pause: many runs side by side, whose open questions are answered by one call."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import numpy as np
from gymnasium import error
from gymnasium.spaces import Discrete
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space, iterate
from numpy.typing import NDArray

from unseat.core.outcome import Outcome
from unseat.core.policy import Question

Bool = NDArray[np.bool_]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]


class LockstepEnv(VectorEnv[Any, Int64, NDArray[Any]]):
    """Runs of an engine that can pause. An episode that ends begins anew in the same step.

    ``info["final_obs"]`` and ``info["outcome"]``, of which only the rows under the mask ``info["_outcome"]`` are set,
    belong to episodes that ended. The rewards of an episode sum up to minus its cost.

    Args:
        runs: How many there are.
        question: Asked in all of them; actions are numbers from 0.

    Attributes:
        units: float64 [runs], what counts as a cost of one.

    Raises:
        ValueError: There are no runs.
    """

    def __init__(self, runs: int, question: Question) -> None:
        if not runs:
            raise ValueError("give at least one problem")
        assert question.observation is not None and isinstance(question.action, Discrete)
        self.num_envs, self._actions = runs, int(question.action.n)
        # Spaces have a random state each: that of one environment is not another's.
        self.single_observation_space, self.single_action_space = deepcopy((question.observation, question.action))
        self.observation_space = batch_space(self.single_observation_space, runs)
        self.action_space = batch_space(self.single_action_space, runs)
        self.metadata = {"autoreset_mode": AutoresetMode.SAME_STEP}
        self.units = np.ones(runs)
        self._all, self._begun = np.arange(runs), False

    @abstractmethod
    def begin(self, run: int, seed: int) -> None:
        """Begin a run anew, before its first question."""

    @abstractmethod
    def go(self, runs: Int64, actions: Int64) -> Bool:
        """Answer the open questions of some runs, where there is one, and go on to the next; whether each has one."""

    @abstractmethod
    def costs(self) -> NDArray[Any]:
        """What each run has cost so far; divided by its unit it counts."""

    @abstractmethod
    def observations(self) -> Any:
        """What all runs show, as the caller's own."""

    @abstractmethod
    def outcome(self, run: int) -> Outcome:
        """What a run that has ended measured."""

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin all runs and go on to their first questions; a seed for each is that of the run."""
        if seed is None or isinstance(seed, int):
            self._rng = np.random.default_rng(seed)
            seeds = [None if seed is None else seed + run for run in range(self.num_envs)]
        else:
            self._rng, seeds = np.random.default_rng(), list(seed)
        for run, own in enumerate(seeds):
            self.begin(run, self._drawn() if own is None else own)
        self.go(self._all, np.zeros(self.num_envs, np.int64))
        self._begun = True
        return self.observations(), {}

    def step(self, actions: Int64) -> tuple[Any, Float64, Bool, Bool, dict[str, Any]]:
        """Answer all open questions.

        Raises:
            gymnasium.error.ResetNeeded: `reset` was not called.
            gymnasium.error.InvalidAction: There are not as many answers as runs, or one is out of range.
        """
        if not self._begun:
            raise error.ResetNeeded("call reset() before step()")
        chosen = np.asarray(actions, np.int64)
        if chosen.shape != (self.num_envs,) or chosen.min() < 0 or chosen.max() >= self._actions:
            raise error.InvalidAction(
                f"give {self.num_envs} answers from 0 to {self._actions - 1}, not {actions!r:.80}"
            )
        before = self.costs()
        ended = ~self.go(self._all, chosen)
        rewards = (before - self.costs()) / self.units
        info = self._begin_again(ended) if ended.any() else {}
        return self.observations(), rewards, ended, np.zeros(self.num_envs, np.bool_), info

    def _begin_again(self, ended: Bool) -> dict[str, Any]:
        final, outcomes = np.full(self.num_envs, None, object), np.full(self.num_envs, None, object)
        shown, runs = list(iterate(self.observation_space, self.observations())), np.flatnonzero(ended)
        for run in runs.tolist():
            final[run], outcomes[run] = deepcopy(shown[run]), self.outcome(run)
            self.begin(run, self._drawn())
        self.go(runs, np.zeros(len(runs), np.int64))
        return {"final_obs": final, "_final_obs": ended, "outcome": outcomes, "_outcome": ended}

    def _drawn(self) -> int:
        return int(self._rng.integers(2**31))
