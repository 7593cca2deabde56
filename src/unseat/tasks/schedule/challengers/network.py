"""The compact scorer: one small network over each candidate says who gets the executors, and how many.

For every candidate it gives a score, the logarithm of the executors that the stage's job should hold, and the weights
of two costs of more executors: that tasks are slower with more of them at a job, and that a stage takes whole waves.
The candidate of the best score is taken, less a price for what its job holds over its limit; of all limits the one that
costs least.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from unseat.core.jit import inlined, jit
from unseat.tasks.schedule.engine import features as of
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.cluster import advance, answer
from unseat.tasks.schedule.engine.features import JOBS, STAGES, F
from unseat.tasks.schedule.engine.layout import NONE, Float32, Int32, Memory
from unseat.tasks.schedule.engine.moves import held

SCORE, LIMIT, SLOWER, WAVES = range(4)
"""Outputs."""
OUTPUTS = 4

OVER, UNDER = range(2)
"""Prices of what a job holds over its limit (as a ratio, on a logarithmic scale), and what it holds under it."""

MOST_LIMITS = 256

CURVES = STAGES - of.KNOWN + JOBS - of.SLOWER
"""Column of `Library.told` at which the curves begin."""


class Weights(NamedTuple):
    """The network's parameters: ``F`` inputs lead to `hidden` units and, past them, to the outputs.

    Attributes:
        inputs: float32 [F, hidden + OUTPUTS].
        bias: float32 [hidden + OUTPUTS].
        outputs: float32 [hidden, OUTPUTS].
        prices: float32 [2], `OVER` and `UNDER`.
    """

    inputs: Float32
    bias: Float32
    outputs: Float32
    prices: Float32


def size(hidden: int) -> int:
    """How many parameters there are."""
    return F * (hidden + OUTPUTS) + hidden + OUTPUTS + hidden * OUTPUTS + 2


@jit
def unpacked(theta: Float32, hidden: int) -> tuple[Float32, Float32, Float32, Float32]:
    """One vector as `Weights`."""
    width = hidden + OUTPUTS
    one, two = F * width, F * width + width
    three = two + hidden * OUTPUTS
    return theta[:one].reshape(F, width), theta[one:two], theta[two:three].reshape(hidden, OUTPUTS), theta[three:]


def packed(weights: Weights) -> Float32:
    """The inverse of `unpacked`."""
    return np.concatenate([part.ravel() for part in weights]).astype(np.float32)


@inlined
def add(value: float, row: int, inputs: Float32, after: Float32) -> None:
    """after += value * inputs[row]."""
    for unit in range(after.size):
        after[unit] += np.float32(value) * inputs[row, unit]


@jit
def prepare(m: Memory, static: Float32, inputs: Float32) -> tuple[Float32, Float32, Float32, Float32, Float32]:
    """What a run needs beside the weights.

    Returns:
        What does not change of each stage and its job, come together: float32 [stages, hidden + OUTPUTS]; room for the
        sums of the cluster and a job (two rows) and of a stage; for what is shown; for the best candidate's outputs.
    """
    width = inputs.shape[1]
    known, shown = np.zeros((m[at.STAGES], width), np.float32), np.zeros(F, np.float32)
    for stage in range(m[at.ALL_STAGES], m[at.ALL_STAGES] + m[at.STAGES] * at.STAGE, at.STAGE):
        of.know_stage(m, stage, static, shown[:STAGES])
        of.know_job(m, m[stage + at.OF_JOB], static, shown[STAGES : STAGES + JOBS])
        for column in range(of.KNOWN, STAGES):
            add(shown[column], column, inputs, known[m[stage + at.STAGE_NUMBER]])
        for column in range(STAGES, STAGES + JOBS):
            if column - STAGES not in of.JOB_CHANGES:
                add(shown[column], column, inputs, known[m[stage + at.STAGE_NUMBER]])
    sums = np.zeros((2, width), np.float32)
    return known, sums, np.zeros(width, np.float32), shown, np.zeros(OUTPUTS, np.float32)


@jit
def play(m: Memory, durations: Int32, static: Float32, inputs: Float32, bias: Float32, outputs: Float32,
         prices: Float32, space: Any, until_ms: int) -> None:  # fmt: skip
    """Run by the network, in the room that `prepare` made, up to the end or to a time."""
    while advance(m, durations) and m[at.NOW] < until_ms:
        stage, limit = choose(m, static, inputs, bias, outputs, prices, space)
        answer(m, durations, stage, limit)


@jit
def choose(m: Memory, static: Float32, inputs: Float32, bias: Float32, outputs: Float32, prices: Float32,
           space: Any) -> tuple[int, int]:  # fmt: skip
    """Answer the open question."""
    known, sums, own, shown, best = space
    by_cluster, by_job, job, stage = sums[0], sums[1], shown[STAGES : STAGES + JOBS], shown[:STAGES]
    hidden, width = outputs.shape[0], own.size
    of.describe_cluster(m, shown[STAGES + JOBS :])
    by_cluster[:] = bias
    for column in range(STAGES + JOBS, F):
        add(shown[column], column, inputs, by_cluster)
    chosen, last, highest = NONE, NONE, np.float32(-math.inf)
    for place in range(m[at.CANDIDATE_LIST], m[at.CANDIDATE_LIST] + m[at.CANDIDATES]):
        if m[m[place] + at.OF_JOB] != last:
            last = m[m[place] + at.OF_JOB]
            of.describe_job(m, last, job)
            left, held_by, none = job[of.LEFT], job[of.HELD], job[of.HOLDS_NONE]
            source, stages_left, age = job[of.SOURCE], job[of.STAGES_LEFT], job[of.AGE]
            for unit in range(width):
                by_job[unit] = (
                    by_cluster[unit]
                    + left * inputs[STAGES + of.LEFT, unit]
                    + held_by * inputs[STAGES + of.HELD, unit]
                    + none * inputs[STAGES + of.HOLDS_NONE, unit]
                    + source * inputs[STAGES + of.SOURCE, unit]
                    + stages_left * inputs[STAGES + of.STAGES_LEFT, unit]
                    + age * inputs[STAGES + of.AGE, unit]
                )
        of.describe_stage(m, m[place], stage)
        number = m[m[place] + at.STAGE_NUMBER]
        unclaimed, ready, there = stage[of.UNCLAIMED], stage[of.READY], stage[of.AT_STAGE]
        for unit in range(width):
            own[unit] = (
                by_job[unit]
                + known[number, unit]
                + unclaimed * inputs[of.UNCLAIMED, unit]
                + ready * inputs[of.READY, unit]
                + there * inputs[of.AT_STAGE, unit]
            )
        score, limit = own[hidden + SCORE], own[hidden + LIMIT]
        for unit in range(hidden):
            active = max(own[unit], np.float32(0.0))
            score += active * outputs[unit, SCORE]
            limit += active * outputs[unit, LIMIT]
        over = job[of.HELD] - limit
        score -= prices[OVER] * over if over > 0 else prices[UNDER] * over
        if score > highest:
            chosen, highest = m[place], score
            best[LIMIT] = limit
            for output in range(SLOWER, OUTPUTS):
                best[output] = own[hidden + output]
                for unit in range(hidden):
                    best[output] += max(own[unit], np.float32(0.0)) * outputs[unit, output]
    return chosen, cheapest(m, static, chosen, best)


@inlined
def cheapest(m: Memory, static: Float32, stage: int, wanted: Float32) -> int:
    """The limit of the least cost; one over `MOST_LIMITS` is taken as it is wanted.

    How much slower tasks are with so many executors is what this cluster's runs of the same job have shown, between
    measured numbers too, where the published simulator interpolates the wrong way round (`layout.PUBLISHED_LEVELS`).
    """
    wish, executors = wanted[LIMIT], m[at.EXECUTORS]
    if wish > math.log(MOST_LIMITS):
        return int(min(math.exp(min(wish, np.float32(20.0))), executors))
    holds = held(m, m[stage + at.OF_JOB])
    unclaimed = m[stage + at.TASKS] - m[stage + at.CLAIMED]
    curves = static[m[stage + at.STAGE_ROW], CURVES:]
    points = curves.size // 2
    best, least = 1, np.float32(math.inf)
    for limit in range(1, min(executors, MOST_LIMITS) + 1):
        row = m[at.LEVELS] + limit * at.LEVEL
        lower, upper = m[row + at.LOWER], m[row + at.UPPER]
        upper_share = m[row + at.DISTANCE] / m[row + at.SPAN]
        if m[at.PUBLISHED_LEVELS] and lower != upper:
            upper_share = 1.0 - upper_share
        slower = curves[lower] + curves[points + lower]
        slower += upper_share * (curves[upper] + curves[points + upper] - slower)
        sent = max(limit - holds, 1)
        waves = of.log_count((unclaimed + sent - 1) // sent) + of.log_count(sent) - of.log_count(unclaimed)
        away = of.log_count(limit) - wish
        cost = away * away + wanted[SLOWER] * slower + wanted[WAVES] * waves
        if cost < least:
            best, least = limit, cost
    return best


def begin(hidden: int, seed: int, spread: float = 0.3) -> Float32:
    """Where the search begins: shortest remaining work first, equal shares, and units that do nothing yet."""
    rng = np.random.default_rng(seed)
    inputs = np.zeros((F, hidden + OUTPUTS), np.float32)
    inputs[:, :hidden] = rng.standard_normal((F, hidden)) * spread / math.sqrt(F)
    inputs[STAGES + of.LEFT, hidden + SCORE] = -1.0
    inputs[STAGES + of.SOURCE, hidden + SCORE] = 3.0
    inputs[STAGES + JOBS + of.EXECUTORS, hidden + LIMIT] = 1.0
    inputs[STAGES + JOBS + of.N_JOBS, hidden + LIMIT] = -1.0
    zeros = np.zeros(hidden + OUTPUTS, np.float32), np.zeros((hidden, OUTPUTS), np.float32), np.zeros(2, np.float32)
    return packed(Weights(inputs, *zeros))
