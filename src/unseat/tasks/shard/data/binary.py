"""Instances as arrays on disk: converted once beside the cache, then mapped into memory."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np

from unseat.data.store import cache_folder
from unseat.tasks.shard.data.reader import read_json
from unseat.tasks.shard.engine.problem import Problem

_VERSION = 1
_ARRAYS = ("intervals", "offsets", "costs", "usages", "edges", "edge_offsets", "edge_costs")
_SMALL = 1 << 20
"""Files under so many bytes are read anew each time."""


def opened(path: Path, digest: str) -> Problem:
    """The problem of a file, from its binary form where there is one.

    Args:
        path: The file.
        digest: SHA-256 of it.

    Raises:
        UserError: It is no instance.
    """
    folder = cache_folder() / "shard" / f"{digest}-{_VERSION}"
    if folder.is_dir():
        return load(folder)
    problem = read_json(path)
    if problem.nbytes >= _SMALL:
        try:
            save(problem, folder)
        except OSError:
            # A cache that cannot be written costs time and nothing else.
            return problem
        return load(folder)
    return problem


def save(problem: Problem, folder: Path) -> None:
    """Write a problem into a folder that appears whole or not at all.

    Raises:
        OSError: It cannot be written.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        made = Path(scratch) / "made"
        made.mkdir()
        for name in _ARRAYS:
            np.save(made / f"{name}.npy", getattr(problem, name))
        (made / "head.json").write_text(json.dumps({"name": problem.name, "limit": problem.limit}))
        if not folder.exists():
            made.replace(folder)


def load(folder: Path) -> Problem:
    """Map a folder that `save` wrote into memory, read-only."""
    head = json.loads((folder / "head.json").read_text())
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r").view(np.ndarray) for name in _ARRAYS}
    return Problem(name=head["name"], limit=head["limit"], **arrays)
