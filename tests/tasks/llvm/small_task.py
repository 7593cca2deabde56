"""The task `inline` on programs of a few functions, for checks that run it often and in other processes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from unseat.core.task import Split
from unseat.tasks.llvm.data.programs import Program, read
from unseat.tasks.llvm.inline.suites import Source
from unseat.tasks.llvm.inline.task import InlineTask

PROGRAMS = Path(__file__).with_name("programs")
QUICK = frozenset({"quick", "full"})
SPLITS: dict[str, Split] = {"words": "train", "shapes": "valid", "adder": "test"}


def program(name: str) -> Program:
    """One of the programs."""
    return replace(read(PROGRAMS / name), split=SPLITS[name])


class SmallInline(InlineTask):
    """Three programs, one of them of two modules and put together as well."""

    def __init__(self) -> None:
        found = [program(name) for name in SPLITS]
        super().__init__([*(Source(one, False, QUICK) for one in found), Source(program("adder"), True, QUICK)])
