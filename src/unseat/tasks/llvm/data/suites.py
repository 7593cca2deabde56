"""The instances: every program, module by module or put together as a whole."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from unseat.core.errors import UserError
from unseat.core.task import Instance
from unseat.tasks.llvm.data import programs, projects
from unseat.tasks.llvm.data.programs import Program

QUICK = {"train": 4, "valid": 2, "test": 4}
"""Programs of each split that the quick suite has; the first ones by name, module by module."""


class Options(BaseModel):
    """Options of `unseat run TASK --data SOURCES` for every task of the compiler's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    whole: bool = Field(False, description="put the modules together first and hide all but main")
    flags: str = Field("", description="arguments for clang besides those of the project: '-Iinclude -DNDEBUG'")


@dataclass(frozen=True)
class Source:
    """A program in one of the two ways in which it is compiled."""

    program: Program
    whole: bool
    suites: frozenset[str] = frozenset({"full"})

    @property
    def name(self) -> str:
        """The instance's id."""
        return f"{self.program.name}@whole" if self.whole else self.program.name

    @property
    def way(self) -> str:
        """How it is compiled."""
        return str(self.whole)

    def instance(self) -> Instance:
        """The instance."""
        facts = {"program": self.program.name, "whole": self.whole}
        return Instance(self.name, self.program.name, self.program.split, suites=self.suites, facts=facts)


def sources(found: Sequence[Program], quick: Mapping[str, int] = QUICK) -> Sequence[Source]:
    """Every program in both ways, and which of them are quick: so many of each split, module by module."""
    made = []
    left = dict(quick)
    for program in found:
        is_quick = left[program.split] > 0
        left[program.split] -= 1
        made.append(Source(program, False, frozenset({"quick", "full"}) if is_quick else frozenset({"full"})))
        made.append(Source(program, True))
    return made


def published() -> Sequence[Source]:
    """The real projects in both ways; all are held out."""
    found = [projects.Project(name) for name in projects.listed()]
    return [Source(one, whole) for one in found for whole in (False, True)]


def opened(data: str, options: Mapping[str, Any]) -> Sequence[Source]:
    """What a user's data give.

    Args:
        data: See `programs.opened`.
        options: As they were given.

    Raises:
        UserError: They cannot be read, or an option is wrong.
    """
    given, flags = chosen(Options, options)
    return [Source(program, given.whole) for program in programs.opened(data, flags)]


Given = TypeVar("Given", bound=BaseModel)


def chosen(kind: type[Given], options: Mapping[str, Any]) -> tuple[Given, Sequence[str]]:
    """A task's options, one of which is `flags`, and the flags one by one.

    Raises:
        UserError: An option is wrong.
    """
    try:
        made = kind(**options)
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(f"--{first['loc'][0]}: {first['msg']}") from error
    flags = str(getattr(made, "flags", ""))
    try:
        return made, shlex.split(flags)
    except ValueError as error:
        raise UserError(f"--flags: {flags!r} cannot be read as arguments: {error}") from error
