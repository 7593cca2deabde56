"""The instances, and what a user may ask of his own sources."""

from __future__ import annotations

from pydantic import Field

from unseat.tasks.llvm.data import suites


class Options(suites.Options):
    """Options of `unseat run regalloc --data SOURCES`."""

    instructions: bool = Field(False, description="count the instructions that programs execute, by valgrind")
