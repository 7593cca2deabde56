"""Bits a key and nanoseconds a lookup of learned filters beside hash-based ones, on every set of `index-filter`.

    python -m benchmarks.index_filter [--folds N]

The non-keys are divided into N parts; each in turn is asked for by filters that were fitted and chosen on the others,
so that every non-key is asked for once. Rates are pooled, and their interval (Clopper and Pearson, 95% on each side) is
one over non-keys. *Sandwiched* and *partitioned* are each judged, and *chosen*: whichever learned filter takes fewest
bits on the non-keys that choose, which are not those that are asked for.

The ratio is to the smallest binary fuse filter for exactly 1% (two layers, so that the rate is reached with a
fractional number of bits). To a learned filter whose rate is above 1% the task's charge is added; a lower rate earns
nothing. It is printed for the rate measured and for the upper end of its interval. Lookups are interleaved over
contenders. Exit status 1 if no recorded set has a ratio of 0.8 or less at that upper end.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from unseat.structures.filters import learned, plain
from unseat.structures.filters.strings import Strings
from unseat.tasks.index.filters import sets
from unseat.tasks.index.filters.problem import CHOOSE_SHARE, LEARN_SHARE, Problem, charge, divided, interval

RATE, TARGET = 0.01, 0.8
PASSES = 5
CONFIDENCE = 0.95
JUDGED = ("sandwiched", "partitioned", "chosen")


def makers(problem: Problem, seed: int) -> Mapping[str, Callable[[], Any]]:
    """Each filter, to be built on a problem."""
    hashes = problem.keys.hashes()
    strings = problem.keys, problem.others, problem.unseen
    kinds: dict[str, Callable[[], Any]] = {
        kind: lambda kind=kind: learned.build(*strings, RATE, kinds=(kind,), seed=seed)  # type: ignore[misc]
        for kind in learned.KINDS
    }
    kinds["chosen"] = lambda: learned.build(*strings, RATE, seed=seed)
    return {
        "Bloom": lambda: plain.standard_bloom(hashes, RATE),
        "blocked-Bloom": lambda: plain.standard_bloom(hashes, RATE, blocked=True),
        "XOR": lambda: plain.fuse(hashes, RATE, arity=0, exact=False, seed=seed),
        "binary-fuse-3": lambda: plain.fuse(hashes, RATE, arity=3, exact=False, seed=seed),
        "binary-fuse-4": lambda: plain.fuse(hashes, RATE, arity=4, exact=False, seed=seed),
        "binary-fuse-tuned": lambda: plain.smallest_fuse(hashes, RATE, seed=seed),
    } | kinds


def clocked(filters: Mapping[str, Any], keys: Strings, others: Strings) -> dict[str, float]:
    """Median CPU nanoseconds of a lookup, keys and non-keys in equal parts, contenders in turn."""
    half = min(len(keys), len(others))
    places = np.random.default_rng(0).permutation(2 * half)
    mixed = Strings.of([*list(keys)[:half], *list(others)[:half]]).take(places)
    took: dict[str, list[float]] = {name: [] for name in filters}
    for _ in range(PASSES):
        for name, one in filters.items():
            began = time.thread_time_ns()
            one.contains(mixed)
            took[name].append((time.thread_time_ns() - began) / len(mixed))
    return {name: float(np.median(times)) for name, times in took.items()}


def folded(pair: sets.Pair, fold: int, folds: int) -> Problem:
    """The problem in which one part of the non-keys is asked for, and the others are divided as in the task."""
    others = sets.part(pair[1], None, 100)
    first, last = (len(others) * at // folds for at in (fold, fold + 1))
    rest = others[last:] + others[:first]
    learn = round(len(rest) * LEARN_SHARE / (LEARN_SHARE + CHOOSE_SHARE))
    given, chosen_by, asked = (Strings.of(part) for part in (rest[:learn], rest[learn:], others[first:last]))
    return Problem(Strings.of(sets.part(pair[0], None, 5)), given, chosen_by, asked, RATE)


def measured(name: str, pair: sets.Pair, folds: int) -> bool:
    """Print a set's table; whether a learned filter reaches the target there."""
    rows: dict[str, list[tuple[float, float, float]]] = {}
    wrong: dict[str, int] = {}
    for fold in range(folds):
        problem = folded(pair, fold, folds)
        filters, built = {}, {}
        for kind, make in makers(problem, fold).items():
            began = time.thread_time()
            filters[kind] = make()
            built[kind] = time.thread_time() - began
            if not filters[kind].contains(problem.keys).all():
                raise SystemExit(f"{name}: {kind} denies a key")
        ns = clocked(filters, problem.keys, problem.asked)
        for kind, one in filters.items():
            wrong[kind] = wrong.get(kind, 0) + int(one.contains(problem.asked).sum())
            rows.setdefault(kind, []).append((8 * one.nbytes / len(problem.keys), ns[kind], built[kind]))
    keys, asked = len(pair[0]), len(pair[1])
    print(f"\n{name}: {keys:,} keys, {asked:,} non-keys, each asked for once, by {folds} filters of a kind")
    head = f"{'filter':20}{'bits/key':>10}{'false positives':>26}{'ns/lookup':>11}{'build s':>9}"
    print(head + f"{'ratio':>8}{'at upper end':>14}")
    fuse, reached = float(np.mean(rows["binary-fuse-tuned"], axis=0)[0]), False
    for kind, row in rows.items():
        bits, took, built_s = np.mean(row, axis=0)
        low, high = interval(wrong[kind], asked, CONFIDENCE)
        line = f"{kind:20}{bits:10.3f}{wrong[kind] / asked:9.2%} ({low:.2%} to {high:.2%}){took:11.0f}{built_s:9.2f}"
        if kind in (*learned.KINDS, "chosen"):
            ratio, worst = ((bits + charge(rate, RATE, keys)) / fuse for rate in (wrong[kind] / asked, high))
            line += f"{ratio:8.3f}{worst:14.3f}"
            reached |= kind in JUDGED and worst <= TARGET
        print(line, flush=True)
    return reached


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folds", type=int, default=5)
    folds = parser.parse_args().folds
    if folds < 2:
        parser.error("--folds: 2 or more, as a filter is asked for other non-keys than it was built on")
    warm = divided([f"{one**3:x}" for one in range(300)], [f"{one**3:x}" for one in range(300, 900)], RATE)
    clocked({kind: make() for kind, make in makers(warm, 0).items()}, warm.keys, warm.asked)
    reached = [one.name for one in sets.recorded() if measured(one.name, sets.read_recorded(one.name), folds)]
    for name, read in sets.READERS.items():
        measured(name, read(), folds)
    print(f"\ntarget {TARGET} reached on: {', '.join(reached) or 'no recorded set'}")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
