"""The task `regalloc` on programs of a few functions, one of which holds more words than there are registers."""

from __future__ import annotations

from dataclasses import replace

from tests.tasks.llvm.small_task import PROGRAMS, QUICK, SPLITS

from unseat.core.task import Split
from unseat.tasks.llvm.data.programs import Program, read
from unseat.tasks.llvm.regalloc.suites import Source
from unseat.tasks.llvm.regalloc.task import RegallocTask

PRESSED: dict[str, Split] = {**SPLITS, "rounds": "test", "adder": "train"}


def program(name: str) -> Program:
    """One of the programs."""
    return replace(read(PROGRAMS / name), split=PRESSED[name])


class SmallRegalloc(RegallocTask):
    """Four programs, one of them of two modules and put together as well."""

    def __init__(self) -> None:
        found = [program(name) for name in PRESSED]
        super().__init__([*(Source(one, False, QUICK) for one in found), Source(program("adder"), True, QUICK)])
