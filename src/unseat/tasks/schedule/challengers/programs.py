"""What the cluster lets be programmed: a score for the candidates, of which the highest gets the executors.

The start is the job with the least work left, which a score of one feature can say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from unseat.core.policy import InvalidAnswer
from unseat.sandbox.programs import Offer

if TYPE_CHECKING:
    from unseat.tasks.schedule.problem import Problem

TEXT = (
    "Stages of jobs wait for the executors that are free. Give each stage a score from what is known of it, of its job "
    "and of the cluster: the one with the highest gets them, and its job may hold all there are. Times in seconds and "
    "counts are natural logarithms. Jobs that end sooner in the mean are better."
)
SEED = 0
"""Of the cluster's draws where programs are tried: actions are replayed on the same."""


def arguments() -> dict[str, str]:
    """Name to meaning of each feature."""
    from unseat.tasks.schedule.engine.features import FEATURES

    return {re.sub(r"\W+", "_", text).strip("_"): text for text in FEATURES}


def offer() -> Offer:
    """What `unseat evolve schedule` starts from."""
    from unseat.tasks.schedule.engine.programs import ROWS

    start = f"def score({', '.join(arguments())}):\n    return 0 - log_work_left\n"
    return Offer("score", TEXT, arguments(), ROWS, start, "unseat.tasks.schedule.engine.programs:chosen_by",
                 "unseat.tasks.schedule.engine.programs:warm", share, replay, elite=elite)  # fmt: skip


def share(problem: Problem) -> Mapping[str, Any]:
    """A cluster before its first event, as arrays."""
    cluster = problem.cluster
    return {"memory": cluster.begin(SEED), "durations": cluster.durations, "static": cluster.static}


def elite(choose: Callable[..., int], problem: Problem) -> Any:
    """What a compiled program chooses on a workload, as actions."""
    from unseat.tasks.schedule.engine import programs

    return programs.compiled_choices(choose, share(problem))


def replay(problem: Problem, actions: Any) -> float:
    """The objective of choices, measured outside.

    Raises:
        InvalidAnswer: They are not one candidate for each decision.
    """
    from unseat.tasks.schedule.engine import programs

    if not isinstance(actions, np.ndarray) or actions.dtype != np.int8 or actions.ndim != 1:
        raise InvalidAnswer("actions of the cluster are int8 [decisions]")
    m = problem.cluster.begin(SEED)
    made = programs.do_again(m, problem.cluster.durations, actions)
    if made < 0:
        raise InvalidAnswer("there are too few actions" if made == programs.TOO_FEW else "an action is no candidate")
    if made != len(actions):
        raise InvalidAnswer(f"{len(actions)} actions for {made} decisions")
    return problem.outcome(m).value
