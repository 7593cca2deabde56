"""Workloads drawn from a seed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from unseat.core.drawing import of_each
from unseat.tasks.schedule import generators
from unseat.tasks.schedule.data.jobs_json import write_jobs

JOBS, TEMPLATES = 20, 6
"""Of a workload."""


def draw(rng: np.random.Generator, folder: Path) -> None:
    """Batches and streams of `schedule`, of templates that nobody has seen."""
    for name, kind, seed in of_each(rng, ("batch", "poisson", "lublin"), 4):
        templates = rng.integers(2**30, 2**40, size=TEMPLATES)
        graphs = [generators.generate(int(template), float(size))
                  for template in templates for size in rng.choice(generators.SIZES_GB, 2, replace=False)]  # fmt: skip
        # A template's own name is the seed that it is drawn from.
        graphs = [replace(graph, name=f"graph-{place}", template=f"template-{place // 2}")
                  for place, graph in enumerate(graphs)]  # fmt: skip
        if kind == "batch":
            arrivals = generators.batch(graphs, JOBS, seed)
        else:
            arrivals = getattr(generators, kind)(graphs, 2 * JOBS, float(rng.uniform(15_000, 40_000)), seed)
        write_jobs(folder / f"{name}.json", arrivals)
