"""The cache's one question, for policies that do not hold the engine: which of the candidates goes?"""

from __future__ import annotations

import numpy as np
from gymnasium.spaces import Box, Discrete

from unseat.core.policy import Asker, InvalidAnswer, Question, Session, Signature
from unseat.sandbox import bytecode
from unseat.tasks.cache.engine import programs, sampled
from unseat.tasks.cache.engine.trace import Int64
from unseat.tasks.cache.problem import Advance, Problem


def evict() -> Question:
    """Observation: ``float32[K, F]``, a row a candidate (`sampled.FEATURES`); action: the row of the one that goes."""
    return Question(
        text="Which of these resident objects leaves the cache?",
        observation=Box(-64.0, 64.0, (sampled.K, sampled.F), np.float32),
        action=Discrete(sampled.K),
        kernel=Signature({"features": f"float32[{sampled.K}, {sampled.F}]"}, "int: the row of the candidate that goes"),
    )


def empty_cache(problem: Problem, seed: int) -> sampled.State:
    """A cache that asks, for a problem."""
    return sampled.init(problem.trace.n_objects, problem.capacity, seed, problem.trace.sizes is not None)


def compiled(problem: Problem, session: Session, cache: sampled.State) -> Advance:
    """Serve by a compiled policy ``kernel(features, *arrays) -> row``, in one loop with the engine."""

    def advance(start: int, stop: int, counts: Int64) -> None:
        assert session.kernel is not None
        choose, arrays = session.kernel
        where = problem.trace.ids, problem.sizes, start, stop, problem.capacity
        if choose is sampled.best_linear:
            sampled.serve_linear(*where, (cache, arrays[0]), counts)
            return
        if choose is bytecode.best_row:
            code, constants, room = arrays
            programs.serve_program(*where, (cache, code, constants, room), counts)
            return
        answer = sampled.serve_kernel(*where, (cache, arrays), counts, choose)
        if answer:
            raise InvalidAnswer(f"the kernel answered {answer}, not a candidate from 0 to {sampled.K - 1}")

    return advance


def asked(problem: Problem, asker: Asker, cache: sampled.State) -> Advance:
    """Serve by asking a Python policy at each eviction, and pay it for what it missed."""

    def advance(start: int, stop: int, counts: Int64) -> None:
        judged = start >= problem.judged_from
        arguments = problem.trace.ids, problem.sizes, stop, problem.capacity, cache, counts
        paid = int(counts[2])
        asks = sampled.advance(*arguments)
        while True:
            if judged and counts[2] > paid:
                asker.session.reward((paid - int(counts[2])) / problem.judged_total)
                paid = int(counts[2])
            if not asks:
                return
            asks = sampled.step(*arguments, int(asker(cache[7].copy())))

    return advance
