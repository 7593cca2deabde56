"""The cache tasks over traces that every check can afford to run over and over; child processes find them by path."""

from __future__ import annotations

from functools import partial

from unseat.core.task import Split
from unseat.tasks.cache.generators import Kind, generate
from unseat.tasks.cache.options import capacities
from unseat.tasks.cache.suites import Source
from unseat.tasks.cache.task import CacheTask

KINDS: dict[Kind, Split] = {"drift": "train", "loop": "train", "churn": "valid", "phases": "test", "scan": "test"}


def source(kind: Kind, split: Split, sized: bool) -> Source:
    """One short generated trace, a group of its own."""
    made = partial(generate, kind, 6_000, 500, 1, sizes="lognormal" if sized else None)
    suites = frozenset({"quick", "full"})
    return Source(kind, kind, split, suites, made, lambda: kind, capacities("5%,20%"), 0.3, sized)


class SmallCache(CacheTask):
    """Equal sizes; the card's cells are traces that are not here."""

    def __init__(self) -> None:
        super().__init__(False, [source(kind, split, False) for kind, split in KINDS.items()])
        self.card = self.card.model_copy(update={"cells": []})


class SmallCacheSized(CacheTask):
    """Objects with sizes."""

    def __init__(self) -> None:
        super().__init__(True, [source(kind, split, True) for kind, split in KINDS.items()])
