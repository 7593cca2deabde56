"""Graphs of operators drawn from a seed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from unseat.core.drawing import of_each
from unseat.tasks.graphsched.data.generators import FAMILIES, Recipe, generate


def draw(rng: np.random.Generator, folder: Path) -> None:
    """Graphs of `graphsched` in the contest's form."""
    for name, family, seed in of_each(rng, FAMILIES):
        recipe = Recipe(family, seed, int(rng.integers(2, 13)), round(float(rng.uniform(0.15, 0.5)), 3))
        (folder / f"{name}.json").write_text(json.dumps(generate(recipe).to_json()))
