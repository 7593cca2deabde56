"""Where the weights of Decima's small networks lie in one vector, which PyTorch and the compiled loop share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from unseat.tasks.schedule.engine.layout import Float32, Memory

STAGE_INPUTS, JOB_INPUTS, WIDTH = 5, 3, 8
HIDDEN = 16, 8
HEAD = 32, 16, 8


class Part(NamedTuple):
    """One network: its sizes from input to output, and whether its last layer has the activation too."""

    sizes: tuple[int, ...]
    active: bool


PARTS = {
    "prepare": Part((STAGE_INPUTS, *HIDDEN, WIDTH), True),
    "message": Part((WIDTH, *HIDDEN, WIDTH), True),
    "gather": Part((WIDTH, *HIDDEN, WIDTH), True),
    "job": Part((STAGE_INPUTS + WIDTH, *HIDDEN, WIDTH), True),
    "cluster": Part((WIDTH, *HIDDEN, WIDTH), True),
    "stage head": Part((STAGE_INPUTS + 3 * WIDTH, *HEAD, 1), False),
    "limit head": Part((JOB_INPUTS + 2 * WIDTH + 1, *HEAD, 1), False),
}
"""The paper's networks (section 5.1 and its published code): an embedding of each stage from its own numbers; what a
stage tells its parents, and what a stage makes of all that it is told; a summary of each job, one of the cluster; a
score of each candidate, and one of each limit."""

PREPARE, MESSAGE, GATHER, OF_JOB, OF_CLUSTER, STAGE_HEAD, LIMIT_HEAD = range(7)

SLOPE = 0.2
"""Of the leaky rectifier."""


def layers() -> Memory:
    """int64 [7, 4, 4]: of each network's layers place of the weights and of the bias, inputs and outputs (0: none)."""
    table, place = np.zeros((len(PARTS), 4, 4), np.int64), 0
    for number, part in enumerate(PARTS.values()):
        for layer, (inputs, outputs) in enumerate(zip(part.sizes, part.sizes[1:], strict=False)):
            table[number, layer] = place, place + inputs * outputs, inputs, outputs
            place += inputs * outputs + outputs
    return table


def size() -> int:
    """How many weights there are."""
    return sum(i * o + o for part in PARTS.values() for i, o in zip(part.sizes, part.sizes[1:], strict=False))


def begin(seed: int) -> Float32:
    """Glorot's uniform weights, biases of zero."""
    rng, theta = np.random.default_rng(seed), np.zeros(size(), np.float32)
    for weights, bias, inputs, outputs in layers().reshape(-1, 4):
        most = np.sqrt(6.0 / max(inputs + outputs, 1))
        theta[weights:bias] = rng.uniform(-most, most, inputs * outputs)
    return theta
