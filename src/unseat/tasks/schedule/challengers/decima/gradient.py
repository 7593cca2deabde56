"""The policy gradient of recorded runs, in PyTorch: the same networks as `network`, over all decisions at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from unseat.tasks.schedule.challengers.decima import layout, network
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
    Part,
)
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.layout import Memory
from unseat.tasks.schedule.engine.memory import Cluster, table


class Graphs:
    """Edges and heights of a cluster's stages, by their numbers."""

    def __init__(self, cluster: Cluster) -> None:
        stages = table(cluster.memory, at.ALL_STAGES)
        counts = stages[:, at.CHILDREN_END] - stages[:, at.CHILDREN]
        self.parents = np.repeat(np.arange(len(stages)), counts)
        begin = int(stages[0, at.CHILDREN])
        addresses = cluster.memory[begin : begin + int(counts.sum())]
        self.children = (addresses - int(cluster.memory[at.ALL_STAGES])) // at.STAGE
        self.jobs = (stages[:, at.OF_JOB] - int(cluster.memory[at.ALL_JOBS])) // at.JOB
        self.heights = np.zeros(len(stages), np.int64)
        for _ in range(len(stages)):
            higher = self.heights.copy()
            np.maximum.at(higher, self.parents, self.heights[self.children] + 1)
            if (higher == self.heights).all():
                break
            self.heights = higher


class Batch:
    """A recorded run as tensors.

    Attributes:
        count: Decisions.
        levels: For each height above 0 the rows of that height, and of the edges to their children both ends: the place
            of the parent among those rows, and the row of the child.
    """

    def __init__(self, kept: network.Record, graphs: Graphs) -> None:
        self.count, rows = int(kept.counts[0]), int(kept.counts[1])
        decisions, stages = kept.decisions[: self.count], kept.stages[:rows].astype(np.int64)
        of_decision = np.repeat(np.arange(self.count), decisions[:, network.END_ROW] - decisions[:, network.FIRST_ROW])
        self.inputs = torch.from_numpy(kept.inputs[:rows].copy())
        self.levels = _levels(of_decision, stages, graphs)
        _, of_job = np.unique(of_decision * (graphs.jobs.max() + 1) + graphs.jobs[stages], return_inverse=True)
        self.of_job = torch.from_numpy(of_job)
        first = np.zeros(int(of_job.max()) + 1, np.int64)
        first[of_job] = of_decision
        self.of_decision = torch.from_numpy(first)
        picked = np.flatnonzero(kept.candidates[:rows])
        self.candidates, self.asked = torch.from_numpy(picked), torch.from_numpy(of_decision[picked])
        self.chosen = torch.from_numpy(np.searchsorted(picked, decisions[:, network.CHOSEN]))
        self.chosen_rows = torch.from_numpy(decisions[:, network.CHOSEN].copy())
        counts = decisions[:, network.MOST] + 1 - decisions[:, network.LEAST]
        self.of_limit = torch.from_numpy(np.repeat(np.arange(self.count), counts))
        begins = np.cumsum(counts) - counts
        limits = np.arange(counts.sum()) - np.repeat(begins - decisions[:, network.LEAST], counts)
        self.limits = torch.from_numpy(limits.astype(np.float32) / 50.0)
        chosen_limit = decisions[:, network.LIMIT] - decisions[:, network.LEAST]
        self.chosen_limit = torch.from_numpy(begins + chosen_limit)


def _levels(of_decision: Memory, stages: Memory, graphs: Graphs) -> list[tuple[Tensor, Tensor, Tensor]]:
    many, heights = len(graphs.heights), graphs.heights[stages]
    keys = of_decision * many + stages
    found = []
    starts = np.searchsorted(graphs.parents, np.arange(many + 1))
    for height in range(1, int(heights.max(initial=0)) + 1):
        rows = np.flatnonzero(heights == height)
        counts = starts[stages[rows] + 1] - starts[stages[rows]]
        parents = np.repeat(np.arange(rows.size), counts)
        edges = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts - starts[stages[rows]], counts)
        children = np.searchsorted(keys, of_decision[rows][parents] * many + graphs.children[edges])
        found.append((torch.from_numpy(rows), torch.from_numpy(parents), torch.from_numpy(children)))
    return found


class Network:
    """The networks of `layout` over one tensor of weights."""

    def __init__(self, theta: np.ndarray[Any, np.dtype[np.float32]], messages: bool) -> None:
        self.theta = torch.from_numpy(theta.copy()).requires_grad_()
        self.messages, self.layers = messages, layout.layers().tolist()
        self.parts = list(layout.PARTS.values())

    def part(self, number: int, shown: Tensor) -> Tensor:
        """One network on rows."""
        part: Part = self.parts[number]
        last = len(part.sizes) - 2
        for layer in range(last + 1):
            weights, bias, inputs, outputs = self.layers[number][layer]
            shown = shown @ self.theta[weights:bias].view(inputs, outputs) + self.theta[bias : bias + outputs]
            if layer < last or part.active:
                shown = torch.nn.functional.leaky_relu(shown, SLOPE)
        return shown

    def __call__(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Log probability of each decision, and its entropy: of the stage and of the limit."""
        embedded = self.part(PREPARE, batch.inputs)
        if self.messages:
            for rows, parents, children in batch.levels:
                told = self.part(MESSAGE, embedded[children])
                heard = torch.zeros(len(rows), layout.WIDTH).index_add(0, parents, told)
                embedded = embedded.index_add(0, rows, self.part(GATHER, heard))
        own = self.part(OF_JOB, torch.cat([batch.inputs, embedded], 1))
        jobs = torch.zeros(len(batch.of_decision), layout.WIDTH).index_add(0, batch.of_job, own)
        whole = torch.zeros(batch.count, layout.WIDTH).index_add(0, batch.of_decision, self.part(OF_CLUSTER, jobs))
        rows = batch.candidates
        shown = [batch.inputs[rows], embedded[rows], jobs[batch.of_job[rows]], whole[batch.asked]]
        scores = self.part(STAGE_HEAD, torch.cat(shown, 1))[:, 0]
        stage, entropy = chosen(scores, batch.asked, batch.chosen, batch.count)
        rows = batch.chosen_rows
        shown = [batch.inputs[rows, :JOB_INPUTS], jobs[batch.of_job[rows]], whole]
        told = torch.cat([torch.cat(shown, 1)[batch.of_limit], batch.limits[:, None]], 1)
        limit, more = chosen(self.part(LIMIT_HEAD, told)[:, 0], batch.of_limit, batch.chosen_limit, batch.count)
        return stage + limit, entropy + more


def chosen(scores: Tensor, groups: Tensor, places: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Log softmax of one score a group, and the groups' entropies."""
    most = torch.full((count,), -torch.inf).scatter_reduce(0, groups, scores.detach(), "amax")
    scores = scores - most[groups]
    total = torch.zeros(count).index_add(0, groups, scores.exp()).log()
    logs = scores - total[groups]
    return logs[places], -torch.zeros(count).index_add(0, groups, logs.exp() * logs)
