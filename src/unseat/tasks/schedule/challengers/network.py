"""The compact scorer: one small network over each candidate says who gets the executors, and how many.

For every candidate it gives a score, the logarithm of the executors that the stage's job should hold, and the weights
of two costs of more executors: that tasks are slower with more of them at a job, and that a stage takes whole waves.
The candidate of the best score is taken, less a price for what its job holds over its limit; of all limits the one that
costs least.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from unseat.core.jit import inlined, jit
from unseat.tasks.schedule.engine import features as of
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.cluster import advance, answer
from unseat.tasks.schedule.engine.features import CLUSTER, JOBS, STAGES, F
from unseat.tasks.schedule.engine.layout import NONE, Float32, Int32, Memory

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
def add(shown: Float32, first: int, inputs: Float32, before: Float32, after: Float32) -> None:
    """after = before + shown @ inputs[first : first + shown.size]."""
    for unit in range(after.size):
        after[unit] = before[unit]
    for column in range(shown.size):
        value = shown[column]
        for unit in range(after.size):
            after[unit] += value * inputs[first + column, unit]


@jit
def play(m: Memory, durations: Int32, static: Float32, inputs: Float32, bias: Float32, outputs: Float32,
         prices: Float32) -> None:  # fmt: skip
    """Run to the end by the network."""
    width, hidden = inputs.shape[1], outputs.shape[0]
    cluster, job, stage = np.zeros(CLUSTER, np.float32), np.zeros(JOBS, np.float32), np.zeros(STAGES, np.float32)
    by_cluster, by_job, by_stage = np.zeros(width, np.float32), np.zeros(width, np.float32), np.zeros(width, np.float32)
    best = np.zeros(OUTPUTS, np.float32)
    while advance(m, durations):
        of.describe_cluster(m, cluster)
        add(cluster, STAGES + JOBS, inputs, bias, by_cluster)
        chosen, last, highest = NONE, NONE, np.float32(-math.inf)
        for place in range(m[at.CANDIDATE_LIST], m[at.CANDIDATE_LIST] + m[at.CANDIDATES]):
            if m[m[place] + at.OF_JOB] != last:
                last = m[m[place] + at.OF_JOB]
                of.describe_job(m, last, static, job)
                add(job, STAGES, inputs, by_cluster, by_job)
            of.describe_stage(m, m[place], static, stage)
            add(stage, 0, inputs, by_job, by_stage)
            score, limit = by_stage[hidden + SCORE], by_stage[hidden + LIMIT]
            for unit in range(hidden):
                active = max(by_stage[unit], np.float32(0.0))
                score += active * outputs[unit, SCORE]
                limit += active * outputs[unit, LIMIT]
            over = job[of.HELD] - limit
            score -= prices[OVER] * over if over > 0 else prices[UNDER] * over
            if score > highest:
                chosen, highest = m[place], score
                best[LIMIT] = limit
                for output in range(SLOWER, OUTPUTS):
                    best[output] = by_stage[hidden + output]
                    for unit in range(hidden):
                        best[output] += max(by_stage[unit], np.float32(0.0)) * outputs[unit, output]
        answer(m, durations, chosen, cheapest(m, static, chosen, best))


@inlined
def cheapest(m: Memory, static: Float32, stage: int, wanted: Float32) -> int:
    """The limit of the least cost; one over `MOST_LIMITS` is taken as it is wanted.

    How much slower tasks are with so many executors is what this cluster's runs of the same job have shown, between
    measured numbers too, where the published simulator interpolates the wrong way round (`layout.PUBLISHED_LEVELS`).
    """
    wish, executors = wanted[LIMIT], m[at.EXECUTORS]
    if wish > math.log(MOST_LIMITS):
        return int(min(math.exp(min(wish, np.float32(20.0))), executors))
    job = m[stage + at.OF_JOB]
    held = m[job + at.HELD] - (m[at.OFFERED] if job == m[at.SOURCE_JOB] else 0)
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
        sent = max(limit - held, 1)
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
