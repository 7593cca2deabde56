"""The asking cache and a program in one loop: to serve, to note what was chosen, and to do again what was noted.

What runs in a sandbox hands back its choices; the scorer outside does them again and counts for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from unseat.core.jit import jit
from unseat.sandbox.bytecode import Float64, best_row
from unseat.tasks.cache.engine.sampled import F, K, State, advance, evict, init
from unseat.tasks.cache.engine.trace import Int32, Int64

Choices = npt.NDArray[np.int8]
TOO_FEW, WRONG = -1, -2


@jit
def serve_program(
    ids: Int32, sizes: Int64, start: int, stop: int, capacity: int, state: tuple[State, Int32, Float64, Float64],
    counts: Int64,
) -> None:  # fmt: skip
    """Serve requests; `state` is ``(cache, code, constants, room)``."""
    cache, code, constants, room = state
    while advance(ids, sizes, stop, capacity, cache, counts):
        evict(best_row(cache[7], code, constants, room), sizes, cache, counts)


@jit
def note_choices(
    ids: Int32, sizes: Int64, capacity: int, state: tuple[State, Int32, Float64, Float64], counts: Int64,
    chosen: Choices,
) -> int:  # fmt: skip
    """Serve the whole trace and note each choice in `chosen`; how many there were."""
    cache, code, constants, room = state
    made = 0
    while advance(ids, sizes, ids.shape[0], capacity, cache, counts):
        choice = best_row(cache[7], code, constants, room)
        chosen[made] = choice
        made += 1
        evict(choice, sizes, cache, counts)
    return made


@jit
def do_again(
    ids: Int32, sizes: Int64, stop: int, capacity: int, cache: State, counts: Int64, chosen: Choices, made: int
) -> int:
    """Serve requests up to `stop` by noted choices from number `made` on; how many were used, or what is wrong."""
    while advance(ids, sizes, stop, capacity, cache, counts):
        if made >= chosen.shape[0]:
            return TOO_FEW
        choice = chosen[made]
        if choice < 0 or choice >= K:
            return WRONG
        evict(choice, sizes, cache, counts)
        made += 1
    return made


@numba.njit(nogil=True, error_model="numpy")
def note_compiled(ids, sizes, capacity, cache, counts, chosen, choose):  # type: ignore[no-untyped-def]
    """`note_choices` by a compiled program; compiled anew for each, since Numba's disk cache cannot tell them apart."""
    made = 0
    while advance(ids, sizes, ids.shape[0], capacity, cache, counts):
        choice = choose(cache[7])
        chosen[made] = choice
        made += 1
        evict(choice, sizes, cache, counts)
    return made


def chosen_by(code: Int32, constants: Float64, problems: Mapping[str, Mapping[str, Any]]) -> dict[str, Choices]:
    """What a program chooses on traces, for the sandbox.

    Args:
        code: int32 [n, 4], a program of `unseat.sandbox.bytecode`.
        constants: float64 [m].
        problems: By name: ``ids`` int32 [requests], ``sizes`` int64 [objects] or empty, ``objects``, ``capacity``.

    Returns:
        By name: int8 [evictions], the row that went at each.
    """
    return {name: _chosen(code, constants, problem) for name, problem in problems.items()}


def _chosen(code: Int32, constants: Float64, problem: Mapping[str, Any]) -> Choices:
    ids, sizes = problem["ids"], problem["sizes"]
    cache = init(problem["objects"], problem["capacity"], 0, sizes.size > 0, read(code))
    room = np.zeros((cache[7].shape[1] + len(constants) + len(code), K))
    chosen = np.empty(len(ids), np.int8)
    state = cache, code, constants, room
    made = note_choices(ids, sizes, problem["capacity"], state, np.zeros(4, np.int64), chosen)
    return chosen[:made]


def compiled_choices(choose: Callable[..., int], problem: Mapping[str, Any]) -> Choices:
    """The same of a program that Numba has compiled: ``choose(features) -> row``."""
    ids, sizes = problem["ids"], problem["sizes"]
    cache = init(problem["objects"], problem["capacity"], 0, sizes.size > 0)
    chosen = np.empty(len(ids), np.int8)
    made = note_compiled(ids, sizes, problem["capacity"], cache, np.zeros(4, np.int64), chosen, choose)
    return chosen[:made]


def read(code: Int32) -> int:
    """The features that a program reads, a bit for each."""
    return sum(1 << feature for feature in range(F) if (code[:, 1:] == feature).any())


def warm() -> None:
    """Compile what `chosen_by` needs, with sizes and without."""
    ids = (np.arange(400) * 7 % 90).astype(np.int32)
    for sizes in (np.empty(0, np.int64), np.ones(90, np.int64)):
        code, none = np.zeros((1, 4), np.int32), np.zeros(0)
        made = chosen_by(code, none, {"x": {"ids": ids, "sizes": sizes, "objects": 90, "capacity": 64}})["x"]
        cache = init(90, 64, 0, sizes.size > 0, 0)
        do_again(ids, sizes, len(ids), 64, cache, np.zeros(4, np.int64), made, 0)
