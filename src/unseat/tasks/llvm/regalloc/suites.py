"""The instances, and what a user may ask of his own sources."""

from __future__ import annotations

from pydantic import Field

from unseat.tasks.llvm.data import suites
from unseat.tasks.llvm.data.suites import Source


class Options(suites.Options):
    """Options of `unseat run regalloc --data SOURCES`."""

    instructions: bool = Field(False, description="count the instructions that programs execute, by valgrind")


def counted(source: Source) -> bool:
    """Whether instructions are counted of a built-in program: where nothing waits for it but the full suite's page."""
    return source.program.split == "test" and not source.whole and "quick" not in source.suites
