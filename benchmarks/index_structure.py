"""LearnedIndex beside every plain search, over key sets and sizes: `python -m benchmarks.index_structure`.

One thread. Each round answers the same lookups, half present and half absent (uniform in a gap between two keys), once
with every contender, in turn; a contender's best round counts. The incumbents get the bytes that the index gets, a
tenth of the keys'; so Eytzinger's layout, which is a copy of the keys, is out of the budget (`index_lookup` has it).
Texts are looked up in a list, beside `bisect`, and in an array of type S, beside `numpy.searchsorted`. Few queries a
call, drawn anew for each, are compared with `numpy.searchsorted`, Python's loop over the calls included; one text a
call with `bisect`, which is printed but has no target: `bisect` is the tool for that. Exits with 1 where `LearnedIndex`

- takes more than 1.1 times the best incumbent's time, on any set of any size, adversarial ones included,
- takes more than 1.1 times as long for texts as `bisect` on a list or `numpy.searchsorted` on an array,
- takes more than 1.1 times as long for 1 or 16 queries a call as `numpy.searchsorted`,
- is less than 15 times faster than `numpy.searchsorted` at 10 million keys,
- takes more than 60 ns a key to build at 10 million keys, the choice of a structure included,
- takes 50 ms or more to open from a file of 10 million keys.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.index_lookup import absent
from numpy.typing import NDArray

from unseat.structures import LearnedIndex, interpolation, radix_table, search, static_btree
from unseat.structures.learned_index import Side
from unseat.structures.locator import Build, OverBudget
from unseat.structures.selection import LEAST_BYTES
from unseat.tasks.index import embedded, generators

SIZES = (100, 10_000, 1_000_000, 10_000_000)
LARGE = 10_000_000
LOOKUPS = 1_000_000
ROUNDS = 7
TEXTS, CALLS, FEW = 100_000, 2_000, (1, 16)
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
    """Random keys, and as many values between two, shuffled; keys only where there is no room between any two."""
    random = np.random.default_rng(1)
    queries = random.choice(keys, LOOKUPS)
    between = absent(keys, LOOKUPS // 2, random)
    queries[: len(between)] = between
    random.shuffle(queries)
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
    for contender, work in contenders.items():
        assert (work() == expected).all(), f"{contender} answers wrongly on {name}"
    times = interleaved(contenders, LOOKUPS)
    some = queries[: LOOKUPS // 10]
    numpy = min(clock(partial(np.searchsorted, keys, some)) for _ in range(3)) / len(some)
    best = min((each for each in times if each != "index"), key=times.__getitem__)
    path = folder / "index"
    index.save(path)
    load = min(_load_ms(path) for _ in range(5))
    return Row(name, len(keys), build / len(keys), times["index"], index._state.choice.locator.name, times[best], best,
               numpy, load)  # fmt: skip


def interleaved(contenders: Mapping[str, Callable[[], Any]], count: int) -> dict[str, float]:
    """Nanoseconds of each for one of `count` lookups: the best of rounds in turn."""
    times: dict[str, float] = {}
    for turn in range(ROUNDS):
        order = list(contenders)
        for name in order[turn % len(order) :] + order[: turn % len(order)]:
            taken = clock(contenders[name]) / count
            times[name] = min(taken, times.get(name, taken))
    return times


def texts() -> dict[str, list[bytes]]:
    """Sorted texts: recorded names, random ones that differ early, and addresses that differ late."""
    random = np.random.default_rng(2)
    numbers = random.integers(0, 10**8, 100_000).tolist()
    urls = {b"https://%s.example.com/articles/2024/%d" % (host, n) for host in (b"www", b"cdn") for n in numbers}
    words = {random.bytes(8).hex().encode() for _ in range(200_000)}
    return {"python-names": embedded.load("python-names").tolist(), "hex words": sorted(words), "urls": sorted(urls)}


def missing(text: bytes, random: np.random.Generator) -> bytes:
    """A text that is no key as a rule, and differs from one somewhere in its last half."""
    place = int(random.integers(len(text) // 2, len(text)))
    return text[:place] + bytes([random.integers(33, 127)])


def measure_texts(name: str, keys: list[bytes]) -> list[str]:
    """Print what texts take, and say which targets are missed."""
    random = np.random.default_rng(3)
    drawn = [keys[i] for i in random.integers(0, len(keys), TEXTS).tolist()]
    asked = [missing(text, random) if i % 2 else text for i, text in enumerate(drawn)]
    strings, queries = [key.decode() for key in keys], [query.decode() for query in asked]
    array, packed = np.array(keys), np.array(asked)
    of_list, of_array = LearnedIndex(strings), LearnedIndex(array)
    expected = [bisect_left(keys, query) for query in asked]
    assert of_list.search(queries).tolist() == of_array.search(packed).tolist() == expected
    times = interleaved(
        {
            "list": partial(of_list.search, queries),
            "bisect": lambda: [bisect_left(strings, query) for query in queries],
            "array": partial(of_array.search, packed),
            "searchsorted": partial(np.searchsorted, array, packed),
            "one a call": lambda: [of_list.search(query) for query in queries[:CALLS]],
        },
        TEXTS,
    )
    one = times["one a call"] * TEXTS / CALLS
    print(f"{name:<16}{len(keys):>12,}  list {times['list']:.0f} ns, bisect {times['bisect']:.0f} ns; "
          f"array {times['array']:.0f} ns, numpy {times['searchsorted']:.0f} ns; one a call {one:.0f} ns; "
          f"{of_list.nbytes / of_list._state.base.nbytes:.2f} of the keys' bytes", flush=True)  # fmt: skip
    pairs = (("list", "bisect"), ("array", "searchsorted"))
    return [f"{name}: {times[index] / times[rival]:.2f} of {rival}"
            for index, rival in pairs if times[index] > MOST_RATIO * times[rival]]  # fmt: skip


def measure_calls(dtype: str, count: int, side: Side) -> list[str]:
    """Print what calls of few queries take, and say which targets are missed."""
    keys = generators.generate("uniform", 1_000_000).astype(dtype)
    index = LearnedIndex(keys)
    batches = np.split(lookups(keys)[: CALLS * count], CALLS)
    for batch in batches:
        assert (index.search(batch, side) == np.searchsorted(keys, batch, side)).all()
    times = interleaved(
        {
            "index": lambda: [index.search(batch, side) for batch in batches],
            "numpy": lambda: [np.searchsorted(keys, batch, side) for batch in batches],
        },
        CALLS,
    )
    ratio = times["index"] / times["numpy"]
    what = f"{count} {dtype} a call, {side}"
    print(f"{what:<28}{times['index']:.0f} ns a call, numpy {times['numpy']:.0f} ns: {ratio:.2f}", flush=True)
    return [f"{what}: {ratio:.2f} of numpy.searchsorted"] if ratio > MOST_RATIO else []


def measure_rest() -> list[str]:
    """Texts and small calls; the targets missed."""
    missed = [miss for name, keys in texts().items() for miss in measure_texts(name, keys)]
    sides: tuple[Side, Side] = ("left", "right")
    for dtype in ("u8", "f8"):
        for count in FEW:
            for side in sides:
                missed += measure_calls(dtype, count, side)
    return missed


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
    missed += measure_rest()
    print("\n".join(["", *(f"missed: {line}" for line in missed)] if missed else ["", "every target is met"]))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
