"""Which keys and mixes the suites hold, in which split; and a person's own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from unseat.core.errors import UserError
from unseat.core.task import Instance, Split
from unseat.tasks.index import generators
from unseat.tasks.index.updates.mixes import MIXES

QUICK_KEYS, LEARNING_KEYS, FULL_KEYS = 100_000, 1_000_000, 10_000_000
QUICK_OPERATIONS, FULL_OPERATIONS = 100_000, 1_000_000
SPLITS: Mapping[str, Split] = {
    "normal": "train", "lognormal": "valid", "uniform": "test", "books": "test", "adversarial": "test",
}  # fmt: skip
LEARNING_MIXES = ("B", "insert-5", "insert-50")
QUICK_MIXES: Mapping[str, Sequence[str]] = {
    "normal": LEARNING_MIXES, "lognormal": LEARNING_MIXES, "uniform": ("B", "E", "deletes", "insert-5", "insert-50"),
    "books": ("insert-5", "insert-50"), "adversarial": ("insert-5", "insert-50"),
}  # fmt: skip
FULL_MIXES = ("B", "insert-0", "insert-50")
"""Mixes at ten million keys; all of them run at one million."""
EVERY = frozenset({"quick", "full"})


class Options(BaseModel):
    """Options of `unseat run index-updates --data KEYS`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mixes: str = Field(default="A,B,C,D,E,F,deletes,insert-50", description=f"workloads, of {', '.join(MIXES)}")
    operations: int = Field(default=FULL_OPERATIONS, gt=0, le=2**31, description="operations that are timed")
    column: str | None = Field(default=None, description="CSV, Parquet: the column of the keys")
    kind: str | None = Field(default=None, description="type of the keys, where the file does not tell")
    format: str | None = Field(default=None, description="format of the file, where its name does not tell")


@dataclass(frozen=True, eq=False)
class Source:
    """A key set, and the instances made of it.

    Attributes:
        name: Its name.
        read: Gives the keys, ascending and distinct.
        digest: Gives a hash of the content without reading more than needed.
        mixes: One instance each.
        operations: Timed operations of each.
    """

    name: str
    group: str
    split: Split
    suites: frozenset[str]
    read: Callable[[], NDArray[Any]]
    digest: Callable[[], str]
    mixes: Sequence[str]
    operations: int

    def instances(self) -> Iterator[Instance]:
        """One instance a mix; the mixes that differ only in the share of inserts are a curve."""
        for mix in self.mixes:
            name, swept = f"{self.name}@{mix}", mix.startswith("insert-")
            level, series = (MIXES[mix].inserts, self.name) if swept else (None, name)
            facts = {"mix": mix, "operations": self.operations}
            yield Instance(name, self.group, self.split, level, series, 1.0, self.suites, facts)

    def keys(self) -> NDArray[Any]:
        """The keys; the last few sets are kept."""
        return _read(self)


@lru_cache(maxsize=2)
def _read(source: Source) -> NDArray[Any]:
    return source.read()


def built_in() -> list[Source]:
    """The sets of the suites."""
    found = []
    for name in generators.names():
        rest = tuple(MIXES) if SPLITS[name] == "test" else LEARNING_MIXES
        found.append(_generated(name, QUICK_KEYS, QUICK_OPERATIONS, QUICK_MIXES[name], EVERY))
        found.append(_generated(name, LEARNING_KEYS, LEARNING_KEYS // 2, rest))
        if SPLITS[name] == "test":
            found.append(_generated(name, FULL_KEYS, FULL_OPERATIONS, FULL_MIXES))
    return found


def _generated(
    name: str, count: int, operations: int, mixes: Sequence[str], suites: frozenset[str] = frozenset({"full"})
) -> Source:
    told = f"{count // 1_000_000}M" if count >= 1_000_000 else f"{count // 1000}k"
    return Source(
        f"{name}-{told}", name, SPLITS[name], suites, partial(generators.generate, name, count),
        lambda: f"{name} {count} 0", mixes, operations,
    )  # fmt: skip


def opened(source: str, options: Mapping[str, Any]) -> list[Source]:
    """A person's own keys: all are for testing.

    Raises:
        UserError: An option or the file is wrong.
    """
    from unseat.tasks.index.readers import read_numbers
    from unseat.tasks.index.updates.problem import key_set

    try:
        chosen = Options(**options)
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(f"--{first['loc'][0]}: {first['msg']}") from error
    mixes = list(dict.fromkeys(part.strip() for part in chosen.mixes.split(",")))
    if unknown := sorted(set(mixes) - set(MIXES)):
        raise UserError(f"--mixes: no mix {unknown[0]!r}; known are {', '.join(MIXES)}")
    path = Path(source)
    keys = read_numbers(path, chosen.column, chosen.kind, chosen.format)
    found = key_set(keys)
    if len(found) < 2:
        raise UserError(f"{path}: {len(found)} distinct keys; a workload needs two or more")
    digest = partial(_digest, found)
    return [Source(path.name, path.name, "test", EVERY, lambda: found, digest, mixes, chosen.operations)]


def _digest(keys: NDArray[Any]) -> str:
    return hashlib.sha256(keys.dtype.str.encode() + keys.tobytes()).hexdigest()
