"""Nanoseconds a lookup of every index on every key set: `python -m benchmarks.index_lookup [--keys N ...] [--share S]`.

Each set is looked up by a million random keys that it has and a million that it has not (between its keys, at random).
All contenders of a set run in one process on one thread, in rounds of shuffled order; CPU time counts, and the median
round. Those that need more than `SLOW` nanoseconds take part in the first rounds only. The answers of the timed runs
are compared with those of `numpy.searchsorted`. A structure may hold a share of the key bytes besides the keys, a tenth
by default; "any size" also admits those that hold more, such as layouts that copy the keys. The floor is one read of
the key array a query (`unseat.structures.memory_floor`).

Exits with 1 if an answer is wrong; or if, over the generated sets that are not adversarial, the best challenger is not
twice as fast in the geometric mean as the best incumbent within the budget, or `LearnedIndex` anywhere among them less
than 15 times as fast as `numpy.searchsorted`. The embedded sets have means of their own: they are small.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from statistics import geometric_mean, median
from time import perf_counter, thread_time_ns
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.structures.locator import Locator, OverBudget
from unseat.tasks.index import embedded, generators

ROUNDS, SLOW_ROUNDS, SLOW = 7, 2, 150.0
MEAN, OVER_NUMPY = 2.0, 15.0
FLOOR, NUMPY, LEARNED = "memory floor", "numpy.searchsorted", "LearnedIndex"

# name: module in unseat.structures, function, parameters, whether the budget counts
INCUMBENTS: Mapping[str, tuple[str, str, Mapping[str, Any], bool]] = {
    NUMPY: ("search", "numpy_searchsorted", {}, True),
    "binary search, plain": ("search", "plain", {}, True),
    "binary search, branchless": ("search", "branchless", {}, True),
    "binary search, interleaved": ("search", "interleaved", {}, True),
    "interpolation search": ("interpolation", "build", {"form": "sequential"}, True),
    "interpolation, three points": ("interpolation", "build", {"form": "three points"}, True),
    "interpolation, interleaved": ("interpolation", "build", {"form": "interleaved"}, True),
    "static B+-tree": ("static_btree", "build", {}, True),
    "radix table": ("radix_table", "build", {}, True),
    "static B+-tree, 1 line": ("static_btree", "build", {"lines": 1}, False),
    "radix table, any size": ("radix_table", "build", {}, False),
    "eytzinger": ("eytzinger", "build", {}, False),
}
CHALLENGERS: Mapping[str, tuple[str, str, Mapping[str, Any], bool]] = {
    "RMI, counting leaves": ("rmi", "build", {"leaf": "counts"}, True),
    "RMI, spline leaves": ("rmi", "build", {"leaf": "spline"}, True),
    "RMI, regression leaves": ("rmi", "build", {"leaf": "regression"}, True),
    "PGM-index": ("pgm", "build", {}, True),
    "RadixSpline": ("radix_spline", "build", {}, True),
    "tuner's choice": ("tuner", "build", {}, True),
}


@dataclass
class Contender:
    """One index on one set.

    Attributes:
        name: As in the tables above.
        role: bound, incumbent, challenger or product.
        nbytes: What it holds besides the keys.
        build_ns: Nanoseconds a key that building took, wall time.
        find: Writes the answers for queries.
        times: Of each round, nanoseconds a lookup.
        config: How it was built.
        wrong: Whether a timed run gave a wrong answer.
    """

    name: str
    role: str
    nbytes: int
    build_ns: float
    find: Callable[[NDArray[Any], NDArray[np.int64]], None]
    times: list[float]
    config: str = ""
    wrong: bool = False

    @property
    def ns(self) -> float:
        """The median round."""
        return median(self.times)


@dataclass(frozen=True)
class Row:
    """What the summary says of one set, in nanoseconds a lookup."""

    name: str
    counts: bool
    floor: float
    within: Contender
    any_size: Contender
    challenger: Contender | None
    numpy: float
    learned: float | None


def absent(keys: NDArray[Any], count: int, rng: np.random.Generator) -> NDArray[Any]:
    """Queries that lie strictly between two neighbours, at a random place; none if no neighbours leave room."""
    at = rng.integers(0, max(len(keys) - 1, 1), 4 * count)
    low, high = keys[at], keys[np.minimum(at + 1, len(keys) - 1)]
    if keys.dtype.kind == "f":
        drawn = low + (high - low) * rng.random(len(at)).astype(keys.dtype)
        found: NDArray[Any] = drawn[(drawn > low) & (drawn < high)]
        return found[:count]
    words = np.dtype(f"u{keys.itemsize}")
    gap = high.view(words) - low.view(words)
    low, gap = low[gap > 1], gap[gap > 1]
    drawn = rng.integers(0, np.iinfo(words).max, len(gap), words, endpoint=True)
    found = (low.view(words) + words.type(1) + drawn % (gap - words.type(1))).view(keys.dtype)
    return found[:count]


def contenders(keys: NDArray[Any], budget: int) -> Iterator[Contender]:
    """Every index on these keys; says of one that cannot be built why."""
    few = keys[:: 1 + len(keys) // 1000].copy()
    floor = import_module("unseat.structures.memory_floor").build(keys)
    yield Contender(FLOOR, "bound", 0, 0.0, partial(_run, floor, keys), [])
    for role, table in (("incumbent", INCUMBENTS), ("challenger", CHALLENGERS)):
        for name, (module, function, parameters, limited) in table.items():
            try:
                build = getattr(import_module(f"unseat.structures.{module}"), function)
                build(few, None, **parameters)  # compiles
                start = perf_counter()
                locator = build(keys, budget if limited else None, **parameters)
            except (ImportError, AttributeError, OverBudget) as error:
                print(f"  {name}: left out ({error})")
                continue
            took = (perf_counter() - start) * 1e9 / len(keys)
            config = ", ".join(f"{key} {value}" for key, value in locator.config.items())
            yield Contender(name, role, locator.nbytes, took, partial(_run, locator, keys), [], config)
    try:
        learned = import_module("unseat.structures").LearnedIndex
    except ImportError as error:
        print(f"  {LEARNED}: left out ({error})")
        return
    learned(few)
    start = perf_counter()
    index = learned(keys, budget=budget / keys.nbytes)
    took = (perf_counter() - start) * 1e9 / len(keys)
    yield Contender(LEARNED, "product", int(index.nbytes), took, partial(_search, index), [], _how(index))


def _how(index: Any) -> str:
    """What a `LearnedIndex` searches with."""
    return str(index.explain()).splitlines()[1]


def _run(locator: Locator, keys: NDArray[Any], queries: NDArray[Any], out: NDArray[np.int64]) -> None:
    locator.run(keys, queries, out, *locator.arrays)


def _search(index: Any, queries: NDArray[Any], out: NDArray[np.int64]) -> None:
    out[:] = index.search(queries, side="left")


def measure(name: str, keys: NDArray[Any], lookups: int, share: float, counts: bool) -> Row:
    """Time all contenders on one set, print its table, and give its line of the summary."""
    rng = np.random.default_rng(1)
    print(f"\n{name}: {len(keys):,} keys of {keys.dtype}")
    batches = [keys[rng.integers(0, len(keys), lookups)], absent(keys, lookups, rng)]
    batches = [batch for batch in batches if len(batch)]
    answers = [np.searchsorted(keys, batch) for batch in batches]
    out = np.zeros(lookups, np.int64)
    budget = int(share * keys.nbytes)
    field = list(contenders(keys, budget))
    for contender in field:
        contender.find(batches[0][:1000], out[:1000])  # compiles, and reads what was just built
    for turn in range(ROUNDS):
        for place in rng.permutation(len(field)):
            contender = field[place]
            if turn < SLOW_ROUNDS or contender.ns < SLOW:
                _time(contender, batches, answers, out)
    for contender in field:
        print(
            f"  {contender.name:28}{contender.role:11}{contender.ns:9.1f} ns{contender.nbytes / keys.nbytes:10.3%}"
            f"{contender.build_ns:8.1f} ns/key  {contender.config}{'  WRONG' if contender.wrong else ''}"
        )
    return _summarise(f"{name}, {len(keys):,}", field, budget, counts)


def _time(
    contender: Contender, batches: list[NDArray[Any]], answers: list[NDArray[np.int64]], out: NDArray[np.int64]
) -> None:
    """One round of one contender: all batches, weighed alike; notes a wrong answer."""
    times = []
    for batch, answer in zip(batches, answers, strict=True):
        mine = out[: len(batch)]
        mine[:] = -1
        start = thread_time_ns()
        contender.find(batch, mine)
        times.append((thread_time_ns() - start) / len(batch))
        if contender.name != FLOOR and not np.array_equal(mine, answer):
            contender.wrong = True
    contender.times.append(sum(times) / len(times))


def _summarise(name: str, field: list[Contender], budget: float, counts: bool) -> Row:
    """The best of each kind; one whose answers are wrong is none."""
    if any(contender.wrong for contender in field):
        raise SystemExit(f"{name}: wrong answers, see above")
    by_name = {contender.name: contender for contender in field}
    incumbents = [contender for contender in field if contender.role == "incumbent"]
    challengers = [contender for contender in field if contender.role == "challenger"]
    speed = lambda contender: contender.ns  # noqa: E731
    return Row(
        name,
        counts,
        by_name[FLOOR].ns,
        min((contender for contender in incumbents if contender.nbytes <= budget), key=speed),
        min(incumbents, key=speed),
        min(challengers, key=speed, default=None),
        by_name[NUMPY].ns,
        by_name[LEARNED].ns if LEARNED in by_name else None,
    )


def verdict(rows: list[Row]) -> bool:
    """Print the summary; whether the targets are reached."""
    print(
        f"\n{'set':32}{'floor':>7}{'incumbent':>11}{'any size':>10}{'challenger':>12}{'ratio':>7}{'any':>7}"
        f"{'Learned':>9}{'numpy':>9}{'ratio':>7}  winners"
    )
    for row in rows:
        best = row.challenger
        print(
            f"{row.name:32}{row.floor:7.1f}{row.within.ns:11.1f}{row.any_size.ns:10.1f}"
            + (f"{best.ns:12.1f}{row.within.ns / best.ns:7.2f}{row.any_size.ns / best.ns:7.2f}" if best else " " * 26)
            + (f"{row.learned:9.1f}{row.numpy:9.1f}{row.numpy / row.learned:7.1f}" if row.learned else " " * 25)
            + f"  {row.within.name}; {row.any_size.name}; {best.name if best else 'no challenger'}"
        )
    fine = False
    for label, part in (("generated", [row for row in rows if row.counts]), ("embedded", _embedded(rows))):
        gains = [row.within.ns / row.challenger.ns for row in part if row.challenger]
        anyhow = [row.any_size.ns / row.challenger.ns for row in part if row.challenger]
        over = [row.numpy / row.learned for row in part if row.learned]
        if not gains:
            continue
        print(
            f"{label} sets that are not adversarial: best challenger over best incumbent {geometric_mean(gains):.2f}x "
            f"within the budget, {geometric_mean(anyhow):.2f}x of any size; floor over best incumbent "
            f"{geometric_mean([row.within.ns / row.floor for row in part]):.2f}x"
        )
        if over:
            print(f"  {LEARNED} over {NUMPY}: {geometric_mean(over):.1f}x, least {min(over):.1f}x")
        if label == "generated":
            fine = geometric_mean(gains) >= MEAN and bool(over) and min(over) >= OVER_NUMPY
    print(f"targets: {MEAN}x and {OVER_NUMPY:.0f}x: {'reached' if fine else 'MISSED'}")
    return fine


def _embedded(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row.name.startswith("embedded ")]


def key_sets(sizes: list[int]) -> Iterator[tuple[str, NDArray[Any], bool]]:
    """Name, keys, and whether the set counts for the targets; one is made when asked for, as large ones fill memory."""
    for size in sizes:
        for name in generators.names():
            yield name, generators.generate(name, size), name != "adversarial"
    for name in embedded.names():
        keys = np.asarray(embedded.load(name))
        if keys.dtype.kind in "uif":
            yield f"embedded {name}", keys, False


def main() -> int:
    """Measure all sets, or a few small ones with ``--quick``."""
    parser = argparse.ArgumentParser(description="Nanoseconds a lookup of every index on every key set")
    parser.add_argument("--keys", type=int, nargs="+", default=[10_000_000, 50_000_000], help="keys a generated set")
    parser.add_argument("--lookups", type=int, default=1_000_000, help="queries of each kind")
    parser.add_argument("--share", type=float, default=0.1, help="of the key bytes, that an index may hold besides")
    parser.add_argument("--quick", action="store_true", help="a million keys: shows that all runs, decides nothing")
    chosen = parser.parse_args()
    sizes, lookups = ([1_000_000], 200_000) if chosen.quick else (chosen.keys, chosen.lookups)
    rows = [measure(name, keys, lookups, chosen.share, counts) for name, keys, counts in key_sets(sizes)]
    return 0 if verdict(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
