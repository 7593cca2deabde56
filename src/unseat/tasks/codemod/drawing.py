"""Edits drawn from a seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unseat.core.drawing import of_each
from unseat.tasks.codemod.own.pairs import OWN, pairs


def draw(rng: np.random.Generator, folder: Path) -> None:
    """Files before and after each transform of `codemod`'s own, of code that nobody has seen."""
    for name, transform, seed in of_each(rng, list(OWN), 1):
        made = pairs(transform, f"{seed} ")
        for place, pair in enumerate((*made.shown, *made.hidden, *made.kept, *made.unkept)):
            for side, text in zip(("before", "after"), pair, strict=True):
                path = folder / name / side / f"f{place:02}.py"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
