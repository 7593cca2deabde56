"""Which keys the suites hold, in which split, and at which budgets; and a person's own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from unseat.core.errors import UserError
from unseat.core.task import Instance, Split
from unseat.tasks.index import embedded, generators
from unseat.tasks.index.options import Budget, Options, budgets, enough
from unseat.tasks.index.problem import KeySet

Keys = NDArray[Any]

SUITE_BUDGETS = "0.01%,0.1%,1%,10%"
QUICK_BUDGETS = "1%,10%"
FULL_KEYS, LEARNING_KEYS, QUICK_KEYS = 10_000_000, 1_000_000, 200_000
FULL_LOOKUPS, QUICK_LOOKUPS = 100_000, 15_000

SPLITS: Mapping[str, Split] = {
    "normal": "train", "lines": "train", "lognormal": "valid", "zones": "valid", "uniform": "test", "books": "test",
    "adversarial": "test", "files": "test", "symbols": "test", "calls": "test", "names": "test",
}  # fmt: skip
"""Splits of the groups: to learn from and to choose by there is a smooth set and a recorded one each."""

QUICK = frozenset({
    "normal", "line-offsets", "lognormal", "zone-changes", "uniform", "books", "adversarial", "file-sizes",
    "symbol-addresses", "call-times", "python-names",
})  # fmt: skip
"""One set of each group."""


@dataclass(frozen=True, eq=False)
class Source:
    """A key set, and the instances made of it.

    Attributes:
        name: Its name; the instances' series.
        count: How many keys.
        width: Bytes of a key.
        read: Gives the keys, sorted.
        digest: Gives a hash of the content without reading more than needed.
        budgets: One instance each.
        lookups: Lookups in each timed pass.
        original: The keys as a person gave them, sorted or not, where they did.
    """

    name: str
    group: str
    split: Split
    suites: frozenset[str]
    count: int
    width: int
    read: Callable[[], Keys]
    digest: Callable[[], str]
    budgets: Sequence[Budget]
    lookups: int
    original: Keys | None = None

    def instances(self) -> Iterator[Instance]:
        """One instance a budget."""
        for budget in self.budgets:
            facts = {"budget": budget.text, "lookups": self.lookups}
            name = f"{self.name}@{budget.text}"
            yield Instance(name, self.group, self.split, budget.share, self.name, 1.0, self.suites, facts)

    def keys(self) -> KeySet:
        """The keys; the last few sets are kept."""
        return _read(self)

    def budget(self, text: str) -> int:
        """A budget in bytes."""
        return next(budget for budget in self.budgets if budget.text == text).of(self.count * self.width)


@lru_cache(maxsize=3)
def _read(source: Source) -> KeySet:
    return KeySet(prepared(source.read(), source.name)[0])


def prepared(keys: Keys, where: str) -> tuple[Keys, bool]:
    """Keys as kernels take them, sorted, and whether they had to be sorted for that.

    Texts become their codes: the model's part of finding them (see `unseat.structures.strings`).

    Raises:
        UserError: They are of no type that has an order here, or one is NaN.
    """
    from unseat.structures.admission import admit_numbers, first_disorder
    from unseat.structures.strings import admit_texts, shared_prefix, text_codes

    if keys.dtype.kind == "S":
        ordered = np.sort(keys)
        texts = admit_texts(ordered, "bytes", where)
        return text_codes(texts, shared_prefix(texts)), not np.array_equal(ordered, keys)
    admitted = admit_numbers(keys, f"{where}: keys")[1]
    if first_disorder(admitted) < 0:
        return admitted, False
    return np.sort(admitted), True


def opened(source: str, options: Mapping[str, Any]) -> list[Source]:
    """A person's own keys, or a published set by its name: all are for testing.

    Raises:
        UserError: An option or a file is wrong.
    """
    try:
        chosen = Options(**options)
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(f"--{first['loc'][0]}: {first['msg']}") from error
    published = embedded.published()
    path = Path(source)
    if not path.exists() and source in published:
        from unseat.data import locate

        path = locate(published[source].file)
    return [_own(path, chosen)]


def _own(path: Path, options: Options) -> Source:
    from unseat.tasks.index.readers import read_keys

    original = read_keys(path, options)
    keys, was_sorted = prepared(original, str(path))
    if was_sorted:
        _say_once(f"{path}: the keys are not sorted; a sorted copy is used")
    if options.keys is not None and len(keys) > options.keys:
        places = np.linspace(0, len(keys) - 1, options.keys).astype(np.int64)
        original, keys = np.sort(original)[places], np.ascontiguousarray(keys[places])
    shares = budgets(options.memory or SUITE_BUDGETS)
    if options.memory is None:
        # However few the keys are, they are measured at one budget.
        shares = enough(shares, keys.nbytes) or shares[-1:]
    return Source(
        path.name, path.name, "test", frozenset({"quick", "full"}), len(keys), keys.itemsize, lambda: keys,
        KeySet(keys).digest, shares, options.lookups, original,
    )  # fmt: skip


@lru_cache
def _say_once(line: str) -> None:
    """A warning, however often the same file is opened."""
    logging.getLogger("unseat").warning(line)


def built_in() -> list[Source]:
    """The sets of the suites: whole ones in the full suite, small ones in the quick suite."""
    sources = []
    for name in generators.names():
        size = FULL_KEYS if SPLITS[name] == "test" else LEARNING_KEYS
        if name in QUICK:
            sources.append(_generated(name, QUICK_KEYS, QUICK_BUDGETS, QUICK_LOOKUPS, frozenset({"quick", "full"})))
        sources.append(_generated(name, size, SUITE_BUDGETS, FULL_LOOKUPS, frozenset({"full"})))
    for entry in embedded.entries().values():
        whole = _recorded(entry)
        sources.append(whole)
        if entry.name in QUICK:
            quick = budgets(QUICK_BUDGETS)
            sources[-1:] = [_only(whole, quick, frozenset({"quick", "full"})), _without(whole, quick)]
    return [source for source in sources if source.budgets]


def _only(whole: Source, shares: Sequence[Budget], suites: frozenset[str]) -> Source:
    return replace(whole, suites=suites, budgets=[one for one in whole.budgets if one in shares])


def _without(whole: Source, shares: Sequence[Budget]) -> Source:
    return replace(whole, budgets=[one for one in whole.budgets if one not in shares])


def _generated(name: str, size: int, shares: str, lookups: int, suites: frozenset[str]) -> Source:
    told = f"{size // 1_000_000}M" if size >= 1_000_000 else f"{size // 1000}k"
    return Source(
        f"{name}-{told}", name, SPLITS[name], suites, size, 8, partial(generators.generate, name, size),
        lambda: f"{name} {size} 0", enough(budgets(shares), 8 * size), lookups,
    )  # fmt: skip


def _recorded(entry: embedded.Entry) -> Source:
    count = entry.details.keys
    return Source(
        entry.name, entry.group, SPLITS[entry.group], frozenset({"full"}), count, 8, partial(embedded.load, entry.name),
        lambda: entry.file.hash[1], enough(budgets(SUITE_BUDGETS), 8 * count), QUICK_LOOKUPS,
    )  # fmt: skip
