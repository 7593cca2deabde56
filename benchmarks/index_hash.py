"""Conflicts and nanoseconds a probe of learned hash functions beside good ones, on every set of `index-hash`.

    python -m benchmarks.index_hash [--keys N]

Per set and function: the share of keys that share a slot (as many slots as keys), keys that collide one by one and
empty slots as in Kraska et al. 2018, section 4; then probes and CPU nanoseconds for present and absent keys in a
chained table at load 1, linear probing at 0.7 and cuckoo buckets of four at 0.9. All tables of a kind are built first
and their lookups timed in turn. Exit status 0: this measures, it has no target.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from unseat.structures.hashing import tables
from unseat.structures.hashing.functions import FUNCTIONS, HashFunction, murmur
from unseat.structures.hashing.learned import MODELS
from unseat.structures.hashing.measure import spread
from unseat.structures.hashing.tables import Table, TableFull
from unseat.tasks.index import embedded, generators
from unseat.tasks.index.hashes.problem import CUCKOO_LOAD, LINEAR_LOAD, SECOND_SEED, Problem
from unseat.tasks.index.hashes.suites import coded, sequential

Words = NDArray[np.uint64]
SHARES = (0.001, 0.01, 0.1)
LOOKUPS, PASSES = 200_000, 3


def functions(keys: Words) -> Mapping[str, HashFunction]:
    """Good functions, and learned ones of several sizes."""
    found = {name: make(1) for name, make in FUNCTIONS.items()}
    for model, make in MODELS.items():
        found |= {f"{model} {share:.1%}": make(keys, int(share * keys.nbytes)) for share in SHARES}
    return found


def table(kind: str, keys: Words, function: HashFunction) -> Table | None:
    """A table of that kind; None where the keys do not go in."""
    values = np.arange(len(keys))
    try:
        if kind == "chained":
            return tables.chained(keys, values, function, 1.0)
        if kind == "linear":
            return tables.linear(keys, values, function, LINEAR_LOAD)
        return tables.cuckoo(keys, values, function, murmur(SECOND_SEED), CUCKOO_LOAD)
    except TableFull:
        return None


def probed(kind: str, keys: Words, all_functions: Mapping[str, HashFunction]) -> dict[str, str]:
    """Probes and nanoseconds of present and absent keys, as text for each function."""
    built = {name: table(kind, keys, function) for name, function in all_functions.items()}
    lines = {name: [] if one else ["full"] for name, one in built.items()}
    for queries in Problem(keys, 1.0, LOOKUPS).queries(0):
        took: dict[str, list[float]] = {name: [] for name, one in built.items() if one}
        looked = {}
        for _ in range(PASSES):
            for name, one in built.items():
                if one and len(queries):
                    began = time.thread_time_ns()
                    _, looked[name] = one.lookup(queries)
                    took[name].append((time.thread_time_ns() - began) / len(queries))
        for name, probes in looked.items():
            lines[name].append(f"{probes / len(queries):.2f}/{np.median(took[name]):.0f}")
    return {name: " ".join(line) for name, line in lines.items()}


def measured(name: str, keys: Words) -> None:
    """Print a set's table."""
    all_functions = functions(keys)
    columns = {kind: probed(kind, keys, all_functions) for kind in ("chained", "linear", "cuckoo")}
    print(f"\n{name}: {len(keys):,} keys; probes/ns for present and absent keys")
    head = f"{'function':16}{'conflicts':>10}{'colliding':>10}{'empty':>8}"
    print(head + "".join(f"{kind:>26}" for kind in columns))
    for function, made in all_functions.items():
        found = spread(made.slots(keys, len(keys)), len(keys))
        counted = f"{function:16}{found.conflicts:10.3f}{found.colliding:10.3f}{found.empty:8.3f}"
        print(counted + "".join(f"{column[function]:>26}" for column in columns.values()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=1_000_000)
    count = parser.parse_args().keys
    small = np.arange(2000, dtype=np.uint64) ** np.uint64(2)
    for kind in ("chained", "linear", "cuckoo"):
        probed(kind, small, functions(small))
    for name in generators.names():
        measured(name, generators.generate(name, count))
    measured("sequential", sequential(count))
    for name, entry in embedded.entries().items():
        if entry.details.kind != "strings":
            measured(name, coded(embedded.load(name)))


if __name__ == "__main__":
    main()
