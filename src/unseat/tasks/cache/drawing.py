"""Traces drawn from a seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unseat.core.drawing import of_each
from unseat.tasks.cache.data import write_trace
from unseat.tasks.cache.generators import KINDS, generate

REQUESTS, OBJECTS = 20_000, 1_500
"""Of a trace."""


def draw(rng: np.random.Generator, folder: Path, *, sized: bool) -> None:
    """Traces of every kind that the generator knows."""
    for name, kind, seed in of_each(rng, list(KINDS)):
        alpha = round(float(rng.uniform(0.7, 1.1)), 3)
        made = generate(kind, REQUESTS, OBJECTS, seed, alpha=alpha, sizes="lognormal" if sized else None)
        write_trace(folder / f"{name}.csv", made)
