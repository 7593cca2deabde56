"""One compiled interpreter for all programs, so that trying a new one costs no compilation.

A program is rows of ``code`` (int32 [n, 4]: operation and three operands, which are numbers of registers). Registers
are rows of float64 with a column for each lane: the features first, then the constants, then one for each instruction.
All lanes go through the same instructions, so that reading one costs once what it does many times. Arithmetic is that
of IEEE 754: nothing raises, a division by zero is infinite, and a score that is not a number loses to all others.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from unseat.core.jit import inlined, jit

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int32 = npt.NDArray[np.int32]

ADD, SUB, MUL, DIV, MIN, MAX, NEG, ABS, SQRT, EXP, LOG, LOG2, TANH = range(13)
LESS, LESS_EQUAL, EQUAL, AND, OR, NOT, SELECT = range(13, 20)
NAMES = (
    "add", "sub", "mul", "div", "min", "max", "neg", "abs", "sqrt", "exp", "log", "log2", "tanh",
    "less", "less_equal", "equal", "and", "or", "not", "select",
)  # fmt: skip


def registers(features: int, constants: int, instructions: int, lanes: int) -> Float64:
    """Room for a program at work, float64 [registers, lanes]."""
    return np.zeros((features + constants + instructions, lanes))


@jit
def execute(features: Float32, code: Int32, constants: Float64, room: Float64) -> None:
    """Run a program for all lanes; the last register holds the result.

    Args:
        features: float32 [lanes, features].
        code: int32 [n, 4].
        constants: float64 [m].
        room: `registers` for that many.
    """
    lanes, n_features = features.shape
    for k in range(lanes):
        for f in range(n_features):
            room[f, k] = features[k, f]
    for c in range(constants.shape[0]):
        for k in range(lanes):
            room[n_features + c, k] = constants[c]
    base = n_features + constants.shape[0]
    for i in range(code.shape[0]):
        operate(code[i, 0], code[i, 1], code[i, 2], code[i, 3], base + i, room)


@inlined
def operate(op: int, a: int, b: int, c: int, out: int, room: Float64) -> None:
    """One instruction for all lanes, from registers to a register."""
    # By numbers into one array: rows as arrays of their own would cost more than what is done with them.
    lanes = room.shape[1]
    if op < MIN:
        arithmetic(op, a, b, out, room)
    elif op == MIN:
        for k in range(lanes):
            room[out, k] = min(room[a, k], room[b, k])
    elif op == MAX:
        for k in range(lanes):
            room[out, k] = max(room[a, k], room[b, k])
    elif op == NEG:
        for k in range(lanes):
            room[out, k] = -room[a, k]
    elif op == ABS:
        for k in range(lanes):
            room[out, k] = abs(room[a, k])
    elif op < LESS:
        function(op, a, out, room)
    elif op == SELECT:
        for k in range(lanes):
            room[out, k] = room[b, k] if room[a, k] != 0.0 else room[c, k]
    else:
        condition(op, a, b, out, room)


@inlined
def arithmetic(op: int, a: int, b: int, out: int, room: Float64) -> None:
    """Sums and products."""
    lanes = room.shape[1]
    if op == ADD:
        for k in range(lanes):
            room[out, k] = room[a, k] + room[b, k]
    elif op == SUB:
        for k in range(lanes):
            room[out, k] = room[a, k] - room[b, k]
    elif op == MUL:
        for k in range(lanes):
            room[out, k] = room[a, k] * room[b, k]
    else:
        for k in range(lanes):
            room[out, k] = room[a, k] / room[b, k]


@inlined
def function(op: int, a: int, out: int, room: Float64) -> None:
    """Functions of `math`."""
    for k in range(room.shape[1]):
        if op == SQRT:
            room[out, k] = math.sqrt(room[a, k])
        elif op == EXP:
            room[out, k] = math.exp(room[a, k])
        elif op == LOG:
            room[out, k] = math.log(room[a, k])
        elif op == LOG2:
            room[out, k] = math.log2(room[a, k])
        else:
            room[out, k] = math.tanh(room[a, k])


@inlined
def condition(op: int, a: int, b: int, out: int, room: Float64) -> None:
    """Truth values, 1 or 0."""
    for k in range(room.shape[1]):
        x, y = room[a, k], room[b, k]
        if op == LESS:
            true = x < y
        elif op == LESS_EQUAL:
            true = x <= y
        elif op == EQUAL:
            true = x == y
        elif op == AND:
            true = x != 0.0 and y != 0.0
        elif op == OR:
            true = x != 0.0 or y != 0.0
        else:
            true = x == 0.0
        room[out, k] = 1.0 if true else 0.0


@inlined
def highest(scores: Float64) -> int:
    """The lane with the highest score, the first of equals; lanes whose score is not a number come last."""
    best = 0
    top = -np.inf
    for k in range(scores.shape[0]):
        if scores[k] > top:
            top = scores[k]
            best = k
    return best


@jit
def best_row(features: Float32, code: Int32, constants: Float64, room: Float64) -> int:
    """The row of `features` to which a program gives the highest score."""
    execute(features, code, constants, room)
    return highest(room[room.shape[0] - 1])
