"""Compile before any clock runs."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from unseat.core.outcome import Limits
from unseat.structures.bplustree import BPlusTree
from unseat.structures.gapped import GappedIndex
from unseat.tasks.index.updates.policies import PLACES, Built
from unseat.tasks.index.updates.problem import Problem


@lru_cache(maxsize=1)
def warm() -> None:
    """Run both structures on a small set of each type."""
    from unseat.tasks.index.updates import task

    for kind in (np.uint64, np.int64, np.float64):
        keys = (np.arange(2000) ** 2).astype(kind)
        problem = Problem(keys, "deletes", 2000)
        for made in (GappedIndex, BPlusTree):
            # What lays a structure out anew when it has outgrown its arrays, which few runs come to.
            made.build(keys, np.zeros(len(keys), np.int64)).items()
        for structure in PLACES:
            task().run(problem, Built(structure, structure), seed=0, limits=Limits())
