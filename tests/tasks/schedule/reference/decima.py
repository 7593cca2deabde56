"""Decima's network in a plain form, and runs of the compiled one to hold against it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from tests.tasks.schedule.reference.simulator import bits

from unseat.tasks.schedule.challengers.decima import layout, network
from unseat.tasks.schedule.challengers.decima.layout import PARTS, SLOPE, WIDTH
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.layout import Float32, Float64, Memory
from unseat.tasks.schedule.engine.memory import Cluster

LAYERS = layout.layers()


def weights(seed: int) -> Float32:
    """Glorot's, with biases that are not zero, and for which it matters much what the limit is."""
    noise = 0.1 * np.random.default_rng(seed).standard_normal(layout.size())
    theta = (layout.begin(seed) + noise).astype(np.float32)
    end, outputs = LAYERS[layout.LIMIT_HEAD, 0, 1], LAYERS[layout.LIMIT_HEAD, 0, 3]
    theta[end - outputs : end] *= 20  # the limit is the head's last input
    return theta


class Plain:
    """The network over one question, by names and recursion; ``float64``."""

    def __init__(self, theta: Float32, messages: bool, m: Memory) -> None:
        self.theta, self.messages, self.m = theta.astype(float), messages, m
        self.known: dict[int, Float64] = {}
        self.open = [stage for stage in self.stages() if m[stage + at.FINISHED] < m[stage + at.TASKS]]
        self.jobs = {job: self.job(job) for job in m[m[at.ACTIVE] :][: m[at.ACTIVE_JOBS]].tolist()}
        self.whole = np.sum([self.part("cluster", one) for one in self.jobs.values()], axis=0)

    def part(self, name: str, shown: Any) -> Float64:
        place, values, part = 0, np.concatenate([np.atleast_1d(one) for one in shown], dtype=float), PARTS[name]
        for other, one in PARTS.items():
            if other == name:
                break
            place += sum(i * o + o for i, o in zip(one.sizes, one.sizes[1:], strict=False))
        for layer, (inputs, outputs) in enumerate(zip(part.sizes, part.sizes[1:], strict=False)):
            matrix = self.theta[place : place + inputs * outputs].reshape(inputs, outputs)
            place += inputs * outputs
            values = values @ matrix + self.theta[place : place + outputs]
            place += outputs
            if layer < len(part.sizes) - 2 or part.active:
                values = np.where(values > 0, values, SLOPE * values)
        return values

    def stages(self) -> list[int]:
        active = self.m[self.m[at.ACTIVE] :][: self.m[at.ACTIVE_JOBS]].tolist()
        return [stage for job in active
                for stage in range(self.m[job + at.FIRST_STAGE], self.m[job + at.END_STAGE], at.STAGE)]  # fmt: skip

    def inputs(self, stage: int) -> Float64:
        m, job = self.m, self.m[stage + at.OF_JOB]
        left = m[stage + at.TASKS] - m[stage + at.STARTED]
        source = 2.0 if job == m[at.SOURCE_JOB] else -2.0
        return np.array(
            [m[job + at.HELD] / 20, source, m[at.OFFERED] / 20, left * m[stage + at.MEAN_US] / 1e8, left / 200]
        )

    def embedded(self, stage: int) -> Float64:
        if stage not in self.known:
            own = self.part("prepare", [self.inputs(stage)])
            children = self.m[self.m[stage + at.CHILDREN] : self.m[stage + at.CHILDREN_END]].tolist()
            if self.messages and children:
                told = [self.part("message", [self.embedded(child)]) for child in children]
                own = own + self.part("gather", [np.sum(told, axis=0)])
            self.known[stage] = own
        return self.known[stage]

    def job(self, job: int) -> Float64:
        own = [stage for stage in self.open if self.m[stage + at.OF_JOB] == job]
        told = [self.part("job", [self.inputs(stage), self.embedded(stage)]) for stage in own]
        return np.asarray(np.sum(told, axis=0)) if told else np.zeros(WIDTH)

    def least(self, stage: int) -> int:
        job = self.m[stage + at.OF_JOB]
        return 1 + int(self.m[job + at.HELD]) - (int(self.m[at.OFFERED]) if job == self.m[at.SOURCE_JOB] else 0)

    def candidates(self) -> list[int]:
        """Those whose job may hold one more."""
        listed = self.m[self.m[at.CANDIDATE_LIST] :][: self.m[at.CANDIDATES]].tolist()
        return [stage for stage in listed if self.least(stage) <= self.m[at.EXECUTORS]]

    def scores(self) -> Float64:
        return np.array([
            self.part("stage head", [self.inputs(s), self.embedded(s), self.jobs[self.m[s + at.OF_JOB]], self.whole])[0]
            for s in self.candidates()
        ])  # fmt: skip

    def limits(self, stage: int) -> Float64:
        job = self.jobs[self.m[stage + at.OF_JOB]]
        return np.array([
            self.part("limit head", [self.inputs(stage)[:3], job, self.whole, limit / 50])[0]
            for limit in range(self.least(stage), int(self.m[at.EXECUTORS]) + 1)
        ])  # fmt: skip


def log_softmax(scores: Float64) -> Float64:
    return np.asarray(scores - scores.max() - math.log(np.exp(scores - scores.max()).sum()))


def noise(seed: int, number: int, count: int) -> Float64:
    """Gumbel's, with which the largest score is a draw from the softmax; none for a seed below zero."""
    if seed < 0:
        return np.zeros(count)
    uniforms = [((bits(seed, number + place) >> 11) + 0.5) / 2**53 for place in range(count)]
    return np.array([-math.log(-math.log(one)) for one in uniforms])


def gap(scores: Float64, chosen: int) -> float:
    """By how much another score is higher than the chosen one."""
    return float(scores.max() - scores[chosen])


def recorded(
    cluster: Cluster, theta: Float32, seed: int, drawn: int, messages: bool = True, room: int = 400
) -> network.Record:
    kept = network.record(room, room * 100)
    m = cluster.begin(seed)
    network.play(m, cluster.durations, theta, LAYERS, messages, at.NEVER_MS, drawn, kept)
    return kept
