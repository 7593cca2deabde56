"""Instances drawn by seed: models as a compiler sees them, sharded over a mesh of devices.

A model is a chain of layers of its family. Each operation has axes (batch, rows, columns, a reduction), each parameter
two; a strategy lays each axis of the mesh on one of these or on none. It costs its share of the computation, an
all-reduce where a reduction is divided, and has its share of the bytes. An edge costs the bytes that must move from one
layout to the other; pairs that no collective connects are forbidden. As in published graphs most nodes are leaves:
constants, broadcasts, views, and slots of an optimiser that live as long as the program.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseat.tasks.shard.engine.problem import Int64, Problem

FORBIDDEN_COST = 10**18
FAMILIES = ("mlp", "transformer", "convolution", "recurrent", "experts", "encoder-decoder")


@dataclass(frozen=True)
class Recipe:
    """What an instance is drawn from.

    Attributes:
        family: Kind of model.
        seed: Of everything that is drawn.
        layers: How many.
        mesh: Devices along each axis of the mesh.
        leaves: Leaf nodes for each other node.
        tightness: Where the limit lies between the least peak (0) and the peak of the cheapest strategies (1).
    """

    family: str
    seed: int
    layers: int
    mesh: tuple[int, ...] = (4, 2)
    leaves: float = 1.5
    tightness: float = 0.15


@dataclass
class _Node:
    """Bytes, work, axes that can be divided (size each), when it lives, which axis is a reduction."""

    axes: tuple[int, ...]
    work: float
    live: tuple[int, int]
    reduction: bool = False


class _Builder:
    """Nodes and edges in the order in which they are computed."""

    def __init__(self, recipe: Recipe) -> None:
        self.rng = np.random.default_rng([FAMILIES.index(recipe.family), recipe.seed, recipe.layers])
        self.nodes: list[_Node] = []
        self.edges: list[tuple[int, int]] = []
        self.users: dict[int, int] = {}

    def add(self, axes: tuple[int, ...], work: float, inputs: tuple[int, ...] = (), reduction: bool = False) -> int:
        """An operation after those it reads."""
        node = len(self.nodes)
        self.nodes.append(_Node(axes, work, (node, node + 1), reduction))
        for one in inputs:
            self.edges.append((one, node))
            self.users[one] = node
        return node

    def weight(self, rows: int, columns: int) -> int:
        """A parameter, with the slots of its optimiser; it lives from the first step to the last."""
        node = self.add((rows, columns), 0.0)
        for _ in range(int(self.rng.integers(0, 3))):
            self.users[self.add((rows, columns), 0.1, (node,))] = -1
        self.users[node] = -1
        return node

    def dense(self, x: int, rows: int, inner: int, columns: int) -> int:
        """A matrix product; its third axis is the reduction."""
        return self.add((rows, columns, inner), rows * inner * columns / 1e6, (x, self.weight(inner, columns)), True)

    def view(self, x: int) -> int:
        """A node of the same shape that computes next to nothing."""
        return self.add(self.nodes[x].axes[:2], self.nodes[x].axes[0] * 1e-3, (x,))


def _block(b: _Builder, family: str, x: int, skip: list[int], rows: int, width: int) -> int:
    """One layer of a family."""
    if family == "mlp":
        return b.view(b.dense(x, rows, width, width))
    if family == "recurrent":
        state = b.dense(skip[-1], rows, width, width)
        return b.view(b.add((rows, width), rows * 0.01, (b.dense(x, rows, width, width), state)))
    if family == "convolution":
        y = b.view(b.dense(x, rows, width, width))
        y = b.view(b.dense(y, rows, width, width))
        return b.add((rows, width), rows * 0.01, (y, x))
    query, key, value = (b.dense(x, rows, width, width) for _ in range(3))
    scores = b.add((rows, rows, width), rows * rows * width / 1e6, (query, key), True)
    soft = b.view(b.view(scores))
    y = b.dense(b.add((rows, width, rows), rows * rows * width / 1e6, (soft, value), True), rows, width, width)
    y = b.add((rows, width), rows * 0.01, (y, x))
    if family == "encoder-decoder" and len(skip) > 2:
        y = b.add((rows, width, width), rows * width * width / 1e6, (y, skip[len(skip) // 2]), True)
    if family == "experts":
        gate = b.view(y)
        parts = [b.dense(b.view(b.dense(y, rows, width, 2 * width)), rows, 2 * width, width) for _ in range(3)]
        for part in parts:
            gate = b.add((rows, width), rows * 0.01, (gate, part))
        return gate
    z = b.dense(b.view(b.dense(y, rows, width, 4 * width)), rows, 4 * width, width)
    return b.add((rows, width), rows * 0.01, (z, y))


def generate(recipe: Recipe) -> Problem:
    """Draw an instance; equal recipes give equal ones."""
    b = _Builder(recipe)
    rows, width = (int(2 ** b.rng.integers(7, 11)) for _ in range(2))
    x = b.add((rows, width), 0.0)
    skip = [x]
    for _ in range(recipe.layers):
        x = _block(b, recipe.family, x, skip, rows, width)
        skip.append(x)
    _backward(b)
    _leaves(b, round(recipe.leaves * len(b.nodes)))
    return _problem(b, recipe)


def _backward(b: _Builder) -> None:
    """Gradients in reverse: each reads the gradient after it and what was computed, which lives until then."""
    forward = len(b.nodes)
    after: dict[int, list[int]] = {}
    for u, v in list(b.edges):
        after.setdefault(u, []).append(v)
    gradient: dict[int, int] = {}
    for node in range(forward - 1, -1, -1):
        read = [gradient[v] for v in after.get(node, []) if v in gradient][:3]
        if b.users.get(node) == -1 and not read:
            continue
        mine = b.nodes[node]
        gradient[node] = b.add(mine.axes, 2 * mine.work, (node, *read), mine.reduction)


def _leaves(b: _Builder, count: int) -> None:
    """Constants, broadcasts and views beside operations at random."""
    inner = len(b.nodes)
    for _ in range(count):
        to = int(b.rng.integers(inner) if b.rng.random() < 0.7 else b.rng.integers(inner // 8 + 1))
        leaf = b.add(b.nodes[to].axes[:2], float(b.rng.random() < 0.3), (to,))
        begin = int(b.rng.integers(inner))
        length = int(b.rng.pareto(1.2) * 3) if b.rng.random() < 0.85 else 0
        b.nodes[leaf].live = (begin, min(begin + length, inner))


def _layouts(node: _Node, mesh: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.int64]:
    """Strategies: the axis of the node that each axis of the mesh divides, or -1 (int64 [strategies, mesh])."""
    choices = range(-1, len(node.axes))
    found = [(a, b) for a in choices for b in choices] if len(mesh) == 2 else [(a,) for a in choices]
    kept = [one for one in found if one[0] == -1 or rng.random() < 0.85]
    return np.array(kept, np.int64)


def _problem(b: _Builder, recipe: Recipe) -> Problem:
    mesh = np.array(recipe.mesh)
    layouts = [_layouts(node, recipe.mesh, b.rng) for node in b.nodes]
    inner = max(node.live[1] for node in b.nodes)
    costs, usages = [], []
    for place, (node, layout) in enumerate(zip(b.nodes, layouts, strict=True)):
        size = 4.0 * node.axes[0] * node.axes[1]
        divided = np.where(layout >= 0, mesh, 1)
        reduces = ((layout == 2) & node.reduction).any(axis=1)
        stored = np.where(layout == 2, 1, divided).prod(axis=1)
        cost = 50 * node.work / divided.prod(axis=1) + np.where(reduces, 1.2 * size / stored / 64, 0)
        cost *= 1 + 0.02 * b.rng.random(len(cost))
        forbidden = (b.rng.random(len(cost)) < 0.02) & (np.arange(len(cost)) > 0)
        costs.append(np.where(forbidden, FORBIDDEN_COST, np.round(cost)).astype(np.int64))
        usages.append(np.ceil(size / stored).astype(np.int64))
        last = b.users.get(place)
        if last is not None and node.live[1] == node.live[0] + 1:
            node.live = (0, inner) if last == -1 else (node.live[0], last + 1)
    tables = [_table(b.nodes[u], layouts[u], layouts[v], mesh, b.rng) for u, v in b.edges]
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in layouts])]).astype(np.int64)
    at = np.concatenate([[0], np.cumsum([table.size for table in tables])]).astype(np.int64)
    problem = Problem(
        f"{recipe.family}-{recipe.seed}", np.array([node.live for node in b.nodes], np.int64), offsets,
        np.concatenate(costs), np.concatenate(usages), np.array(b.edges, np.int64).reshape(-1, 2), at,
        np.concatenate([table.ravel() for table in tables]), 0,
    )  # fmt: skip
    return limited(problem, recipe.tightness)


def _table(
    source: _Node, mine: NDArray[np.int64], its: NDArray[np.int64], mesh: NDArray[np.int64], rng: np.random.Generator
) -> Int64:
    """Bytes that move from each layout of a tensor to each that its reader wants."""
    size = 4.0 * source.axes[0] * source.axes[1]
    have, want = np.where(mine > 1, -1, mine)[:, None, :], np.where(its > 1, 1, its)[None, :, :]
    held = np.where(have >= 0, mesh, 1).prod(axis=2)
    gather = ((have >= 0) & (have != want)).sum(axis=2)
    moved = gather * size / held / 32 + 2.0 * (have != want).any(axis=2)
    # A layout on the same axis of another one needs an exchange that a compiler may not have.
    crossed = ((have >= 0) & (want >= 0) & (have != want)).all(axis=2)
    blocked = (crossed | (rng.random(moved.shape) < 0.05)) & (have >= 0).any(axis=2)
    # Replicated everywhere can be read in any way, so that there is always a solution.
    blocked &= np.any(mine >= 0, axis=1)[:, None] & np.any(its >= 0, axis=1)[None, :]
    return np.where(blocked, FORBIDDEN_COST, np.round(moved)).astype(np.int64)


def limited(problem: Problem, tightness: float) -> Problem:
    """The same with a limit between the least peak and that of the cheapest strategies."""
    from dataclasses import replace

    owner = np.repeat(np.arange(problem.nodes), np.diff(problem.offsets))
    least, cheapest = (
        problem.peak(np.lexsort((second, first, owner))[problem.offsets[:-1]] - problem.offsets[:-1])
        for first, second in ((problem.usages, problem.costs), (problem.costs, problem.usages))
    )
    # Forbidden strategies may be the least; the replicated ones, which never are forbidden, must not be shut out.
    return replace(problem, limit=int(least + tightness * max(cheapest - least, 0)) + 1)
