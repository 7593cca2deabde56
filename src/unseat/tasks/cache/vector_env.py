"""Many caches at once: one compiled call answers all open questions and goes on to the next ones."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from unseat.core.jit import jit, python
from unseat.core.policy import Question
from unseat.tasks.cache.engine import sampled
from unseat.tasks.cache.engine.simulate import Counts
from unseat.tasks.cache.engine.trace import Int32, Int64
from unseat.tasks.cache.env import go
from unseat.tasks.cache.problem import Problem
from unseat.tasks.cache.question import empty_cache

Bool = NDArray[np.bool_]
REQUESTS, SIZES, SLOTS, OBJECTS = 0, 1, 2, 3


@jit
def part(state: Any, bounds: Int64, b: int) -> Any:
    """The state of cache `b`, as views of the arrays that hold the states of all, one behind the other."""
    scalars, slots, history, learned, links, newest, asked, features = state
    low, high = bounds[b, OBJECTS, 0], bounds[b, OBJECTS, 1]
    return (
        scalars[b],
        slots[bounds[b, SLOTS, 0] : bounds[b, SLOTS, 1]],
        history[low:high],
        learned[low:high],
        links[low + b : high + b + 1],
        newest[b],
        asked[b],
        features[b],
    )


@jit
def go_all(
    ids: Int32, sizes: Int64, bounds: Int64, judged_from: Int64, capacities: Int64, state: Any, counts: Any,
    choices: Int64, asks: Bool,
) -> None:  # fmt: skip
    """`unseat.tasks.cache.env.go` for each cache; ``counts`` is ``int64[B, 2, 4]``."""
    for b in range(choices.size):
        own_ids = ids[bounds[b, REQUESTS, 0] : bounds[b, REQUESTS, 1]]
        own_sizes = sizes[bounds[b, SIZES, 0] : bounds[b, SIZES, 1]]
        asks[b] = go(own_ids, own_sizes, judged_from[b], capacities[b], part(state, bounds, b), counts[b, 0],
                     counts[b, 1], choices[b])  # fmt: skip


class CacheVectorEnv(VectorEnv[NDArray[np.float32], NDArray[np.int64], NDArray[Any]]):
    """One environment a problem; see `CacheEnv`. An episode that ends begins anew in the same step.

    ``info["final_obs"]`` and ``info["outcome"]``, of which only the rows under the mask ``info["_outcome"]`` are set,
    belong to episodes that ended.

    Raises:
        ValueError: No problems were given.
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
        self._lay_out()

    def _lay_out(self) -> None:
        """Put all requests and states one behind the other; problems that share a trace share its requests."""
        problems, where = self.problems, {}
        ids: list[Int32] = []
        sizes: list[Int64] = []
        for problem in problems:
            if id(problem.trace) not in where:
                spans = tuple((sum(map(len, held)), sum(map(len, held)) + len(new))
                              for held, new in ((ids, problem.trace.ids), (sizes, problem.sizes)))  # fmt: skip
                where[id(problem.trace)] = spans
                ids.append(problem.trace.ids)
                sizes.append(problem.sizes)
        states = [empty_cache(problem, 0) for problem in problems]
        ends = [np.cumsum([0] + [len(state[index]) for state in states]) for index in (1, 2)]
        self._ids, self._sizes = np.concatenate(ids), np.concatenate(sizes)
        self._bounds = np.array(
            [[*where[id(p.trace)], *((end[b], end[b + 1]) for end in ends)] for b, p in enumerate(problems)], np.int64
        )
        self._judged_from = np.array([problem.judged_from for problem in problems])
        self._capacities = np.array([problem.capacity for problem in problems])
        self._totals = np.array([problem.judged_total for problem in problems], float)
        alone = {0, 5, 6, 7}
        self._state = tuple(
            (np.stack if index in alone else np.concatenate)([state[index] for state in states]) for index in range(8)
        )
        self._counts = np.zeros((self.num_envs, 2, 4), np.int64)
        self._asks = np.zeros(self.num_envs, np.bool_)
        self._begun = False

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Empty every cache and serve up to its first eviction; given seeds are the runs' own, as in `CacheEnv`."""
        if seed is None or isinstance(seed, int):
            self._rng = np.random.default_rng(seed)
            seeds = [None if seed is None else seed + b for b in range(self.num_envs)]
        else:
            self._rng, seeds = np.random.default_rng(), list(seed)
        for b, own in enumerate(seeds):
            self._empty(b, int(self._rng.integers(2**31)) if own is None else own)
        self._go(np.zeros(self.num_envs, np.int64))
        self._begun = True
        return self._observations(), {}

    def step(
        self, actions: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[Any], NDArray[Any], NDArray[Any], dict[str, Any]]:
        """Answer all open questions.

        Raises:
            gymnasium.error.ResetNeeded: `reset` was not called.
            gymnasium.error.InvalidAction: There are not as many answers as caches, or one is no candidate.
        """
        from gymnasium import error

        if not self._begun:
            raise error.ResetNeeded("call reset() before step()")
        choices = np.asarray(actions, np.int64)
        if choices.shape != (self.num_envs,) or choices.min() < 0 or choices.max() >= sampled.K:
            raise error.InvalidAction(f"give {self.num_envs} answers from 0 to {sampled.K - 1}, not {actions!r:.80}")
        before = self._counts[:, 1, 2].copy()
        self._go(choices)
        rewards = (before - self._counts[:, 1, 2]) / self._totals
        ended = ~self._asks
        info = self._begin_again(ended) if ended.any() else {}
        return self._observations(), rewards, ended, np.zeros(self.num_envs, np.bool_), info

    def _go(self, choices: NDArray[np.int64]) -> None:
        go_all(self._ids, self._sizes, self._bounds, self._judged_from, self._capacities, self._state, self._counts,
               choices, self._asks)  # fmt: skip

    def _observations(self) -> NDArray[np.float32]:
        return np.array(self._state[7], np.float32)

    def _own(self, b: int) -> Any:
        return python(part)(self._state, self._bounds, b)

    def _empty(self, b: int, seed: int) -> None:
        for held, fresh in zip(self._own(b), empty_cache(self.problems[b], seed), strict=True):
            held[...] = fresh
        self._counts[b] = 0

    def _begin_again(self, ended: Bool) -> dict[str, Any]:
        final, outcomes = np.full(self.num_envs, None, object), np.full(self.num_envs, None, object)
        for b in np.flatnonzero(ended).tolist():
            counts = (Counts(*each.tolist()) for each in self._counts[b])
            final[b] = self._state[7][b].copy()
            outcomes[b] = self.problems[b].outcome(*counts, start_s=0.0, learn_s=0.0, serve_s=0.0)
            self._empty(b, int(self._rng.integers(2**31)))
            problem, own = self.problems[b], self._own(b)
            go(problem.trace.ids, problem.sizes, problem.judged_from, problem.capacity, own, self._counts[b, 0],
               self._counts[b, 1], 0)  # fmt: skip
        return {"final_obs": final, "_final_obs": ended, "outcome": outcomes, "_outcome": ended}
