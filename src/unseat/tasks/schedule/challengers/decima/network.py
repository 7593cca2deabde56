"""Decima's inference in one loop with the engine, by the best action or by drawing one, and a record for training."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from unseat.core.jit import inlined, jit
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
from unseat.tasks.schedule.engine.moves import draw
from unseat.tasks.schedule.question import time_in_system

# Columns of a record's decisions.
FIRST_ROW, END_ROW, CHOSEN, LEAST, MOST, LIMIT, JOB_SOURCE, OFFERED, HELD = range(9)
DECISION = 9

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
def dense(theta: Float32, layers: Memory, part: int, shown: Float32, room: Float32, last_active: bool) -> None:
    """Run one network on `shown`; ``room`` float32 [2, 32] has the result in its first row."""
    for unit in range(shown.size):
        room[0, unit] = shown[unit]
    for layer in range(4):
        weights, bias, inputs, outputs = layers[part, layer]
        if outputs == 0:
            break
        last = layer == 3 or layers[part, layer + 1, 3] == 0
        for unit in range(outputs):
            room[1, unit] = theta[bias + unit]
        for column in range(inputs):
            value, row = room[0, column], weights + column * outputs
            for unit in range(outputs):
                room[1, unit] += value * theta[row + unit]
        for unit in range(outputs):
            value = room[1, unit]
            room[0, unit] = value if value > 0 or (last and not last_active) else np.float32(SLOPE) * value


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
        until_ms: When the run is cut; 0 for never.
        seed: Draws actions from the network's distributions; below zero takes the most likely.
        kept: Where the run is recorded; room for no decision records nothing.
    """
    rooms = np.zeros((2, 32), np.float32)
    stages, jobs = m[at.STAGES], m[at.JOBS]
    shown, embedded = np.zeros((stages, STAGE_INPUTS), np.float32), np.zeros((stages, WIDTH), np.float32)
    told, summary = np.zeros((stages, WIDTH), np.float32), np.zeros((jobs, WIDTH), np.float32)
    whole, scores = np.zeros(WIDTH, np.float32), np.zeros(max(stages, m[at.EXECUTORS] + 1), np.float32)
    head, limits = np.zeros(STAGE_INPUTS + 3 * WIDTH, np.float32), np.zeros(JOB_INPUTS + 2 * WIDTH + 1, np.float32)
    drawn = 0
    while advance(m, durations):
        if until_ms and m[at.NOW] > until_ms:
            break
        embed(m, theta, layers, messages, shown, embedded, told, summary, whole, rooms)
        count = 0
        for place in range(m[at.CANDIDATE_LIST], m[at.CANDIDATE_LIST] + m[at.CANDIDATES]):
            stage = m[place]
            number, job = m[stage + at.STAGE_NUMBER], m[m[stage + at.OF_JOB] + at.JOB_NUMBER]
            scores[count] = -np.inf
            if least_limit(m, m[stage + at.OF_JOB]) <= m[at.EXECUTORS]:
                head[:STAGE_INPUTS] = shown[number]
                head[STAGE_INPUTS : STAGE_INPUTS + WIDTH] = embedded[number]
                head[STAGE_INPUTS + WIDTH : STAGE_INPUTS + 2 * WIDTH] = summary[job]
                head[STAGE_INPUTS + 2 * WIDTH :] = whole
                dense(theta, layers, STAGE_HEAD, head, rooms, False)
                scores[count] = rooms[0, 0]
            count += 1
        chosen = pick(scores, count, seed, drawn)
        if scores[chosen] == -np.inf:
            answer(m, durations, NONE, 0)
            continue
        stage = m[m[at.CANDIDATE_LIST] + chosen]
        job = m[stage + at.OF_JOB]
        number, least = m[stage + at.STAGE_NUMBER], least_limit(m, job)
        limits[:JOB_INPUTS] = shown[number, :JOB_INPUTS]
        limits[JOB_INPUTS : JOB_INPUTS + WIDTH] = summary[m[job + at.JOB_NUMBER]]
        limits[JOB_INPUTS + WIDTH : JOB_INPUTS + 2 * WIDTH] = whole
        for limit in range(least, m[at.EXECUTORS] + 1):
            limits[JOB_INPUTS + 2 * WIDTH] = limit / 50.0
            dense(theta, layers, LIMIT_HEAD, limits, rooms, False)
            scores[limit - least] = rooms[0, 0]
        limit = least + pick(scores, m[at.EXECUTORS] + 1 - least, seed, drawn + count)
        drawn += count + m[at.EXECUTORS] + 1
        if kept.decisions.shape[0] and not keep(m, shown, stage, least, limit, kept):
            break
        answer(m, durations, stage, limit)
    if kept.decisions.shape[0]:
        kept.times[kept.counts[0]] = m[at.NOW] / 1000.0, time_in_system(m) * m[at.JOBS]


@inlined
def least_limit(m: Memory, job: int) -> int:
    """One executor more than the job holds, those left out that are asked about."""
    held = m[job + at.HELD] - (m[at.OFFERED] if job == m[at.SOURCE_JOB] else 0)
    return int(held + 1)


@inlined
def pick(scores: Float32, count: int, seed: int, drawn: int) -> int:
    """The largest of some scores, or with a seed one drawn by their softmax: the largest with Gumbel's noise."""
    best, most = 0, -np.inf
    for place in range(count):
        score = float(scores[place])
        if seed >= 0:
            uniform = (np.int64(draw(seed, drawn + place) >> _S11) + 0.5) * 2.0**-53
            score -= math.log(-math.log(uniform))
        if score > most:
            best, most = place, score
    return best


@jit
def embed(m: Memory, theta: Float32, layers: Memory, messages: bool, shown: Float32, embedded: Float32, told: Float32,
          summary: Float32, whole: Float32, rooms: Float32) -> None:  # fmt: skip
    """Embed every unfinished stage, children before parents, and sum up jobs and cluster."""
    both = np.zeros(STAGE_INPUTS + WIDTH, np.float32)
    heard = np.zeros(WIDTH, np.float32)
    whole[:] = 0
    for place in range(m[at.ACTIVE], m[at.ACTIVE] + m[at.ACTIVE_JOBS]):
        job = m[place]
        number = m[job + at.JOB_NUMBER]
        source = job == m[at.SOURCE_JOB]
        summary[number] = 0
        stages = (m[job + at.END_STAGE] - m[job + at.FIRST_STAGE]) // at.STAGE
        for behind in range(m[job + at.UPWARD], m[job + at.UPWARD] + stages):
            stage = m[behind]
            if m[stage + at.FINISHED] == m[stage + at.TASKS]:
                continue
            row = m[stage + at.STAGE_NUMBER]
            left = m[stage + at.TASKS] - m[stage + at.STARTED]
            own = shown[row]
            own[0] = (m[job + at.HELD]) / 20.0
            own[1] = 2.0 if source else -2.0
            own[2] = m[at.OFFERED] / 20.0
            own[3] = left * m[stage + at.MEAN_US] / 1e8
            own[4] = left / 200.0
            dense(theta, layers, PREPARE, own, rooms, True)
            embedded[row] = rooms[0, :WIDTH]
            if messages and m[stage + at.CHILDREN] < m[stage + at.CHILDREN_END]:
                heard[:] = 0
                for edge in range(m[stage + at.CHILDREN], m[stage + at.CHILDREN_END]):
                    heard += told[m[m[edge] + at.STAGE_NUMBER]]
                dense(theta, layers, GATHER, heard, rooms, True)
                embedded[row] += rooms[0, :WIDTH]
            dense(theta, layers, MESSAGE, embedded[row], rooms, True)
            told[row] = rooms[0, :WIDTH]
            both[:STAGE_INPUTS] = own
            both[STAGE_INPUTS:] = embedded[row]
            dense(theta, layers, OF_JOB, both, rooms, True)
            summary[number] += rooms[0, :WIDTH]
        dense(theta, layers, OF_CLUSTER, summary[number], rooms, True)
        whole += rooms[0, :WIDTH]


@jit
def keep(m: Memory, shown: Float32, stage: int, least: int, limit: int, kept: Record) -> bool:
    """Record a decision; False where there is no room left."""
    decision, row = kept.counts[0], kept.counts[1]
    if decision == kept.decisions.shape[0] or row + m[at.STAGES] > kept.stages.size:
        return False
    job, first = m[stage + at.OF_JOB], row
    for place in range(m[at.ACTIVE], m[at.ACTIVE] + m[at.ACTIVE_JOBS]):
        for other in range(m[m[place] + at.FIRST_STAGE], m[m[place] + at.END_STAGE], at.STAGE):
            if m[other + at.FINISHED] < m[other + at.TASKS]:
                kept.stages[row] = m[other + at.STAGE_NUMBER]
                kept.inputs[row] = shown[m[other + at.STAGE_NUMBER]]
                kept.candidates[row] = False
                row += 1
    chosen, at_row = -1, first
    for place in range(m[at.CANDIDATE_LIST], m[at.CANDIDATE_LIST] + m[at.CANDIDATES]):
        number = m[m[place] + at.STAGE_NUMBER]
        while kept.stages[at_row] != number:
            at_row += 1
        kept.candidates[at_row] = least_limit(m, m[m[place] + at.OF_JOB]) <= m[at.EXECUTORS]
        if m[place] == stage:
            chosen = at_row
    table = kept.decisions[decision]
    table[FIRST_ROW], table[END_ROW], table[CHOSEN] = first, row, chosen
    table[LEAST], table[MOST], table[LIMIT] = least, m[at.EXECUTORS], limit
    table[JOB_SOURCE], table[OFFERED], table[HELD] = job == m[at.SOURCE_JOB], m[at.OFFERED], m[job + at.HELD]
    kept.times[decision] = m[at.NOW] / 1000.0, time_in_system(m) * m[at.JOBS]
    kept.counts[0], kept.counts[1] = decision + 1, row
    return True
