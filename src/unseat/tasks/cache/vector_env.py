"""Many caches at once: one compiled call answers all open questions and goes on to the next ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import jit, python
from unseat.core.lockstep import LockstepEnv
from unseat.core.outcome import Outcome
from unseat.core.policy import Question
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
    scalars, slots, history, learned, links, newest, asked, features, classes = state
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
        classes[b],
    )


@jit
def go_all(
    ids: Int32, sizes: Int64, bounds: Int64, judged_from: Int64, capacities: Int64, state: Any, counts: Any,
    runs: Int64, choices: Int64, asks: Bool,
) -> None:  # fmt: skip
    """`unseat.tasks.cache.env.go` for some of the caches; ``counts`` is ``int64[B, 2, 4]``."""
    for row in range(runs.size):
        b = runs[row]
        own_ids = ids[bounds[b, REQUESTS, 0] : bounds[b, REQUESTS, 1]]
        own_sizes = sizes[bounds[b, SIZES, 0] : bounds[b, SIZES, 1]]
        asks[row] = go(own_ids, own_sizes, judged_from[b], capacities[b], part(state, bounds, b), counts[b, 0],
                       counts[b, 1], choices[row])  # fmt: skip


class CacheVectorEnv(LockstepEnv):
    """One environment a problem; see `CacheEnv`.

    Raises:
        ValueError: No problems were given.
    """

    def __init__(self, problems: Sequence[Problem], question: Question) -> None:
        super().__init__(len(problems), question)
        self.problems = list(problems)
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
        self.units = np.array([problem.judged_total for problem in problems], float)
        alone = {0, 5, 6, 7, 8}
        self._state = tuple(
            (np.stack if index in alone else np.concatenate)([state[index] for state in states]) for index in range(9)
        )
        self._counts = np.zeros((self.num_envs, 2, 4), np.int64)

    def begin(self, run: int, seed: int) -> None:
        """Empty a cache."""
        for held, fresh in zip(self._own(run), empty_cache(self.problems[run], seed), strict=True):
            held[...] = fresh
        self._counts[run] = 0

    def go(self, runs: Int64, actions: Int64) -> Bool:
        """Evict, and serve up to the next eviction."""
        asks = np.zeros(len(runs), np.bool_)
        go_all(self._ids, self._sizes, self._bounds, self._judged_from, self._capacities, self._state, self._counts,
               runs, actions, asks)  # fmt: skip
        return asks

    def costs(self) -> Int64:
        """Judged misses (bytes, with sizes); a unit is all that is judged."""
        return np.array(self._counts[:, 1, 2])

    def observations(self) -> NDArray[np.float32]:
        """The candidates' features."""
        return np.array(self._state[7], np.float32)

    def outcome(self, run: int) -> Outcome:
        """The misses."""
        counts = (Counts(*each.tolist()) for each in self._counts[run])
        return self.problems[run].outcome(*counts, start_s=0.0, learn_s=0.0, serve_s=0.0)

    def _own(self, run: int) -> Any:
        return python(part)(self._state, self._bounds, run)
