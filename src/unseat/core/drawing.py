"""What tasks share that draw instances from a seed: kinds in an order that is drawn, under names that say nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

Kind = TypeVar("Kind")


def of_each(rng: np.random.Generator, kinds: Sequence[Kind], each: int = 2) -> list[tuple[str, Kind, int]]:
    """A name, a kind and a seed for each instance, the kinds in an order that is drawn."""
    every = [kind for kind in kinds for _ in range(each)]
    order, seeds = rng.permutation(len(every)), rng.integers(2**40, size=len(every))
    return [(f"hidden-{place + 1:02}", every[number], int(seeds[number])) for place, number in enumerate(order)]
