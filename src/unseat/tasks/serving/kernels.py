"""Policies that are kernels: the engine runs to its end without Python, and asks them who is in the next batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from unseat.core.jit import jit
from unseat.core.policy import InvalidAnswer, Signature
from unseat.tasks.serving.engine import layout as at
from unseat.tasks.serving.engine import play as of
from unseat.tasks.serving.engine.cluster import advance, answer_batch
from unseat.tasks.serving.engine.features import PLACE, REQUEST, F, waiting_features
from unseat.tasks.serving.engine.layout import NONE, Float64, State
from unseat.tasks.serving.engine.lengths import N_KNOWN
from unseat.tasks.serving.policies import RuleOf

BATCH = Signature(
    {"requests": f"float64[n, {F}], a row a request that waits, in order of coming: {', '.join((*REQUEST, *PLACE))}"},
    "float64[n + 1]: scores, the greater the sooner; and the size of the batch, from -1 to 1, as in Python",
)

NOTHING = RuleOf("others", {})
"""What answers the other questions: the fewest requests, the last that came, everybody."""


@jit
def play_kernel(s: State, p: Float64, kernel: Any, arrays: Any) -> bool:
    """Run to the end by a compiled policy; False if an answer of it is none."""
    w, x, none, known = np.zeros(of.WEIGHTS), np.zeros(F), np.zeros(0), np.zeros(N_KNOWN)
    rows = np.zeros((s.g[at.REQUESTS], F))
    while True:
        asked = advance(s)
        if asked == at.OVER:
            return True
        if asked == at.BATCH:
            r = s.g[at.ASKED]
            count = waiting_features(s, r, rows)
            answer = kernel(rows[:count], *arrays)
            if answer.size != count + 1 or not np.isfinite(answer).all() or abs(answer[count]) > 1.0:
                return False
            i, place = s.rep[r, at.FIRST_WAIT], 0
            while i != NONE:
                s.when[i, at.SCORE] = answer[place]
                i, place = s.q[i, at.AFTER], place + 1
            share = (answer[count] + 1.0) / 2.0
            most = float(s.g[at.MOST_TOKENS])
            answer_batch(s, at.MIXED, int(at.LEAST_BUDGET * (most / at.LEAST_BUDGET) ** share + 0.5))
        else:
            of.answer_other(s, asked, p, w, none, x, known)


def play(s: State, kernel: tuple[Any, Any]) -> None:
    """Run a state to its end.

    Raises:
        InvalidAnswer: The kernel gave something else than a number a request and a size.
    """
    if not play_kernel(s, NOTHING.vector, *kernel):
        raise InvalidAnswer(f"the kernel gave no finite number for each request, and a size from -1 to 1, at decision "
                            f"{int(s.g[at.DECISIONS]) + 1}")  # fmt: skip
