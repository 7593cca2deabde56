"""The engine and a program in one loop: to run, to note who went first, and to do again what was noted.

What runs in a sandbox hands back its choices; the scorer outside does them again and counts for itself. Everything
but the order of those that wait is the adaptive policy's.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from unseat.core.jit import jit
from unseat.sandbox.bytecode import execute, highest
from unseat.tasks.serving.engine import layout as at
from unseat.tasks.serving.engine.cluster import advance, answer_batch
from unseat.tasks.serving.engine.features import F, waiting_features
from unseat.tasks.serving.engine.layout import NONE, Float64, Int32, State
from unseat.tasks.serving.engine.lengths import N_KNOWN
from unseat.tasks.serving.engine.play import WEIGHTS, answer_other, budget, order

Choices = npt.NDArray[np.int8]
ROWS = 64
"""Requests that a program scores, those that wait longest."""
PLACES = 8
"""Of them so many go first, in the order of their scores; who is behind those seldom is in the next batch."""
FIRST = 1e9
"""The score of the first of them, above any that a rule gives."""
TOO_FEW, WRONG = -1, -2


class Room(NamedTuple):
    """What the loop works in: no weights, no length prediction, features of one and of all, and who is left."""

    w: Float64
    lengths: Float64
    x: Float64
    known: Float64
    rows: npt.NDArray[Any]
    left: npt.NDArray[np.int64]


def room() -> Room:
    """New room."""
    return Room(np.zeros(WEIGHTS), np.zeros(0), np.zeros(F), np.zeros(N_KNOWN), np.zeros((ROWS, F)),
                np.zeros(ROWS, np.int64))  # fmt: skip


@jit
def open_batch(s: State, p: Float64, v: Room) -> int:
    """Run on to a batch for which several wait; how many of them are rows now, or 0 at the end."""
    while True:
        asked = advance(s)
        if asked == at.OVER:
            return 0
        if asked != at.BATCH:
            answer_other(s, asked, p, v.w, v.lengths, v.x, v.known)
            continue
        order(s, p, v.w, v.x)
        if s.rep[s.g[at.ASKED], at.N_WAIT] > 1:
            count = waiting_features(s, s.g[at.ASKED], v.rows)
            v.left[:count] = np.arange(count)
            return int(count)
        close_batch(s, p, v)


@jit
def close_batch(s: State, p: Float64, v: Room) -> None:
    """All have their scores: make the batch."""
    answer_batch(s, at.MIXED, budget(s, s.g[at.ASKED], p, v.w, v.x))


@jit
def put(s: State, row: int, place: int) -> None:
    """The request of a row goes at a place, ahead of all that have none."""
    i = s.rep[s.g[at.ASKED], at.FIRST_WAIT]
    for _ in range(row):
        i = s.q[i, at.AFTER]
    if i != NONE:
        s.when[i, at.SCORE] = FIRST - place


@jit
def noted(chosen: Choices, made: int, row: int) -> Choices:
    """The choices with one more; a longer array where they are full."""
    if made == chosen.shape[0]:
        longer = np.zeros(2 * made, np.int8)
        longer[:made] = chosen
        chosen = longer
    chosen[made] = row
    return chosen


@jit
def play_program(
    s: State, p: Float64, v: Room, code: Int32, constants: Float64, register: Float64, chosen: Choices, made: int
) -> tuple[Choices, int]:
    """Run to the end by a program; the choices with those that it made, and how many there are."""
    while True:
        count = open_batch(s, p, v)
        if count == 0:
            return chosen, made
        execute(v.rows[:count], code, constants, register[:, :count])
        scores = register[register.shape[0] - 1]
        for place in range(min(count, PLACES)):
            row = highest(scores[: count - place])
            chosen = noted(chosen, made, v.left[row])
            made += 1
            put(s, v.left[row], place)
            for k in range(row, count - place - 1):
                scores[k], v.left[k] = scores[k + 1], v.left[k + 1]
        close_batch(s, p, v)


@numba.njit(nogil=True, error_model="numpy")
def play_compiled(s, p, v, choose, chosen, made):  # type: ignore[no-untyped-def]
    """`play_program` by a compiled program; compiled anew for each, since Numba's disk cache cannot tell them apart."""
    while True:
        count = open_batch(s, p, v)
        if count == 0:
            return chosen, made
        for place in range(min(count, PLACES)):
            row = choose(v.rows[: count - place])
            chosen = noted(chosen, made, v.left[row])
            made += 1
            put(s, v.left[row], place)
            for k in range(row, count - place - 1):
                v.rows[k], v.left[k] = v.rows[k + 1], v.left[k + 1]
        close_batch(s, p, v)


@jit
def do_again(s: State, p: Float64, v: Room, chosen: Choices, made: int) -> int:
    """Run to the end by noted choices from number `made` on; how many were used, or what is wrong."""
    while True:
        count = open_batch(s, p, v)
        if count == 0:
            return made
        places = min(count, PLACES)
        if made + places > chosen.shape[0]:
            return TOO_FEW
        for place in range(places):
            row = chosen[made + place]
            if row < 0 or row >= count or v.left[row] < 0:
                return WRONG
            v.left[row] = -1
            put(s, row, place)
        made += places
        close_batch(s, p, v)
