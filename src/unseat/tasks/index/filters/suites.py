"""Which sets of strings the suites hold, in which split and of what sizes; and a person's own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from unseat.core.errors import UserError
from unseat.core.task import Instance, Split
from unseat.tasks.index.filters import sets

if TYPE_CHECKING:
    from unseat.tasks.index.filters.problem import Problem

SPLITS: Mapping[str, tuple[str, Split]] = {
    "random-digits": ("random-digits", "train"), "syllables": ("syllables", "valid"),
    "misspelt": ("identifiers", "test"), "identifiers": ("identifiers", "test"),
    "symbols-llvm": ("symbols-llvm", "test"), "symbols-c": ("symbols-c", "test"),
}  # fmt: skip
"""Group and split of each set. Nothing is fitted on one set for another: the splits choose contenders only."""
SIZES = (2_000, 6_000)
"""Numbers of keys, besides all of them."""
QUICK_SETS = ("random-digits", "syllables", "identifiers", "symbols-c")
QUICK = 2_000
QUICK_OTHERS = 11_000
"""As many as every set has: with fewer, chance in the rate that is charged hides differences between filters."""


class Options(BaseModel):
    """Options of `unseat run index-filter --data KEYS`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    others: str | None = Field(default=None, description="text file of non-keys that are asked for, a line each")
    rate: float = Field(default=0.01, ge=2.0**-24, le=0.25, description="rate of false positives")


@dataclass(frozen=True, eq=False)
class Source:
    """A set of strings, and the instances made of it.

    Attributes:
        name: Its name; the instances' series.
        read: Gives keys and non-keys.
        digest: Gives a hash of the content without reading more than needed.
        sizes: Numbers of keys, one instance each.
        total: How many keys there are.
        rate: The rate of false positives that is asked for.
        others: Only so many non-keys are used; None for all.
    """

    name: str
    group: str
    split: Split
    suites: frozenset[str]
    read: Callable[[], sets.Pair]
    digest: Callable[[], str]
    sizes: Sequence[int]
    rate: float = 0.01
    others: int | None = None

    def instances(self) -> Iterator[Instance]:
        """One instance a number of keys."""
        for size in self.sizes:
            facts = {"keys": size, "rate": self.rate, "others": self.others}
            name = f"{self.name}@{size}"
            yield Instance(name, self.group, self.split, float(size), self.name, 1.0, self.suites, facts)

    def problem(self, size: int) -> Problem:
        """Keys and the three parts of the non-keys; the last few are kept."""
        return _problem(self, size)


@lru_cache(maxsize=4)
def _problem(source: Source, size: int) -> Problem:
    from unseat.tasks.index.filters.problem import divided

    keys, others = source.read()
    return divided(sets.part(keys, size, 5), sets.part(others, source.others, 6), source.rate)


def built_in() -> list[Source]:
    """Every set in several sizes, and small in the quick suite."""
    totals = {one.name: (one.keys, one.digest) for one in sets.recorded()}
    totals["misspelt"] = totals["identifiers"][0], f"misspelt {totals['identifiers'][1]}"
    found = []
    for name, (group, split) in SPLITS.items():
        total, digest = totals.get(name, (sets.GENERATED, name))
        read = sets.READERS.get(name) or partial(sets.read_recorded, name)
        given = read, partial(str, digest)
        quick = f"{name}-quick"
        if name in QUICK_SETS:
            both = frozenset({"quick", "full"})
            found.append(Source(quick, group, split, both, *given, (QUICK,), others=QUICK_OTHERS))
        found.append(Source(name, group, split, frozenset({"full"}), *given, (*SIZES, total)))
    return found


def opened(path: str, options: Mapping[str, Any]) -> list[Source]:
    """A person's own keys and non-keys, for testing.

    Raises:
        UserError: An option or a file is wrong.
    """
    try:
        chosen = Options(**options)
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(f"--{first['loc'][0]}: {first['msg']}") from error
    if chosen.others is None:
        raise UserError(f"{path}: which strings are asked for that are no keys? give a file of them with --others")
    pair = sets.own(Path(path), Path(chosen.others))
    digest = hashlib.sha256("\n".join([*pair[0], "", *pair[1]]).encode()).hexdigest()
    name, suites = Path(path).name, frozenset({"quick", "full"})
    return [Source(name, name, "test", suites, lambda: pair, lambda: digest, (len(pair[0]),), chosen.rate)]
