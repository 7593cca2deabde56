"""The cluster and a program in one loop: to run, to note what was chosen, and to do again what was noted.

What runs in a sandbox hands back its choices; the scorer outside does them again and measures for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from unseat.core.jit import jit
from unseat.sandbox.bytecode import best_row
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.cluster import advance, answer
from unseat.tasks.schedule.engine.features import F, describe
from unseat.tasks.schedule.engine.layout import Float32, Float64, Int32, Memory

Choices = npt.NDArray[np.int8]
ROWS = 64
"""Candidates that a program scores; of more, those of the jobs that came first."""
TOO_FEW, WRONG = -1, -2


@jit
def give(m: Memory, durations: Int32, row: int) -> None:
    """Give the executors to a candidate, whose job may hold all there are."""
    answer(m, durations, m[m[at.CANDIDATE_LIST] + row], m[at.EXECUTORS])


@jit
def play_program(
    m: Memory, durations: Int32, static: Float32, code: Int32, constants: Float64, room: Float64
) -> Choices:  # fmt: skip
    """Run to the end by a program; int8 [decisions], the row that was chosen at each."""
    features = np.zeros((m[at.STAGES], F), np.float32)
    chosen, made = np.zeros(1024, np.int8), 0
    while advance(m, durations):
        describe(m, static, features)
        count = min(m[at.CANDIDATES], ROWS)
        row = best_row(features[:count], code, constants, room[:, :count])
        chosen = noted(chosen, made, row)
        made += 1
        give(m, durations, row)
    return chosen[:made]


@jit
def noted(chosen: Choices, made: int, row: int) -> Choices:
    """The choices with one more; a longer array where they are full."""
    if made == chosen.shape[0]:
        longer = np.zeros(2 * made, np.int8)
        longer[:made] = chosen
        chosen = longer
    chosen[made] = row
    return chosen


@numba.njit(nogil=True, error_model="numpy")
def play_compiled(m, durations, static, choose):  # type: ignore[no-untyped-def]
    """`play_program` by a compiled program; compiled anew for each, since Numba's disk cache cannot tell them apart."""
    features = np.zeros((m[at.STAGES], F), np.float32)
    chosen, made = np.zeros(1024, np.int8), 0
    while advance(m, durations):
        describe(m, static, features)
        row = choose(features[: min(m[at.CANDIDATES], ROWS)])
        chosen = noted(chosen, made, row)
        made += 1
        give(m, durations, row)
    return chosen[:made]


@jit
def do_again(m: Memory, durations: Int32, chosen: Choices) -> int:
    """Run to the end by noted choices; how many were used, or what is wrong."""
    made = 0
    while advance(m, durations):
        if made >= chosen.shape[0]:
            return TOO_FEW
        row = chosen[made]
        if row < 0 or row >= min(m[at.CANDIDATES], ROWS):
            return WRONG
        give(m, durations, row)
        made += 1
    return made


def chosen_by(code: Int32, constants: Float64, problems: Mapping[str, Mapping[str, Any]]) -> dict[str, Choices]:
    """What a program chooses on workloads, for the sandbox.

    Args:
        code: int32 [n, 4], a program of `unseat.sandbox.bytecode`.
        constants: float64 [m].
        problems: By name: ``memory``, ``durations`` and ``static`` of a cluster before the first event.

    Returns:
        By name: int8 [decisions], the row that was chosen at each.
    """
    found = {}
    for name, problem in problems.items():
        room = np.zeros((F + len(constants) + len(code), ROWS))
        found[name] = play_program(problem["memory"].copy(), problem["durations"], problem["static"], code, constants,
                                   room)  # fmt: skip
    return found


def compiled_choices(choose: Callable[..., int], problem: Mapping[str, Any]) -> Choices:
    """The same of a program that Numba has compiled: ``choose(features) -> row``."""
    made: Choices = play_compiled(problem["memory"].copy(), problem["durations"], problem["static"], choose)
    return made


def warm() -> None:
    """Compile what `chosen_by` needs."""
    from unseat.tasks.schedule import generators
    from unseat.tasks.schedule.engine.memory import Machines, lay_out

    cluster = lay_out(generators.batch((generators.generate(0, 2.0),), 2, 0), Machines((3,)))
    problem = {"memory": cluster.begin(0), "durations": cluster.durations, "static": cluster.static}
    made = chosen_by(np.zeros((1, 4), np.int32), np.zeros(0), {"x": problem})["x"]
    do_again(cluster.begin(0), cluster.durations, made)
