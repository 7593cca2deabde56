"""LearnedIndex beside every plain search, over key sets and sizes: `python benchmarks/index_structure.py`.

One thread. Each round answers the same lookups, half present and half absent, once with every contender, in turn; a
contender's best round counts. The incumbents get the bytes that the index gets. Exits with 1 where `LearnedIndex`

- takes more than 1.1 times the best incumbent's time, on any set of any size, adversarial ones included,
- is less than 15 times faster than `numpy.searchsorted` at 10 million keys,
- takes more than 60 ns a key to build at 10 million keys, the choice of a structure included,
- takes 50 ms or more to open from a file of 10 million keys.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.structures import LearnedIndex, interpolation, radix_table, search, static_btree
from unseat.structures.locator import Build, OverBudget
from unseat.structures.selection import LEAST_BYTES
from unseat.tasks.index import embedded, generators

SIZES = (100, 10_000, 1_000_000, 10_000_000)
LARGE = 10_000_000
LOOKUPS = 1_000_000
ROUNDS = 7
MOST_RATIO, LEAST_TIMES, MOST_BUILD_NS, MOST_LOAD_MS = 1.1, 15.0, 60.0, 50.0
INCUMBENTS: dict[str, Build] = {
    "plain": search.plain,
    "branchless": search.branchless,
    "interleaved": search.interleaved,
    "interpolation": interpolation.build,
    "B+-tree": static_btree.build,
    "radix table": radix_table.build,
}


@dataclass(frozen=True)
class Row:
    """What one set of one size gave, nanoseconds."""

    name: str
    keys: int
    build: float
    index: float
    chosen: str
    incumbent: float
    best: str
    numpy: float
    load_ms: float

    @property
    def ratio(self) -> float:
        """Time of the index over that of the best incumbent."""
        return self.index / self.incumbent

    def misses(self) -> list[str]:
        """The targets that this row misses."""
        missed = [f"{self.ratio:.2f} of {self.best}"] if self.ratio > MOST_RATIO else []
        if self.keys >= LARGE:
            if self.numpy < LEAST_TIMES * self.index:
                missed.append(f"{self.numpy / self.index:.1f} x numpy")
            if self.build > MOST_BUILD_NS:
                missed.append(f"built in {self.build:.0f} ns a key")
            if self.load_ms >= MOST_LOAD_MS:
                missed.append(f"opened in {self.load_ms:.0f} ms")
        return missed


def clock(work: Callable[[], Any]) -> float:
    """Nanoseconds of processor time that a call takes."""
    start = time.thread_time_ns()
    work()
    return time.thread_time_ns() - start


def lookups(keys: NDArray[Any]) -> NDArray[Any]:
    """Random keys, and as many values that are no keys or next to one, shuffled."""
    random = np.random.default_rng(1)
    queries = random.choice(keys, LOOKUPS)
    absent = queries[::2]
    if keys.dtype.kind == "f":
        absent[:] = np.nextafter(absent, np.inf)
    else:
        absent += (absent < np.iinfo(keys.dtype).max).astype(keys.dtype)
    return queries


def measure(name: str, keys: NDArray[Any], folder: Path) -> Row:
    """One set: build, save, load, and all contenders in turn."""
    LearnedIndex(keys[: 1 << 13])  # compiled
    build = min(clock(partial(LearnedIndex, keys)) for _ in range(2 if len(keys) >= LARGE else 3))
    index = LearnedIndex(keys)
    queries = lookups(keys)
    contenders: dict[str, Callable[[], NDArray[np.int64]]] = {"index": partial(index.search, queries)}
    for each, builder in INCUMBENTS.items():
        try:
            locator = builder(keys, max(keys.nbytes // 10, LEAST_BYTES))
        except OverBudget:
            continue
        contenders[each] = partial(locator.lower_bound, keys, queries)
    expected = np.searchsorted(keys, queries)
    times: dict[str, float] = {}
    for contender, work in contenders.items():
        assert (work() == expected).all(), f"{contender} answers wrongly on {name}"
    for turn in range(ROUNDS):
        order = list(contenders)
        for contender in order[turn % len(order) :] + order[: turn % len(order)]:
            taken = clock(contenders[contender]) / LOOKUPS
            times[contender] = min(taken, times.get(contender, taken))
    some = queries[: LOOKUPS // 10]
    numpy = min(clock(partial(np.searchsorted, keys, some)) for _ in range(3)) / len(some)
    best = min((each for each in times if each != "index"), key=times.__getitem__)
    path = folder / "index"
    index.save(path)
    load = min(_load_ms(path) for _ in range(5))
    return Row(name, len(keys), build / len(keys), times["index"], index._state.choice.locator.name, times[best], best,
               numpy, load)  # fmt: skip


def _load_ms(path: Path) -> float:
    start = time.perf_counter_ns()
    LearnedIndex.load(path)
    return (time.perf_counter_ns() - start) / 1e6


def sets(sizes: Sequence[int]) -> list[tuple[str, Callable[[], NDArray[Any]]]]:
    """All sets as makers, so that one is in memory at a time: the generated ones at each size, the real ones as are."""
    made: list[tuple[str, Callable[[], NDArray[Any]]]] = [
        (name, partial(generators.generate, name, size)) for size in sizes for name in generators.names()
    ]
    return made + [(name, partial(embedded.load, name)) for name in embedded.names()]


def main() -> int:
    """Measure, print, and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    sizes: Sequence[int] = parser.parse_args().sizes
    print(
        f"{'set':<16}{'keys':>12}{'build':>9}{'load':>9}{'index':>9}{'best':>9}{'ratio':>7}{'numpy':>9}  chosen / best"
    )
    missed: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, make in sets(sizes):
            keys = make()
            if keys.dtype.kind not in "iuf":
                continue
            row = measure(name, keys, Path(folder))
            print(f"{row.name:<16}{row.keys:>12,}{row.build:>6.1f} ns{row.load_ms:>6.1f} ms{row.index:>6.1f} ns"
                  f"{row.incumbent:>6.1f} ns{row.ratio:>7.2f}{row.numpy:>6.0f} ns  {row.chosen} / {row.best}",
                  flush=True)  # fmt: skip
            missed += [f"{row.name}, {row.keys:,} keys: {miss}" for miss in row.misses()]
    print("\n".join(["", *(f"missed: {line}" for line in missed)] if missed else ["", "every target is met"]))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
