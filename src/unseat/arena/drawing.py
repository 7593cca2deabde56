"""Hidden instances drawn from a seed: what each task's own generator gives, as files that the task opens.

Their order is drawn too, and their names are numbers: neither tells which kind an instance is of.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import numpy as np

from unseat.core.errors import UserError

Rng = np.random.Generator
Kind = TypeVar("Kind")
REQUESTS, OBJECTS = 20_000, 1_500
"""Of a trace of `cache`."""
JOBS, TEMPLATES = 20, 6
"""Of a workload of `schedule`."""
QUERIES, LAYERS, PROGRAMS = 300, 8, 12
"""Requests of one of `serving`, most layers of a model of `shard`, programs of Csmith."""


def draw(task: str, seed: int, folder: Path) -> None:
    """Write a task's hidden instances into a folder; the same for the same seed, and others for any other.

    Raises:
        UserError: The task has no generator, or one that is not installed here.
    """
    if task not in DRAWN:
        raise UserError(f"task {task} draws no instances from a seed ({', '.join(DRAWN)} do); give a folder")
    DRAWN[task](np.random.default_rng(seed), folder)


def _of_each(rng: Rng, kinds: Sequence[Kind], each: int = 2) -> list[tuple[str, Kind, int]]:
    """A name, a kind and a seed for each instance, the kinds in an order that is drawn."""
    every = [kind for kind in kinds for _ in range(each)]
    order, seeds = rng.permutation(len(every)), rng.integers(2**40, size=len(every))
    return [(f"hidden-{place + 1:02}", every[number], int(seeds[number])) for place, number in enumerate(order)]


def _traces(sized: bool) -> Callable[[Rng, Path], None]:
    def drawn(rng: Rng, folder: Path) -> None:
        from unseat.tasks.cache.data import write_trace
        from unseat.tasks.cache.generators import KINDS, generate

        for name, kind, seed in _of_each(rng, list(KINDS)):
            alpha = round(float(rng.uniform(0.7, 1.1)), 3)
            made = generate(kind, REQUESTS, OBJECTS, seed, alpha=alpha, sizes="lognormal" if sized else None)
            write_trace(folder / f"{name}.csv", made)

    return drawn


def _workloads(rng: Rng, folder: Path) -> None:
    """Batches and streams of `schedule`, of templates that nobody has seen."""
    from unseat.tasks.schedule import generators
    from unseat.tasks.schedule.data.jobs_json import write_jobs

    for name, kind, seed in _of_each(rng, ("batch", "poisson", "lublin"), 4):
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


def _requests(rng: Rng, folder: Path) -> None:
    """Requests of `serving`, as Mooncake writes them."""
    from unseat.tasks.serving.data.traces import CHUNK
    from unseat.tasks.serving.generators import CHUNK as SHORT
    from unseat.tasks.serving.generators import KINDS, generate

    for name, kind, seed in _of_each(rng, list(KINDS), 3):
        made, lines = generate(kind, QUERIES, seed), []
        for place, (first, last) in enumerate(pairwise(made.first.tolist())):
            # The last short chunk of a long one stands for it: with it all before it are the same.
            hashes = made.hashes[first:last].tolist()[CHUNK // SHORT - 1 :: CHUNK // SHORT]
            lines.append(json.dumps({
                "timestamp": round(1000 * float(made.at_s[place])), "input_length": int(made.prompt[place]),
                "output_length": int(made.output[place]), "hash_ids": hashes}))  # fmt: skip
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n")


def _sharded(rng: Rng, folder: Path) -> None:
    """Models of `shard` in the contest's form."""
    from unseat.tasks.shard.data.generators import FAMILIES, Recipe, generate
    from unseat.tasks.shard.engine.problem import NO_LIMIT

    for name, family, seed in _of_each(rng, FAMILIES):
        mesh = ((4, 2), (8, 4))[int(rng.integers(2))]
        made = generate(Recipe(family, seed, int(rng.integers(2, LAYERS + 1)), mesh))
        nodes = {"intervals": made.intervals.tolist(), "costs": _rows(made.costs, made.offsets),
                 "usages": _rows(made.usages, made.offsets)}  # fmt: skip
        edges = {"nodes": made.edges.tolist(), "costs": _rows(made.edge_costs, made.edge_offsets)}
        limit = None if made.limit == NO_LIMIT else made.limit
        content = {"problem": {"name": name, "nodes": nodes, "edges": edges, "usage_limit": limit}}
        (folder / f"{name}.json.gz").write_bytes(gzip.compress(json.dumps(content).encode(), mtime=0))


def _rows(values: np.ndarray, offsets: np.ndarray) -> list[list[int]]:
    return [values[first:last].tolist() for first, last in pairwise(offsets)]


def _graphs(rng: Rng, folder: Path) -> None:
    """Graphs of `graphsched` in the contest's form."""
    from unseat.tasks.graphsched.data.generators import FAMILIES, Recipe, generate

    for name, family, seed in _of_each(rng, FAMILIES):
        recipe = Recipe(family, seed, int(rng.integers(2, 13)), round(float(rng.uniform(0.15, 0.5)), 3))
        (folder / f"{name}.json").write_text(json.dumps(generate(recipe).to_json()))


def _edits(rng: Rng, folder: Path) -> None:
    """Files before and after each transform of `codemod`'s own, of code that nobody has seen."""
    from unseat.tasks.codemod.own.pairs import OWN, pairs

    for name, transform, seed in _of_each(rng, list(OWN), 1):
        made = pairs(transform, f"{seed} ")
        for place, pair in enumerate((*made.shown, *made.hidden, *made.kept, *made.unkept)):
            for side, text in zip(("before", "after"), pair, strict=True):
                path = folder / name / side / f"f{place:02}.py"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)


def _programs(rng: Rng, folder: Path) -> None:
    """Programs of Csmith for the tasks of LLVM, without includes, so that they compile anywhere."""
    from unseat.tasks.llvm.data import csmith

    found = 0
    while found < PROGRAMS:
        made = folder / f"hidden-{found + 1:02}"
        # A part of what is drawn never ends, and counts for nothing.
        found += csmith.standing_alone(int(rng.integers(2**32)), made)


DRAWN: Mapping[str, Callable[[Rng, Path], None]] = {
    "cache": _traces(False), "cache-sized": _traces(True), "schedule": _workloads, "serving": _requests,
    "shard": _sharded, "graphsched": _graphs, "codemod": _edits,
    "inline": _programs, "regalloc": _programs, "passes": _programs,
}  # fmt: skip
