"""Programs of Csmith drawn from a seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unseat.tasks.llvm.data import csmith

PROGRAMS = 12


def draw(rng: np.random.Generator, folder: Path) -> None:
    """Programs of Csmith for the tasks of LLVM, without includes, so that they compile anywhere."""

    found = 0
    while found < PROGRAMS:
        made = folder / f"hidden-{found + 1:02}"
        # A part of what is drawn never ends, and counts for nothing.
        found += csmith.standing_alone(int(rng.integers(2**32)), made)
