"""The task `inline` on programs of a few functions, for checks that run it often and in other processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from unseat.core.learner import Contender, Learner
from unseat.core.policy import Policy
from unseat.core.task import Split
from unseat.tasks.llvm.data.programs import Program, read
from unseat.tasks.llvm.inline.searched import GuidedSearch, SearchRule
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

    def contenders(self) -> Mapping[str, Contender]:
        """Those of the quick suite, but what compiles a module sixteen times does so three times here."""
        short: Mapping[str, Callable[[], Policy | Learner]] = {"search-16": searched, "guided-search-16": guided}
        every = {name: one for name, one in super().contenders().items() if one.suites is None}
        return {**every, **{name: replace(every[name], make=made, shipped=None) for name, made in short.items()}}


def searched() -> SearchRule:
    """Search, in little."""
    return SearchRule("search-16", 3)


def guided() -> GuidedSearch:
    """Search in a learned order, in little."""
    return GuidedSearch("guided-search-16", 3, searched=4)
