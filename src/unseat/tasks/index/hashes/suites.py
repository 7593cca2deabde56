"""Which keys the suites hold, in which split, and at which loads; and a person's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from unseat.core.errors import UserError
from unseat.core.task import Instance, Split
from unseat.tasks.index import embedded

Words = NDArray[np.uint64]

LOADS = (0.5, 1.0)
FULL_KEYS, QUICK_KEYS = 500_000, 10_000
FULL_LOOKUPS, QUICK_LOOKUPS = 100_000, 10_000
GENERATED: Mapping[str, Split] = {
    "normal": "train", "lognormal": "valid", "uniform": "test", "books": "test", "adversarial": "test",
    "sequential": "test",
}  # fmt: skip
"""Generated sets and their splits; each is a group."""
RECORDED: Mapping[str, Split] = {"lines": "train", "zones": "valid"}
"""Splits of the groups of recorded keys that are not for testing."""
QUICK = frozenset({"normal", "lognormal", "uniform", "sequential", "adversarial", "call-times"})


class Options(BaseModel):
    """Options of `unseat run index-hash --data KEYS`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    load: str = Field(default="0.5,1", description="loads of the table: keys a slot, each above 0 and at most 1")
    column: str | None = Field(default=None, description="CSV, Parquet: the column of the keys")
    kind: str | None = Field(default=None, description="type of the keys, where the file does not tell")
    format: str | None = Field(default=None, description="format of the file, where its name does not tell")


@dataclass(frozen=True, eq=False)
class Source:
    """A set of keys, and the instances made of it.

    Attributes:
        name: Its name; the instances' series.
        read: Gives the keys' codes, sorted and distinct.
        digest: Gives a hash of the content without reading more than needed.
        lookups: Present keys that are looked up, and as many absent ones.
        loads: One instance each.
    """

    name: str
    group: str
    split: Split
    suites: frozenset[str]
    read: Callable[[], Words]
    digest: Callable[[], str]
    lookups: int = FULL_LOOKUPS
    loads: Sequence[float] = LOADS

    def instances(self) -> Iterator[Instance]:
        """One instance a load."""
        for load in self.loads:
            facts = {"load": load, "lookups": self.lookups}
            yield Instance(f"{self.name}@{load:g}", self.group, self.split, load, self.name, 1.0, self.suites, facts)

    def keys(self) -> Words:
        """The keys; the last few sets are kept."""
        return _read(self)


@lru_cache(maxsize=3)
def _read(source: Source) -> Words:
    return source.read()


def built_in() -> list[Source]:
    """Generated sets, each small in the quick suite and large in the full one, and recorded ones."""
    found = []
    for name, split in GENERATED.items():
        sizes = [QUICK_KEYS, FULL_KEYS] if name in QUICK else [FULL_KEYS]
        for size in sizes:
            suites = frozenset({"full", "quick"} if size == QUICK_KEYS else {"full"})
            told = f"{name}-{size // 1000}k"
            lookups = QUICK_LOOKUPS if size == QUICK_KEYS else FULL_LOOKUPS
            read = partial(_generated, name, size)
            found.append(Source(told, name, split, suites, read, partial(str, told), lookups))
    for name, entry in embedded.entries().items():
        if entry.details.kind == "strings":
            continue
        suites = frozenset({"full", "quick"} if name in QUICK else {"full"})
        digest = partial(str, entry.file.hash[1])
        split = RECORDED.get(entry.group, "test")
        found.append(Source(name, entry.group, split, suites, partial(_recorded, name), digest, QUICK_LOOKUPS))
    return found


def _generated(name: str, size: int) -> Words:
    if name == "sequential":
        return sequential(size)
    from unseat.tasks.index.generators import generate

    return generate(name, size)


def sequential(size: int, deleted: float = 0.1, seed: int = 0) -> Words:
    """Numbers that a counter gave out, a share of them deleted since: where a learned function is at its best."""
    rng = np.random.Generator(np.random.PCG64(seed))
    kept: Words = np.flatnonzero(rng.random(int(size / (1 - deleted) * 1.1) + 64) >= deleted)[:size].astype(np.uint64)
    return kept


def _recorded(name: str) -> Words:
    return coded(embedded.load(name))


def coded(keys: NDArray[Any]) -> Words:
    """The distinct codes of keys, in order (see `unseat.structures.codes`)."""
    from unseat.structures.codes import codes

    return np.unique(codes(np.ascontiguousarray(keys)))


def opened(path: str, options: Mapping[str, Any]) -> list[Source]:
    """A person's own keys, for testing.

    Raises:
        UserError: An option or the file is wrong.
    """
    from unseat.tasks.index.readers import read_numbers

    try:
        chosen = Options(**options)
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(f"--{first['loc'][0]}: {first['msg']}") from error
    keys = read_numbers(Path(path), chosen.column, chosen.kind, chosen.format)
    found = coded(keys)
    if len(found) < 2:
        raise UserError(f"{path}: {len(found)} distinct keys; a table needs two or more")
    name = Path(path).name
    digest = partial(_digest, found)
    every = frozenset({"quick", "full"})
    return [Source(name, name, "test", every, lambda: found, digest, FULL_LOOKUPS, _loads(chosen.load))]


def _digest(keys: Words) -> str:
    import hashlib

    return hashlib.sha256(keys.tobytes()).hexdigest()


def _loads(text: str) -> list[float]:
    found = []
    for part in text.split(","):
        try:
            load = float(part)
        except ValueError:
            load = 0.0
        if not 0 < load <= 1:
            raise UserError(f"--load: {part.strip()!r} is no load; write keys a slot, such as 0.5 or 1")
        found.append(load)
    if len(set(found)) < len(found):
        raise UserError(f"--load: {text} names one load twice")
    return found
