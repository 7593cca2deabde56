"""The instances: the embedded corpus, and real projects in the full suite."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from unseat.tasks.llvm.data import programs
from unseat.tasks.llvm.data.suites import QUICK, Options, Source, opened, published, sources

__all__ = ["QUICK", "Options", "Source", "built_in", "opened", "sources"]


@lru_cache(maxsize=1)
def built_in() -> Sequence[Source]:
    """The corpus, and the projects, which are all held out."""
    return [*sources(programs.corpus()), *published()]
