"""Models drawn from a seed."""

from __future__ import annotations

import gzip
import json
from itertools import pairwise
from pathlib import Path

import numpy as np

from unseat.core.drawing import of_each
from unseat.tasks.shard.data.generators import FAMILIES, Recipe, generate
from unseat.tasks.shard.engine.problem import NO_LIMIT, Int64

LAYERS = 8
"""Most of a model."""


def draw(rng: np.random.Generator, folder: Path) -> None:
    """Models of `shard` in the contest's form."""
    for name, family, seed in of_each(rng, FAMILIES):
        mesh = ((4, 2), (8, 4))[int(rng.integers(2))]
        made = generate(Recipe(family, seed, int(rng.integers(2, LAYERS + 1)), mesh))
        nodes = {"intervals": made.intervals.tolist(), "costs": _rows(made.costs, made.offsets),
                 "usages": _rows(made.usages, made.offsets)}  # fmt: skip
        edges = {"nodes": made.edges.tolist(), "costs": _rows(made.edge_costs, made.edge_offsets)}
        limit = None if made.limit == NO_LIMIT else made.limit
        content = {"problem": {"name": name, "nodes": nodes, "edges": edges, "usage_limit": limit}}
        (folder / f"{name}.json.gz").write_bytes(gzip.compress(json.dumps(content).encode(), mtime=0))


def _rows(values: Int64, offsets: Int64) -> list[list[int]]:
    return [values[first:last].tolist() for first, last in pairwise(offsets)]
