"""The instances, and what a user may ask of his own sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic import Field

from unseat.tasks.llvm.data import programs, suites

QUICK = {"train": 4, "valid": 1, "test": 2}
"""Programs of each split that the quick suite has: ten contenders take their time."""


class Options(suites.Options):
    """Options of `unseat run regalloc --data SOURCES`."""

    instructions: bool = Field(False, description="count the instructions that programs execute, by valgrind")


@dataclass(frozen=True)
class Source(suites.Source):
    """A program, and whether the instructions are counted that it executes."""

    instructions: bool = False

    @property
    def way(self) -> str:
        """How it is compiled and measured."""
        return f"{super().way} {self.instructions}"


@lru_cache(maxsize=1)
def built_in() -> Sequence[Source]:
    """The embedded corpus, and the real projects in the full suite.

    Instructions are counted of the corpus where nothing waits for it but the full suite's page.
    """
    found = suites.sources(programs.corpus(), QUICK)
    embedded = [Source(one.program, one.whole, one.suites, one.program.split == "test" and not one.whole
                       and "quick" not in one.suites) for one in found]  # fmt: skip
    return [*embedded, *(Source(one.program, one.whole, one.suites) for one in suites.published())]


def opened(data: str, options: Mapping[str, Any]) -> Sequence[Source]:
    """What a user's data give; see `suites.opened`."""
    chosen, flags = suites.chosen(Options, options)
    return [Source(program, chosen.whole, instructions=chosen.instructions) for program in programs.opened(data, flags)]
