"""The instances: every program, put together to one module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from unseat.core.task import Instance
from unseat.tasks.llvm.data import programs, suites
from unseat.tasks.llvm.data.programs import Program

QUICK = {"train": 2, "valid": 1, "test": 1}
"""Programs of each split that the quick suite has; the first ones by name."""

STEPS = 20_000
"""Passes that an episode may run, all sequences together; a sequence that is measured counts as one more."""


class Options(BaseModel):
    """Options of `unseat run passes --data SOURCES`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    flags: str = Field("", description="arguments for clang besides those of the project: '-Iinclude -DNDEBUG'")


@dataclass(frozen=True)
class Source:
    """A program, and how long an episode on it may be."""

    program: Program
    suites: frozenset[str] = frozenset({"full"})
    steps: int = STEPS

    @property
    def name(self) -> str:
        """The instance's id."""
        return self.program.name

    @property
    def way(self) -> str:
        """How long an episode on it may be."""
        return str(self.steps)

    def instance(self) -> Instance:
        """The instance."""
        facts = {"steps": self.steps}
        return Instance(self.name, self.name, self.program.split, suites=self.suites, facts=facts)


@lru_cache(maxsize=1)
def built_in() -> Sequence[Source]:
    """The embedded corpus."""
    left, made = dict(QUICK), []
    for program in programs.corpus():
        quick = left[program.split] > 0
        left[program.split] -= 1
        made.append(Source(program, frozenset({"quick", "full"}) if quick else frozenset({"full"})))
    return made


def opened(data: str, options: Mapping[str, Any]) -> Sequence[Source]:
    """What a user's data give.

    Raises:
        UserError: They cannot be read, or an option is wrong.
    """
    _, flags = suites.chosen(Options, options)
    return [Source(program) for program in programs.opened(data, flags)]
