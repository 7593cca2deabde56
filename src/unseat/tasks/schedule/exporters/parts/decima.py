"""Decima: a graph neural network over the job graphs, with heads for the stage and for the job's limit.

H. Mao, M. Schwarzkopf, S. B. Venkatakrishnan, Z. Meng, M. Alizadeh, "Learning Scheduling Algorithms for Data Processing
Clusters", SIGCOMM 2019. All arithmetic is in 32 bits and in the order of the compiled policy's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unseat.tasks.schedule.exporters.parts.cluster import Job, Question, children_of, downward, held, mean_us

WIDTH = 8
"""Numbers of an embedding."""

SIZES = {
    "prepare": (5, 16, 8, 8),
    "message": (8, 16, 8, 8),
    "gather": (8, 16, 8, 8),
    "job": (13, 16, 8, 8),
    "cluster": (8, 16, 8, 8),
    "stage head": (29, 32, 16, 8, 1),
    "limit head": (20, 32, 16, 8, 1),
}
"""Of each network, from inputs to outputs: an embedding of each stage from its own numbers; what a stage tells its
parents, and what a stage makes of all that it is told; a summary of each job, one of the cluster; a score of each
candidate, and one of each limit."""

SLOPE = np.float32(0.2)
"""Of the leaky rectifier."""


def networks(theta: NDArray[np.float32]) -> dict[str, list[tuple[NDArray[np.float32], NDArray[np.float32]]]]:
    """Weights and biases of each network's layers, which lie one after the other."""
    found, place = {}, 0
    for name, sizes in SIZES.items():
        layers = []
        for layer in range(len(sizes) - 1):
            inputs, outputs = sizes[layer : layer + 2]
            bias = place + inputs * outputs
            layers.append((theta[place:bias].reshape(inputs, outputs), theta[bias : bias + outputs]))
            place = bias + outputs
        found[name] = layers
    return found


def dense(
    layers: Sequence[tuple[NDArray[np.float32], NDArray[np.float32]]], shown: NDArray[np.float32], active: bool
) -> NDArray[np.float32]:
    """Run one network on rows; `active`: whether its last layer is rectified too."""
    for number, (weights, bias) in enumerate(layers):
        sums = np.repeat(bias[None], len(shown), axis=0)
        for column in range(len(weights)):  # Not `@`, which adds in another order.
            sums += shown[:, column, None] * weights[column]
        rectified = active or number + 1 < len(layers)
        shown = np.where(sums > 0, sums, SLOPE * sums) if rectified else sums
    return shown


class Rows(NamedTuple):
    """Unfinished stages of all jobs, each behind its children.

    Attributes:
        of: Row of a job's number and a stage's place.
        jobs: Number of each row's job.
        children: Rows of the unfinished children of each row.
        inputs: float32 [rows, 5].
    """

    of: dict[tuple[int, int], int]
    jobs: list[int]
    children: list[list[int]]
    inputs: NDArray[np.float32]


def rows_of(asked: Question) -> Rows:
    """Numbers of each stage: executors of its job, whether they are asked about, how many; work and tasks left."""
    of: dict[tuple[int, int], int] = {}
    jobs: list[int] = []
    children, inputs = [], []
    for number, job in enumerate(asked.jobs):
        parents = [stage.parents for stage in job.stages]
        below = children_of(parents)
        for place in reversed(downward(parents)):
            stage = job.stages[place]
            if stage.finished == stage.tasks:
                continue
            of[number, place] = len(jobs)
            jobs.append(number)
            children.append([of[number, child] for child in below[place] if (number, child) in of])
            left, source = stage.tasks - stage.started, 2.0 if job is asked.source else -2.0
            inputs.append((job.held / 20.0, source, asked.offered / 20.0, left * mean_us(stage) / 1e8, left / 200.0))
    return Rows(of, jobs, children, np.array(inputs, np.float32))


def hear(
    rows: Rows,
    embedded: NDArray[np.float32],
    parts: Mapping[str, Sequence[tuple[NDArray[np.float32], NDArray[np.float32]]]],
) -> None:
    """Tell parents of their children, one height above the leaves after the other."""
    heights: list[int] = []
    for below in rows.children:
        heights.append(1 + max((heights[child] for child in below), default=-1))
    told = np.zeros_like(embedded)
    for height in range(max(heights) + 1):
        level = [row for row, own in enumerate(heights) if own == height]
        if height > 0:
            heard = np.zeros((len(level), WIDTH), np.float32)
            for number, row in enumerate(level):
                for child in rows.children[row]:
                    heard[number] += told[child]
            embedded[level] += dense(parts["gather"], heard, True)
        told[level] = dense(parts["message"], embedded[level], True)


def decima(
    asked: Question,
    parts: Mapping[str, Sequence[tuple[NDArray[np.float32], NDArray[np.float32]]]],
    messages: bool = True,
) -> tuple[Job, int, int] | None:
    """The most likely stage and limit; a stage whose job holds all executors is none.

    Args:
        asked: The question.
        parts: See `networks`.
        messages: Whether stages hear from their children.
    """
    rows = rows_of(asked)
    embedded = dense(parts["prepare"], rows.inputs, True)
    if messages:
        hear(rows, embedded, parts)
    own = dense(parts["job"], np.concatenate([rows.inputs, embedded], axis=1), True)
    jobs = np.zeros((len(asked.jobs), WIDTH), np.float32)
    for row, number in enumerate(rows.jobs):
        jobs[number] += own[row]
    whole = np.zeros(WIDTH, np.float32)
    for summary in dense(parts["cluster"], jobs, True):
        whole += summary
    numbers = {job: number for number, job in enumerate(asked.jobs)}
    found = [
        (numbers[job], place)
        for job, places in asked.candidates
        for place in places
        if held(asked, job) < asked.executors
    ]
    if not found:
        return None
    chosen = [rows.of[candidate] for candidate in found]
    of_jobs, of_all = jobs[[number for number, _ in found]], np.repeat(whole[None], len(found), axis=0)
    shown = np.concatenate([rows.inputs[chosen], embedded[chosen], of_jobs, of_all], axis=1)
    best = int(dense(parts["stage head"], shown, False)[:, 0].argmax())
    (number, place), row = found[best], chosen[best]
    job = asked.jobs[number]
    limits = range(held(asked, job) + 1, asked.executors + 1)
    context = np.repeat(np.concatenate([rows.inputs[row, :3], jobs[number], whole])[None], len(limits), axis=0)
    shares = np.array([[limit / 50.0] for limit in limits], np.float32)
    scores = dense(parts["limit head"], np.concatenate([context, shares], axis=1), False)[:, 0]
    return job, place, limits[int(scores.argmax())]
