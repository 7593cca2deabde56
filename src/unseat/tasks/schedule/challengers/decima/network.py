"""Decima's inference in one loop with the engine, by the best action or by drawing one, and a record for training."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from unseat.core.jit import inlined, jit, variable
from unseat.tasks.schedule.challengers.decima.layout import (
    GATHER,
    JOB_INPUTS,
    LIMIT_HEAD,
    MESSAGE,
    OF_CLUSTER,
    OF_JOB,
    PREPARE,
    SLOPE,
    STAGE_HEAD,
    STAGE_INPUTS,
    WIDTH,
)
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.cluster import advance, answer
from unseat.tasks.schedule.engine.layout import NONE, Float32, Float64, Int32, Memory
from unseat.tasks.schedule.engine.moves import draw, held
from unseat.tasks.schedule.question import time_in_system

# Columns of a record's decisions.
FIRST_ROW, END_ROW, CHOSEN, LEAST, MOST, LIMIT, JOB_SOURCE, OFFERED, HELD = range(9)
DECISION = 9

# One vector holds all that is worked out, by places: two rooms for a network's layers, the embedding of the cluster,
# what a stage hears from its children, a head's inputs; then a row for each stage, a sum for each job, and scores.
ROOM, NEXT, WHOLE, HEARD = 0, 32, 64, 64 + WIDTH
HEAD = HEARD + WIDTH
ROWS = HEAD + STAGE_INPUTS + 3 * WIDTH

# A stage's row: its inputs, its embedding behind them, and what it tells its parents.
EMBEDDED, TOLD = STAGE_INPUTS, STAGE_INPUTS + WIDTH
ROW = STAGE_INPUTS + 2 * WIDTH

_S11 = np.uint64(11)


class Record(NamedTuple):
    """What training needs of a run, in room for a number of decisions and of rows; a run that outgrows it is cut.

    Attributes:
        counts: int64 [2], decisions and rows so far.
        decisions: int64 [decisions, DECISION]; a decision has the rows of all unfinished stages of jobs in the system.
        times: float64 [decisions + 1, 2], seconds, and the time that jobs have spent in the system until then.
        stages: int32 [rows], numbers of the stages.
        candidates: bool [rows], whether a stage could be chosen.
        inputs: float32 [rows, STAGE_INPUTS].
    """

    counts: Memory
    decisions: Memory
    times: Float64
    stages: Int32
    candidates: np.ndarray[tuple[int], np.dtype[np.bool_]]
    inputs: Float32


def record(decisions: int, rows: int) -> Record:
    """Room for so many."""
    return Record(
        np.zeros(2, np.int64), np.zeros((decisions, DECISION), np.int64), np.zeros((decisions + 1, 2)),
        np.zeros(rows, np.int32), np.zeros(rows, np.bool_), np.zeros((rows, STAGE_INPUTS), np.float32),
    )  # fmt: skip


@jit
def dense(theta: Float32, layers: Memory, part: int, space: Float32, begin: int) -> None:
    """Run one network on what begins at a place; the result is at `ROOM`.

    An index without a sign need not be looked at for counting from the end, which takes half the time here.
    """
    for layer in range(4):
        weights, bias = layers[part, layer, 0], layers[part, layer, 1]
        inputs, outputs = layers[part, layer, 2], layers[part, layer, 3]
        if outputs == 0:
            break
        slope = np.float32(1.0 if part >= STAGE_HEAD and outputs == 1 else SLOPE)
        for unit in range(outputs):
            space[NEXT + unit] = theta[np.uint64(bias + unit)]
        for column in range(inputs):
            value, row = space[np.uint64(begin + column)], weights + column * outputs
            for unit in range(outputs):
                space[NEXT + unit] += value * theta[np.uint64(row + unit)]
        for unit in range(outputs):
            value = space[NEXT + unit]
            space[ROOM + unit] = value if value > 0 else slope * value
        begin = ROOM


@inlined
def row_of(m: Memory, stage: int) -> int:
    """Where a stage's row begins."""
    return int(ROWS + m[stage + at.STAGE_NUMBER] * ROW)


@inlined
def sum_of(m: Memory, number: int) -> int:
    """Where the sum of a job's stages begins; behind the last job the scores do."""
    return int(ROWS + m[at.STAGES] * ROW + number * WIDTH)


@inlined
def size(m: Memory) -> int:
    """Numbers that are needed in all."""
    return int(sum_of(m, m[at.JOBS]) + max(m[at.STAGES], m[at.EXECUTORS] + 1))


@jit
def play(m: Memory, durations: Int32, theta: Float32, layers: Memory, messages: bool, until_ms: int, seed: int,
         kept: Record) -> None:  # fmt: skip
    """Run by the network, up to the end or to a time.

    Args:
        m: The state.
        durations: See `engine.library`.
        theta: float32, the weights.
        layers: Where they lie.
        messages: Whether stages hear from their children; without, the ablation.
        until_ms: When the run is cut.
        seed: Draws actions from the network's distributions; below zero takes the most likely.
        kept: Where the run is recorded; room for no decision records nothing.
    """
    space, drawn = np.zeros(size(m), np.float32), variable(0)
    while advance(m, durations) and m[at.NOW] < until_ms:
        stage, limit, least, drawn = choose(m, theta, layers, messages, seed, drawn, space)
        if kept.decisions.shape[0] and not keep(m, space, stage, least, limit, kept):
            break
        answer(m, durations, stage, limit)
    if kept.decisions.shape[0]:
        keep(m, space, variable(NONE), variable(0), variable(0), kept)


@jit
def choose(m: Memory, theta: Float32, layers: Memory, messages: bool, seed: int, drawn: int,
           space: Float32) -> tuple[int, int, int, int]:  # fmt: skip
    """A stage (`NONE` to wait), what its job may hold, the least to choose from, and how often was drawn so far."""
    embed(m, theta, layers, messages, space)
    scores, count = sum_of(m, m[at.JOBS]), variable(0)
    for place in range(m[at.CANDIDATE_LIST], m[at.CANDIDATE_LIST] + m[at.CANDIDATES]):
        stage = m[place]
        job = m[stage + at.OF_JOB]
        space[scores + count] = -np.inf
        if least_limit(m, job) <= m[at.EXECUTORS]:
            row, total = row_of(m, stage), sum_of(m, m[job + at.JOB_NUMBER])
            for unit in range(TOLD):
                space[HEAD + unit] = space[row + unit]
            for unit in range(WIDTH):
                space[HEAD + TOLD + unit] = space[total + unit]
                space[HEAD + TOLD + WIDTH + unit] = space[WHOLE + unit]
            dense(theta, layers, int(STAGE_HEAD), space, int(HEAD))
            space[scores + count] = space[ROOM]
        count += 1
    chosen = pick(space, scores, count, seed, drawn)
    if space[scores + chosen] == -np.inf:
        return NONE, 0, 0, drawn
    stage = m[m[at.CANDIDATE_LIST] + chosen]
    job = m[stage + at.OF_JOB]
    least, limits = least_limit(m, job), m[at.EXECUTORS] + 1
    row, total = row_of(m, stage), sum_of(m, m[job + at.JOB_NUMBER])
    for unit in range(JOB_INPUTS):
        space[HEAD + unit] = space[row + unit]
    for unit in range(WIDTH):
        space[HEAD + JOB_INPUTS + unit] = space[total + unit]
        space[HEAD + JOB_INPUTS + WIDTH + unit] = space[WHOLE + unit]
    for limit in range(least, limits):
        space[HEAD + JOB_INPUTS + 2 * WIDTH] = limit / 50.0
        dense(theta, layers, int(LIMIT_HEAD), space, int(HEAD))
        space[scores + limit - least] = space[ROOM]
    limit = least + pick(space, scores, limits - least, seed, drawn + count)
    return stage, limit, least, drawn + count + limits


@inlined
def least_limit(m: Memory, job: int) -> int:
    """One executor more than the job holds, those left out that are asked about."""
    return held(m, job) + 1


@jit
def pick(space: Float32, scores: int, count: int, seed: int, drawn: int) -> int:
    """The largest of some scores, or with a seed one drawn by their softmax: the largest with Gumbel's noise."""
    best, most = 0, -np.inf
    for place in range(count):
        score = float(space[scores + place])
        if seed >= 0:
            uniform = (np.int64(draw(seed, drawn + place) >> _S11) + 0.5) * 2.0**-53
            score -= math.log(-math.log(uniform))
        if score > most:
            best, most = place, score
    return best


@jit
def embed(m: Memory, theta: Float32, layers: Memory, messages: bool, space: Float32) -> None:
    """Embed every unfinished stage, children before parents, and sum up jobs and cluster."""
    for unit in range(WIDTH):
        space[WHOLE + unit] = 0
    for place in range(m[at.ACTIVE], m[at.ACTIVE] + m[at.ACTIVE_JOBS]):
        job = m[place]
        total = sum_of(m, m[job + at.JOB_NUMBER])
        for unit in range(WIDTH):
            space[total + unit] = 0
        stages = (m[job + at.END_STAGE] - m[job + at.FIRST_STAGE]) // at.STAGE
        for behind in range(m[job + at.UPWARD], m[job + at.UPWARD] + stages):
            stage = m[behind]
            if m[stage + at.FINISHED] == m[stage + at.TASKS]:
                continue
            row, left = row_of(m, stage), m[stage + at.TASKS] - m[stage + at.STARTED]
            space[row] = m[job + at.HELD] / 20.0
            space[row + 1] = 2.0 if job == m[at.SOURCE_JOB] else -2.0
            space[row + 2] = m[at.OFFERED] / 20.0
            space[row + 3] = left * m[stage + at.MEAN_US] / 1e8
            space[row + 4] = left / 200.0
            dense(theta, layers, int(PREPARE), space, row)
            for unit in range(WIDTH):
                space[row + EMBEDDED + unit] = space[ROOM + unit]
            if messages and m[stage + at.CHILDREN] < m[stage + at.CHILDREN_END]:
                for unit in range(WIDTH):
                    space[HEARD + unit] = 0
                for edge in range(m[stage + at.CHILDREN], m[stage + at.CHILDREN_END]):
                    told = row_of(m, m[edge]) + TOLD
                    for unit in range(WIDTH):
                        space[HEARD + unit] += space[told + unit]
                dense(theta, layers, int(GATHER), space, int(HEARD))
                for unit in range(WIDTH):
                    space[row + EMBEDDED + unit] += space[ROOM + unit]
            dense(theta, layers, int(MESSAGE), space, row + EMBEDDED)
            for unit in range(WIDTH):
                space[row + TOLD + unit] = space[ROOM + unit]
            dense(theta, layers, int(OF_JOB), space, row)
            for unit in range(WIDTH):
                space[total + unit] += space[ROOM + unit]
        dense(theta, layers, int(OF_CLUSTER), space, total)
        for unit in range(WIDTH):
            space[WHOLE + unit] += space[ROOM + unit]


@jit
def keep(m: Memory, space: Float32, stage: int, least: int, limit: int, kept: Record) -> bool:
    """Record a decision, or without a stage the time only; False where there is no room left."""
    decision, first, table = kept.counts[0], kept.counts[1], kept.decisions
    kept.times[decision, 0], kept.times[decision, 1] = m[at.NOW] / 1000.0, time_in_system(m) * m[at.JOBS]
    if stage == NONE:
        return True
    if decision == table.shape[0] or first + m[at.STAGES] > kept.stages.size:
        return False
    row = first
    for place in range(m[at.ACTIVE], m[at.ACTIVE] + m[at.ACTIVE_JOBS]):
        for other in range(m[m[place] + at.FIRST_STAGE], m[m[place] + at.END_STAGE], at.STAGE):
            if m[other + at.FINISHED] < m[other + at.TASKS]:
                kept.stages[row] = m[other + at.STAGE_NUMBER]
                for column in range(STAGE_INPUTS):
                    kept.inputs[row, column] = space[row_of(m, other) + column]
                kept.candidates[row] = False
                row += 1
    at_row = first
    for place in range(m[at.CANDIDATE_LIST], m[at.CANDIDATE_LIST] + m[at.CANDIDATES]):
        number = m[m[place] + at.STAGE_NUMBER]
        while kept.stages[at_row] != number:
            at_row += 1
        kept.candidates[at_row] = least_limit(m, m[m[place] + at.OF_JOB]) <= m[at.EXECUTORS]
        if m[place] == stage:
            table[decision, CHOSEN] = at_row
    job = m[stage + at.OF_JOB]
    table[decision, FIRST_ROW], table[decision, END_ROW] = first, row
    table[decision, LEAST], table[decision, MOST], table[decision, LIMIT] = least, m[at.EXECUTORS], limit
    table[decision, JOB_SOURCE], table[decision, OFFERED] = job == m[at.SOURCE_JOB], m[at.OFFERED]
    table[decision, HELD] = m[job + at.HELD]
    kept.counts[0], kept.counts[1] = decision + 1, row
    return True
