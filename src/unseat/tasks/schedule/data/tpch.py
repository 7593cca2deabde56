"""The published TPC-H job graphs: 22 queries on Spark at 7 sizes of input, each task's duration measured.

From the simulator of H. Mao, M. Schwarzkopf, S. B. Venkatakrishnan, Z. Meng and M. Alizadeh, "Learning Scheduling
Algorithms for Data Processing Clusters" (Decima), SIGCOMM 2019. The files state no licence, so they are fetched and
never shipped. A stage's first wave, as published, holds the fresh executors' tasks too; they are taken out here as that
simulator's loader does it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from unseat.core.errors import UserError
from unseat.data import FileEntry, load_manifest, locate
from unseat.tasks.schedule.data.npy import read_numbers, read_object
from unseat.tasks.schedule.engine.graphs import LONGEST_MS, JobGraph, Profile, Stage, profile

SIZES = ("2g", "5g", "10g", "20g", "50g", "80g", "100g")
"""Of the input, in gigabytes."""

QUERIES = tuple(range(1, 23))

POINTS = (5, 10, 20, 40, 50, 60, 80, 100)
"""Numbers of executors between which the published simulator interpolates; it was measured with 2 as well."""

_WAVES = ("fresh_durations", "first_wave", "rest_wave")

Waves = Mapping[int, Sequence[int]]


@lru_cache(maxsize=len(SIZES) * len(QUERIES))
def tpch(size: str, query: int) -> JobGraph:
    """The job graph of a query at a size, such as "tpch-2g-3"; its template is the query, "tpch-3".

    Raises:
        UserError: There is no such query or size, or its files cannot be fetched or are damaged.
    """
    if size not in SIZES or query not in QUERIES:
        raise UserError(f"no TPC-H query {query} at size {size}; queries are 1 to 22, sizes {', '.join(SIZES)}")
    edges = locate(_entry(f"tpch/{size}/adj_mat_{query}.npy"))
    durations = locate(_entry(f"tpch/{size}/task_duration_{query}.npy"))
    return read_graph(f"tpch-{size}-{query}", f"tpch-{query}", edges, durations)


def read_graph(name: str, template: str, edges: Path, durations: Path) -> JobGraph:
    """A job graph from a matrix of edges (row before column) and a dict of measured durations.

    Raises:
        UserError: A file is damaged, or the two do not belong together.
    """
    matrix = read_numbers(edges)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not np.isin(matrix, (0, 1)).all():
        raise UserError(f"{edges}: no square matrix of 0 and 1; give the published file")
    measured = read_object(durations)
    if not isinstance(measured, dict) or set(measured) != set(range(len(matrix))):
        raise UserError(f"{durations}: not the durations of {len(matrix)} stages, as {edges} has; give both of a query")
    stages = (_stage(f"{durations}: stage {place}", measured[place], np.flatnonzero(matrix[:, place]).tolist())
              for place in range(len(matrix)))  # fmt: skip
    return JobGraph(name, template, tuple(stages))


def _stage(where: str, waves: Any, parents: list[int]) -> Stage:
    fresh, first, rest = (_checked(where, waves, name) for name in _WAVES)
    if not first or not set(fresh) == set(first) == set(rest):
        raise UserError(f"{where}: its waves are measured with different numbers of executors; fetch the file again")
    # Published as it came: the first key in the file is the smallest number of executors of the measurements.
    begin = next(iter(first))
    tasks = len(first[begin]) + len(rest[begin])
    return Stage(tasks, tuple(parents), tuple(_profiles(fresh, first, rest)))


def _profiles(fresh: Waves, first: Waves, rest: Waves) -> list[Profile]:
    """Ascending by executors; where all firsts were fresh, the first wave is that of the next fewer executors.

    Kept are the points, and the largest number where it is less than those: it stands for all that are larger.
    """
    found, last = [], list[int]()
    for executors in sorted(first):
        last = without(first[executors], fresh[executors]) or last
        found.append(profile(executors, fresh[executors], last, rest[executors]))
    found = [one for one in found if one.executors in POINTS or one is found[-1]]
    usable = [one for one in found if one.fresh.size or one.first.size]
    # No published stage lacks both. One that did could start no task: it takes them from the nearest profile that can.
    return [one if one.fresh.size or one.first.size else _borrowed(one, usable) for one in found] if usable else found


def _borrowed(one: Profile, usable: list[Profile]) -> Profile:
    near = min(usable, key=lambda other: abs(other.executors - one.executors))
    return Profile(one.executors, near.fresh, near.first, one.rest)


def without(durations: Sequence[int], taken: Sequence[int]) -> list[int]:
    """The durations, in order, less one for each equal one that was taken.

    >>> without([5, 3, 5, 4], [5, 4, 9])
    [3, 5]
    """
    left = Counter(taken)
    kept = []
    for duration in durations:
        if left[duration] > 0:
            left[duration] -= 1
        else:
            kept.append(duration)
    return kept


def _checked(where: str, waves: Any, name: str) -> Waves:
    found = waves.get(name) if isinstance(waves, dict) else None
    if not isinstance(found, dict):
        raise UserError(f"{where}: no {name}; give the published file")
    for executors, durations in found.items():
        if type(executors) is not int or executors < 1 or not isinstance(durations, list):
            raise UserError(f"{where}: {name}: not lists of durations by executors; give the published file")
        for duration in durations:
            if type(duration) is not int or not 1 <= duration <= LONGEST_MS:
                raise UserError(f"{where}: {name}: {str(duration)[:40]} is no duration in ms; give the published file")
    return found


def digest() -> str:
    """A hash of what all files are, without reading them."""
    text = " ".join(f"{name} {entry.hash[1]}" for name, entry in sorted(_entries().items()))
    return hashlib.sha256(text.encode()).hexdigest()


def _entry(name: str) -> FileEntry:
    return _entries()[name]


@lru_cache(maxsize=1)
def _entries() -> dict[str, FileEntry]:
    manifest = load_manifest(Path(__file__).parents[1] / "data.toml")
    return {entry.name: entry for entry in manifest.files}
