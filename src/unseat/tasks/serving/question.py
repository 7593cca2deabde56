"""The four questions, for policies that do not hold the engine."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Dict, Discrete
from numpy.typing import NDArray

from unseat.core.policy import Asker, Question
from unseat.tasks.serving.engine import layout as at
from unseat.tasks.serving.engine.cluster import (
    advance,
    answer_admit,
    answer_batch,
    answer_preempt,
    answer_route,
)
from unseat.tasks.serving.engine.features import (
    F_REQUEST,
    F_ROUTE,
    PLACE,
    REQUEST,
    ROUTES,
    F,
    place_features,
    request_features,
    route_features,
    saved,
    waiting_features,
)
from unseat.tasks.serving.engine.layout import NONE, State
from unseat.tasks.serving.engine.lengths import N_KNOWN
from unseat.tasks.serving.engine.play import expect

ROWS = 32
"""Waiting requests that a policy in Python is shown, those that wait longest; others follow them."""

LANES = 16
"""Replicas that it is shown."""

NO_LENGTHS = np.zeros(0)


def questions() -> Mapping[str, Question]:
    """`batch` is the main one."""
    from unseat.tasks.serving.kernels import BATCH

    rows = Box(-64.0, 64.0, (ROWS, F), np.float32)
    mask = Box(0, 1, (ROWS,), np.int8)
    return {
        "batch": Question(
            text="Which of the requests that wait are in the next batch, and how many tokens may it have?",
            observation=Dict({"requests": rows, "here": mask}),
            action=Box(-1.0, 1.0, (ROWS + 1,), np.float32),
            kernel=BATCH,
        ),
        "route": Question(
            text="Which replica gets the request that comes?",
            observation=Dict({"replicas": Box(-64.0, 64.0, (LANES, F_ROUTE), np.float32),
                              "action_mask": Box(0, 1, (LANES,), np.int8)}),
            action=Discrete(LANES),
        ),
        "preempt": Question(
            text="The cache is full: which of the requests that run goes back to those that wait?",
            observation=Dict({"requests": Box(-64.0, 64.0, (ROWS, F), np.float32),
                              "action_mask": Box(0, 1, (ROWS,), np.int8)}),
            action=Discrete(ROWS),
        ),
        "admit": Question(
            text="Is the request that comes taken, or refused at once?",
            observation=Dict({"request": Box(-64.0, 64.0, (F,), np.float32),
                              "action_mask": Box(0, 1, (2,), np.int8)}),
            action=Discrete(2),
        ),
    }  # fmt: skip


TEXTS = {"requests": (*REQUEST, *PLACE), "replicas": ROUTES}
"""What the columns of the observations are."""


def ask(s: State, askers: Mapping[str, Asker]) -> None:
    """Run to the end by asking policies in Python."""
    known = np.zeros(N_KNOWN)
    while True:
        asked = advance(s)
        if asked == at.OVER:
            return
        if asked == at.BATCH:
            _batch(s, askers["batch"])
        elif asked == at.ROUTE:
            expect(s, NO_LENGTHS, known)
            _route(s, askers["route"])
        elif asked == at.ADMIT:
            told = shown_request(s)
            answer_admit(s, bool(askers["admit"](told)))
        else:
            _preempt(s, askers["preempt"])


def _batch(s: State, asker: Asker) -> None:
    r = int(s.g[at.ASKED])
    rows = np.zeros((ROWS, F))
    count = waiting_features(s, r, rows)
    here = (np.arange(ROWS) < count).astype(np.int8)
    answer = np.asarray(asker({"requests": rows.astype(np.float32), "here": here}), np.float64)
    i, place = int(s.rep[r, at.FIRST_WAIT]), 0
    while i != NONE:
        s.when[i, at.SCORE] = answer[place] if place < ROWS else -2.0
        i, place = int(s.q[i, at.AFTER]), place + 1
    answer_batch(s, at.MIXED, tokens_of(float(answer[-1]), int(s.g[at.MOST_TOKENS])))


def tokens_of(share: float, most: int) -> int:
    """The last number of an answer as tokens: -1 is `LEAST_BUDGET`, 1 the most there may be, on a logarithmic scale."""
    return int(at.LEAST_BUDGET * math.pow(most / at.LEAST_BUDGET, (share + 1) / 2) + 0.5)


def share_of(tokens: int, most: int) -> float:
    """The inverse of `tokens_of`."""
    return 2 * math.log(tokens / at.LEAST_BUDGET) / math.log(most / at.LEAST_BUDGET) - 1


def shown_request(s: State) -> dict[str, NDArray[Any]]:
    """What `admit` shows."""
    seen, i, r = np.zeros(F), s.g[at.ASKED], s.g[at.TAKEN]
    request_features(s, r, i, s.when[i, at.ARRIVAL], seen[:F_REQUEST])
    place_features(s, r, seen[F_REQUEST:])
    return {"request": seen.astype(np.float32), "action_mask": np.ones(2, np.int8)}


def shown_replicas(s: State) -> dict[str, NDArray[Any]]:
    """What `route` shows."""
    first, count, i = int(s.g[at.FROM]), int(s.g[at.TO] - s.g[at.FROM]), int(s.g[at.ASKED])
    rows, shown = np.zeros((LANES, F_ROUTE)), min(count, LANES)
    best = max((saved(s, first + place, i) for place in range(shown)), default=0.0)
    for place in range(shown):
        route_features(s, i, first + place, best, rows[place])
    return {"replicas": rows.astype(np.float32), "action_mask": (np.arange(LANES) < shown).astype(np.int8)}


def _route(s: State, asker: Asker) -> None:
    answer_route(s, int(asker(shown_replicas(s))))


def _preempt(s: State, asker: Asker) -> None:
    r, now = int(s.g[at.ASKED]), float(s.clock[int(s.g[at.ASKED]), at.NOW])
    count = int(s.rep[r, at.N_RUN])
    begin = max(0, count - ROWS)
    rows, mask = np.zeros((ROWS, F)), np.zeros(ROWS, np.int8)
    for row, place in enumerate(range(begin, count)):
        request_features(s, r, int(s.run[r, place, 0]), now, rows[row, :F_REQUEST])
        place_features(s, r, rows[row, F_REQUEST:])
        mask[row] = place != s.g[at.TURN]
    answer_preempt(s, begin + int(asker({"requests": rows.astype(np.float32), "action_mask": mask})))
