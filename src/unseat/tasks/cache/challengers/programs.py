"""What the cache lets be programmed: a score for the candidates of an eviction, of which the highest goes.

The start is least recently used, the incumbent that a score of one feature can say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from unseat.core.policy import InvalidAnswer
from unseat.sandbox.programs import Offer
from unseat.tasks.cache.challengers.linear import NAMES

if TYPE_CHECKING:
    from unseat.tasks.cache.problem import Problem

TEXT = (
    "Thirty-two objects of a full cache are looked at: the four used least recently, the two newest, and the others "
    "drawn at random. Give each a score from what is known of it: the one with the highest score is evicted. All "
    "features are base-2 logarithms, of times in units of the cache's capacity in objects. Fewer misses are better."
)
SHORT_REQUESTS, SHORT_PLACES = 5_000, 64
"""Of a shortened problem: requests at most, and places of its cache at least, if the whole one has so many."""
SEED = 0
"""Of the cache's draws where programs are tried: actions are replayed on the same."""


def offer(sized: bool) -> Offer:
    """What `unseat evolve cache` starts from."""
    from unseat.tasks.cache.engine import sampled

    arguments = {name: text.partition(": ")[2] for name, text in zip(NAMES, sampled.FEATURES, strict=True)}
    if not sized:
        arguments["size"] = "always 0 here"
    start = f"def score({', '.join(arguments)}):\n    return age\n"
    return Offer("score", TEXT, arguments, sampled.K, start, "unseat.tasks.cache.engine.programs:chosen_by",
                 "unseat.tasks.cache.engine.programs:warm", share, replay, () if sized else ("size",),
                 shortened, elite)  # fmt: skip


def shortened(problem: Problem) -> Problem:
    """A few of a trace's objects, drawn by their numbers, at a cache that is smaller alike, and its beginning only.

    After C. Waldspurger et al., "Efficient MRC construction with SHARDS", FAST 2015; like there, the cache shrinks by
    the share of objects that are kept.
    """
    from unseat.tasks.cache.engine.trace import from_raw
    from unseat.tasks.cache.problem import Problem as Made

    trace = problem.trace
    places = problem.capacity * trace.n_objects // max(trace.footprint, 1)
    step = max(places // SHORT_PLACES, 1)
    scattered = np.arange(trace.n_objects, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(32)
    ids = trace.ids[(scattered % np.uint64(step) == 0)[trace.ids]][:SHORT_REQUESTS]
    if not ids.size:
        return problem
    sizes = None if trace.sizes is None else trace.sizes[ids]
    made = from_raw(ids, sizes, f"{trace.name}, shortened")
    share = problem.judged_from / trace.n_requests
    return Made(made, max(problem.capacity // step, 1), int(share * made.n_requests))


def share(problem: Problem) -> Mapping[str, Any]:
    """A trace as arrays. The future is in it: what a program could make of that it would have to say in its actions."""
    trace = problem.trace
    return {
        "ids": trace.ids, "sizes": problem.sizes, "objects": trace.n_objects, "capacity": problem.capacity,
    }  # fmt: skip


def elite(choose: Callable[..., int], problem: Problem) -> Any:
    """What a compiled program chooses on a trace, as actions."""
    from unseat.tasks.cache.engine import programs

    return programs.compiled_choices(choose, share(problem))


def replay(problem: Problem, actions: Any) -> float:
    """The objective of choices, counted outside.

    Raises:
        InvalidAnswer: They are not one row from 0 to 31 for each eviction.
    """
    from unseat.tasks.cache.engine import programs, sampled

    if not isinstance(actions, np.ndarray) or actions.dtype != np.int8 or actions.ndim != 1:
        raise InvalidAnswer("actions of the cache are int8 [evictions]")
    sized = problem.trace.sizes is not None
    cache = sampled.init(problem.trace.n_objects, problem.capacity, SEED, sized, wanted=0)
    warm, judged = np.zeros(4, np.int64), np.zeros(4, np.int64)
    made = 0
    for stop, counts in ((problem.judged_from, warm), (problem.trace.n_requests, judged)):
        where = problem.trace.ids, problem.sizes, stop, problem.capacity
        made = programs.do_again(*where, cache, counts, actions, made)
        if made < 0:
            raise InvalidAnswer("there are too few actions" if made == programs.TOO_FEW else "an action is no row")
    if made != len(actions):
        raise InvalidAnswer(f"{len(actions)} actions for {made} evictions")
    return int(judged[2]) / problem.judged_total
