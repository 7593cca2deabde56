"""Seeded waits of ten programs, each of which goes through phases of short and of long waits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from unseat import Instance

from .engine import LONGEST, Problem

# Program: (split, mean short wait, mean long wait, mean acquisitions in a phase).
PROGRAMS: dict[str, tuple[Literal["train", "valid", "test"], float, float, int]] = {
    "compiler": ("train", 2, 60, 40),
    "allocator": ("train", 3, 40, 15),
    "browser": ("train", 1, 90, 60),
    "database": ("valid", 2, 50, 25),
    "renderer": ("valid", 3, 80, 50),
    "web-server": ("test", 2, 70, 30),
    "queue": ("test", 3, 45, 20),
    "indexer": ("test", 1, 60, 45),
    "logger": ("test", 2, 40, 35),
    "solver": ("test", 3, 90, 55),
}
BLOCK_COSTS = (8, 20)
ACQUISITIONS = 400


def instances() -> Sequence[Instance]:
    """Every program at each cost of blocking; a program is a group."""
    return [
        Instance(f"{program}/{cost}", program, split, level=cost, series=program, suites=frozenset({"quick", "full"}))
        for program, (split, *_) in PROGRAMS.items()
        for cost in BLOCK_COSTS
    ]


def load(instance: Instance) -> Problem:
    """Draw the waits; equal instances give equal waits."""
    _, short, long, phase = PROGRAMS[instance.group]
    rng = np.random.default_rng(list(instance.group.encode()))
    in_long = np.cumsum(rng.random(ACQUISITIONS) < 1 / phase) % 2 == 1
    waits = 1 + rng.exponential(np.where(in_long, long, short)).astype(np.int64)
    waits = np.minimum(waits, LONGEST)
    waits.setflags(write=False)
    return Problem(waits, int(instance.level or 0))
