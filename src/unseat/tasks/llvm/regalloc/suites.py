"""The instances, and what a user may ask of his own sources."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from pydantic import Field

from unseat.tasks.llvm.data import programs, suites
from unseat.tasks.llvm.data.suites import Source, sources

QUICK = {"train": 4, "valid": 1, "test": 2}
"""Programs of each split that the quick suite has: ten contenders take their time."""


class Options(suites.Options):
    """Options of `unseat run regalloc --data SOURCES`."""

    instructions: bool = Field(False, description="count the instructions that programs execute, by valgrind")


@lru_cache(maxsize=1)
def built_in() -> Sequence[Source]:
    """The embedded corpus."""
    return sources(programs.corpus(), QUICK)


def counted(source: Source) -> bool:
    """Whether instructions are counted of a built-in program: where nothing waits for it but the full suite's page."""
    return source.program.split == "test" and not source.whole and "quick" not in source.suites
