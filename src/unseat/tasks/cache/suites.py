"""Which traces the suites hold, in which split, and at which capacities; and a person's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from unseat.core.errors import UserError
from unseat.core.task import Instance, Split
from unseat.tasks.cache.options import Capacity, Options, capacities, share

if TYPE_CHECKING:
    from unseat.tasks.cache.data import TraceEntry
    from unseat.tasks.cache.data.trace import RawTrace
    from unseat.tasks.cache.engine.trace import Trace
    from unseat.tasks.cache.generators import Kind

SUITE_SHARES = "1%,10%"
BETWEEN_SHARES = "3%,30%"
"""What is judged is measured at more capacities in the full suite, for the curve."""
SUITE_WARM_UP = 0.3
SUITE_REQUESTS = 1_000_000
LEAST = 64
"""Suites leave out capacities under this many objects: sampling is trivial there."""


@dataclass(frozen=True, eq=False)
class Source:
    """A trace, and the instances made of it.

    Attributes:
        name: Its name; the instances' series.
        read: Gives the requests.
        digest: Gives a hash of the content without reading more than needed.
        requests: Only so many requests are used; None for all.
        warm_up: Share of the requests that is not judged.
        sized: Whether the objects' sizes count; else each counts one, whatever the trace says.
        capacities: One instance each.
        between: More of them, for the curve of the full suite.
    """

    name: str
    group: str
    split: Split
    suites: frozenset[str]
    read: Callable[[], RawTrace]
    digest: Callable[[], str]
    capacities: Sequence[Capacity]
    warm_up: float
    sized: bool
    requests: int | None = None
    between: Sequence[Capacity] = ()

    def instances(self) -> Iterator[Instance]:
        """One instance a capacity."""
        for capacity in (*self.capacities, *self.between):
            facts = {"capacity": capacity.text, "warm_up": self.warm_up}
            level = capacity.share if capacity.share is not None else float(capacity.amount or 0)
            suites = self.suites if capacity in self.capacities else frozenset({"full"})
            yield Instance(f"{self.name}@{capacity.text}", self.group, self.split, level, self.name, 1.0, suites, facts)

    def trace(self) -> Trace:
        """The requests on dense ids; the last few traces are kept."""
        return _numbered(self)

    def capacity(self, text: str) -> int:
        """A capacity in objects or bytes."""
        trace = self.trace()
        return next(c for c in (*self.capacities, *self.between) if c.text == text).of(trace.footprint, self.name)


@lru_cache(maxsize=4)
def _numbered(source: Source) -> Trace:
    from unseat.tasks.cache.engine.trace import from_raw

    raw = source.read()
    if source.requests is not None:
        raw = raw.head(source.requests)
    return from_raw(raw.keys, raw.sizes if source.sized else None, source.name)


def opened(path: str, options: Mapping[str, Any], sized: bool) -> list[Source]:
    """A person's own trace, or every file of a folder: each is a group of its own, and all are for testing.

    Raises:
        UserError: An option or a file is wrong.
    """
    try:
        chosen = Options(**options)
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(f"--{first['loc'][0]}: {first['msg']}") from error
    given = Path(path)
    files = sorted(file for file in given.iterdir() if file.is_file()) if given.is_dir() else [given]
    if not files:
        raise UserError(f"{path}: an empty folder; put traces into it")
    sources = [_own(file, chosen, sized) for file in files]
    for source in sources:
        for capacity in source.capacities:
            source.capacity(capacity.text)
    return sources


def _own(path: Path, options: Options, sized: bool) -> Source:
    from unseat.tasks.cache.data.readers import open_trace

    @cache
    def read() -> RawTrace:
        raw = open_trace(path, options.format, limit=options.requests, key_column=options.key, size_column=options.size)
        if sized and raw.sizes is None:
            raise UserError(f"{path}: no sizes in this trace; use task `cache`, or name their column with --size")
        return raw

    warm_up = share(options.warmup, "--warmup")
    return Source(
        path.name, path.name, "test", frozenset({"quick", "full"}), read, lambda: read().content_hash(),
        capacities(options.capacity), warm_up, sized,
    )  # fmt: skip


SPLITS: Mapping[str, Split] = {
    "lirs": "train", "address": "train", "synthetic-drift": "train", "synthetic-scan": "train",
    "synthetic-loop": "train", "perl": "train", "binary": "train", "duckdb": "train", "sqlite": "valid",
    "packages": "valid", "synthetic-churn": "valid", "synthetic-phases": "valid",
}  # fmt: skip
"""Splits of groups that are not for testing. To choose by: a database, a package manager, objects that come and go,
and a mix of all that the generators make, so that no one kind of request decides what the best incumbent is."""

QUICK = frozenset({
    "compiler-c", "packages", "postgres-star", "python-imports", "rocksdb-latest", "source-search", "sqlite-orders",
    "binary-tools", "compiler-c-files", "packages-files", "python-imports-files", "source-search-files",
})  # fmt: skip
"""Embedded traces whose beginnings make the quick suite with those of the generated ones: one of each group that has
enough objects for its small capacities."""

QUICK_REQUESTS = 50_000
QUICK_SHARES = "2%,10%"

SYNTHETIC: tuple[tuple[Kind, int], ...] = (("drift", 1), ("scan", 2), ("loop", 3), ("churn", 4), ("phases", 5))
"""Kinds and seeds of the generated traces; each kind is a group."""


def built_in(sized: bool) -> list[Source]:
    """The traces of the suites: all of them in the full one, only the beginnings of some in the quick one."""
    from unseat.tasks.cache.data import embedded, published

    entries = [entry for entry in (*embedded(), *published()) if entry.sized == sized]
    whole = [*map(_entry, entries), *(_generated(kind, seed, sized) for kind, seed in SYNTHETIC)]
    quick = QUICK | {kind for kind, _ in SYNTHETIC}
    return [*(_beginning(source) for source in whole if source.name in quick), *whole]


def _beginning(whole: Source) -> Source:
    name, suites = f"{whole.name}-{QUICK_REQUESTS // 1000}k", frozenset({"quick", "full"})
    return replace(
        whole, name=name, suites=suites, requests=QUICK_REQUESTS, capacities=capacities(QUICK_SHARES), between=()
    )


def _entry(entry: TraceEntry) -> Source:
    split = SPLITS.get(entry.group, "test")
    # A trace that is cut has at most as many objects as the whole: its small capacities are seen when it is read.
    between = [c for c in capacities(BETWEEN_SHARES) if split == "test"]
    chosen, more = (
        [c for c in shares if entry.sized or (c.share or 0) * entry.objects >= LEAST]
        for shares in (capacities(SUITE_SHARES), between)
    )
    return Source(
        entry.name, entry.group, split, frozenset({"full"}), partial(entry.load, SUITE_REQUESTS),
        lambda: entry.content_hash, chosen, SUITE_WARM_UP, entry.sized, SUITE_REQUESTS, more,
    )  # fmt: skip


def _generated(kind: Kind, seed: int, sized: bool) -> Source:
    from unseat.tasks.cache.generators import generate

    group = f"synthetic-{kind}"
    made = partial(generate, kind, 100_000, 8_000, seed, sizes="lognormal" if sized else None)
    return Source(
        kind, group, SPLITS[group], frozenset({"full"}), made, lambda: f"{kind} {seed} {sized}",
        capacities(SUITE_SHARES), SUITE_WARM_UP, sized,
    )  # fmt: skip
