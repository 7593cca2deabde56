"""Graphs drawn by seed, of the kinds that models are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unseat.tasks.graphsched.engine.problem import Problem

FAMILIES = ("chain", "mlp", "residual", "attention", "wide", "convolution")


@dataclass(frozen=True)
class Recipe:
    """What a graph is drawn from: its family, a seed, how many blocks, and the share of a tensor that fits."""

    family: str
    seed: int
    blocks: int
    memory: float = 0.3


class _Builder:
    def __init__(self, recipe: Recipe) -> None:
        self.rng = np.random.default_rng([FAMILIES.index(recipe.family), recipe.seed, recipe.blocks])
        self.widths: list[int] = []
        self.heights: list[int] = []
        self.inputs: list[tuple[int, ...]] = []
        self.outputs: list[int] = []
        self.costs: list[int] = []
        self.matmul: list[bool] = []

    def tensor(self, width: int, height: int) -> int:
        self.widths.append(width)
        self.heights.append(height)
        return len(self.widths) - 1

    def point(self, *tensors: int) -> int:
        made = self.tensor(self.widths[tensors[0]], self.heights[tensors[0]])
        self._add(tensors, made, int(self.rng.integers(1, 6)) * 100, False)
        return made

    def product(self, left: int, right: int) -> int:
        made = self.tensor(self.widths[right], self.heights[left])
        self._add((left, right), made, int(self.rng.integers(2, 11)) * 250, True)
        return made

    def dense(self, x: int, width: int) -> int:
        return self.product(x, self.tensor(width, self.widths[x]))

    def _add(self, tensors: tuple[int, ...], made: int, cost: int, matmul: bool) -> None:
        self.inputs.append(tensors)
        self.outputs.append(made)
        self.costs.append(cost)
        self.matmul.append(matmul)


def generate(recipe: Recipe) -> Problem:
    """Draw a graph; equal recipes give equal ones."""
    b = _Builder(recipe)
    rows, width = (int(2 ** b.rng.integers(7, 11)) for _ in range(2))
    x = b.tensor(width, rows)
    for _ in range(recipe.blocks):
        x = _block(b, recipe.family, x, rows, width)
    native = int(2 ** b.rng.integers(5, 8))
    largest = max(w * h for w, h in zip(b.widths, b.heights, strict=True))
    capacity = max(int(recipe.memory * largest), 4 * 32 * 32 + 64 * max(b.widths))
    return Problem(
        tuple(b.widths), tuple(b.heights), tuple(b.inputs), tuple(b.outputs), tuple(b.costs), tuple(b.matmul), capacity,
        int(b.rng.integers(10, 41)), (128, native),
    )  # fmt: skip


def _block(b: _Builder, family: str, x: int, rows: int, width: int) -> int:
    if family == "chain":
        return b.point(b.point(b.dense(x, width)))
    if family == "mlp":
        return b.dense(b.point(b.dense(x, 2 * width)), width)
    if family == "residual":
        return b.point(b.dense(b.point(b.dense(x, width)), width), x)
    if family == "convolution":
        return b.point(b.point(b.dense(b.point(b.dense(b.point(x), width)), width)), b.dense(x, width))
    if family == "wide":
        parts = [b.point(b.dense(x, width)) for _ in range(3)]
        return b.point(b.point(parts[0], parts[1]), parts[2])
    query, value = b.dense(x, width), b.dense(x, width)
    keys = b.tensor(rows, width)
    scores = b.point(b.product(query, keys))
    return b.point(b.dense(b.product(scores, value), width), x)
