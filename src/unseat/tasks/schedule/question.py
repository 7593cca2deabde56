"""The cluster's one question, for policies that do not hold the engine: who gets the executors, and how many?"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Dict, Discrete

from unseat.core.jit import jit
from unseat.core.policy import Asker, InvalidAnswer, Question, Session, Signature
from unseat.sandbox.bytecode import best_row
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine import programs
from unseat.tasks.schedule.engine.cluster import advance, answer
from unseat.tasks.schedule.engine.features import FEATURES, F, describe
from unseat.tasks.schedule.engine.layout import NONE, Float32, Int32, Memory
from unseat.tasks.schedule.engine.memory import Cluster
from unseat.tasks.schedule.policies import Fused

ROWS = programs.ROWS
"""Candidates that a policy in Python is shown; of more, those of the jobs that came first."""

LEVELS = 16
"""Limits that such a policy may choose from: shares of all executors, the last one all of them."""

ACTIONS = 1 + ROWS * LEVELS
"""0 is to wait; ``1 + row * LEVELS + level`` is a candidate and a limit. A row that is not there is to wait as well."""


def assign() -> Question:
    """Observation: the candidates' features (`features.FEATURES`) and a mask of actions; action: see `ACTIONS`."""
    return Question(
        text="Which stage gets the executors that are free, and how many may its job then hold?",
        observation=Dict(
            {
                "stages": Box(-32.0, 32.0, (ROWS, F), np.float32),
                "action_mask": Box(0, 1, (ACTIONS,), np.int8),
            }
        ),
        action=Discrete(ACTIONS),
        kernel=Signature(
            {"stages": f"float32[n, {F}], a row a candidate: {', '.join(FEATURES)}"},
            "(int, int): row of the candidate, or -1 to let the executors wait; how many its job may then hold",
        ),
    )


@jit
def limit_of(m: Memory, level: int) -> int:
    """A level as a number of executors."""
    return math.ceil(float(m[at.EXECUTORS]) * (level + 1) / LEVELS)


@jit
def take(m: Memory, durations: Int32, action: int) -> None:
    """Answer the open question by an action."""
    row, level = (action - 1) // LEVELS, (action - 1) % LEVELS
    stage, limit = NONE, 0
    if action > 0 and row < m[at.CANDIDATES]:
        stage, limit = m[m[at.CANDIDATE_LIST] + row], limit_of(m, level)
    answer(m, durations, stage, limit)


def observe(m: Memory, static: Float32) -> dict[str, Any]:
    """The open question as an observation."""
    count = int(m[at.CANDIDATES])
    features = np.zeros((max(count, ROWS), F), np.float32)
    describe(m, static, features)
    return {"stages": features[:ROWS], "action_mask": mask(count, bool(m[at.FORCED]))}


def mask(count: int, forced: bool) -> np.ndarray[Any, np.dtype[np.int8]]:
    """int8[ACTIONS], 1 for what may be answered: to wait unless nothing runs any more, and every shown candidate."""
    legal = np.zeros(ACTIONS, np.int8)
    legal[0] = not forced
    legal[1 : 1 + min(count, ROWS) * LEVELS] = 1
    return legal


def serve(m: Memory, cluster: Cluster, asker: Asker) -> float | None:
    """Run to the end by the asker's session, whatever its form; gives the seconds of its decisions, where known.

    Raises:
        InvalidAnswer: A compiled policy answered what is no candidate.
    """
    session = asker.session
    if isinstance(session, Fused):
        return session.play(m, cluster)
    if session.kernel and session.kernel[0] is best_row:
        programs.play_program(m, cluster.durations, cluster.static, *session.kernel[1])
        return None
    if session.kernel:
        wrong = play_kernel(m, cluster.durations, cluster.static, *session.kernel)
        if wrong:
            raise InvalidAnswer(f"answer {wrong} of the kernel is neither a candidate nor -1")
        return None
    ask(m, cluster, asker)
    return asker.decide_s if asker.decisions else None


def ask(m: Memory, cluster: Cluster, asker: Asker) -> None:
    """Run to the end by asking a policy in Python, and pay it as time passes.

    The reward is minus the time that jobs have spent in the system since the last one, in seconds, over their number.
    """
    paid = 0.0
    while advance(m, cluster.durations):
        paid = pay(m, asker.session, paid)
        seen = observe(m, cluster.static)
        take(m, cluster.durations, int(asker(seen)))
    pay(m, asker.session, paid)


def pay(m: Memory, session: Session, paid: float) -> float:
    """Tell a session of the time that jobs have spent since it was paid last; gives what was paid in all."""
    spent = time_in_system(m)
    if spent > paid:
        session.reward(paid - spent)
    return spent


@jit
def time_in_system(m: Memory) -> float:
    """Seconds that jobs have spent between arrival and end so far, over their number: in the end the objective."""
    total = 0
    for job in range(m[at.ALL_JOBS], m[at.ALL_JOBS] + m[at.JOBS] * at.JOB, at.JOB):
        if m[job + at.STATE] == at.DONE:
            total += m[job + at.DONE_AT] - m[job + at.ARRIVAL]
        elif m[job + at.STATE] == at.RUNS:
            total += m[at.NOW] - m[job + at.ARRIVAL]
    return float(total / (1000.0 * m[at.JOBS]))


@jit
def play_kernel(m: Memory, durations: Int32, static: Float32, kernel: Any, arrays: Any) -> int:
    """Run to the end by a compiled policy, in one loop with the engine; gives the number of a wrong answer, or 0."""
    features = np.zeros((m[at.STAGES], F), np.float32)
    while advance(m, durations):
        describe(m, static, features)
        row, limit = kernel(features[: m[at.CANDIDATES]], *arrays)
        # A limit that is no whole number would lose parts of executors.
        if row < -1 or row >= m[at.CANDIDATES] or not -1e15 < limit < 1e15:
            return int(m[at.DECISIONS] + 1)
        answer(m, durations, NONE if row < 0 else m[m[at.CANDIDATE_LIST] + row], int(limit))
    return 0
