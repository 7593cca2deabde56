"""The engine's loop around the rules: one compiled function holds them all."""

from __future__ import annotations

import numpy as np

from unseat.core.jit import inlined, jit
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.cluster import advance, answer
from unseat.tasks.schedule.engine.layout import Float64, Int32, Memory
from unseat.tasks.schedule.engine.moves import draw
from unseat.tasks.schedule.incumbents.fair import weighted_fair
from unseat.tasks.schedule.incumbents.fifo import fifo
from unseat.tasks.schedule.incumbents.ranked import graphene, heft
from unseat.tasks.schedule.incumbents.sjf import sjf, sjf_cp
from unseat.tasks.schedule.incumbents.tetris import tetris

FIFO, FAIR, SJF, SJF_CP, TETRIS, HEFT, GRAPHENE, RANDOM = range(8)

_HALF = np.uint64(1)


@jit
def play(m: Memory, durations: Int32, rule: int, parameters: Float64, ranks: Float64, until_ms: int) -> None:
    """Run by one rule, up to the end or to a time.

    Args:
        m: The state.
        durations: See `engine.library`.
        rule: Which one.
        parameters: Its parameters.
        ranks: float64 [stages], for rules that rank them beforehand.
        until_ms: When the run is cut.
    """
    while advance(m, durations) and m[at.NOW] < until_ms:
        stage, limit = choose(m, rule, parameters, ranks)
        answer(m, durations, stage, limit)


@jit
def choose(m: Memory, rule: int, parameters: Float64, ranks: Float64) -> tuple[int, int]:
    """A rule's answer to the open question."""
    if rule == FIFO:
        stage, limit = fifo(m)
    elif rule == FAIR:
        stage, limit = weighted_fair(m, parameters)
    elif rule == SJF:
        stage, limit = sjf(m)
    elif rule == SJF_CP:
        stage, limit = sjf_cp(m, ranks)
    elif rule == TETRIS:
        stage, limit = tetris(m, parameters)
    elif rule == HEFT:
        stage, limit = heft(m, parameters, ranks)
    elif rule == GRAPHENE:
        stage, limit = graphene(m, parameters, ranks)
    else:
        stage, limit = anything(m)
    return stage, limit


@inlined
def anything(m: Memory) -> tuple[int, int]:
    """Any candidate, and any limit from one executor to all: the baseline."""
    bits = np.int64(draw(m[at.SEED], (1 << 40) + m[at.DECISIONS]) >> _HALF)
    stage = m[m[at.CANDIDATE_LIST] + (bits & 0x7FFFFFFF) % m[at.CANDIDATES]]
    amount = 1 + (bits >> 31) % m[at.OFFERED]
    return int(stage), int(m[m[stage + at.OF_JOB] + at.HELD] + amount)
