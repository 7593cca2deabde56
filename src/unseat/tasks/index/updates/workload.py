"""Operations of a mix, and their exact results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import jit
from unseat.structures.operations import ADD, DELETE, INSERT, READ, SCAN, UPDATE
from unseat.tasks.index.updates.mixes import Mix, Requests

Keys = NDArray[Any]
Int64 = NDArray[np.int64]
Flags = NDArray[np.bool_]
Ops = NDArray[np.uint8]

CODES = {"read": READ, "insert": INSERT, "update": UPDATE, "delete": DELETE, "add": ADD, "scan": SCAN}
THETA = 0.99
"""Skew of YCSB's zipfian requests."""
LONGEST_SCAN = 100
"""Scans ask for 1 to so many entries, as in YCSB."""


@dataclass(frozen=True, eq=False)
class Workload:
    """Entries to begin with, operations, and what they must give.

    Attributes:
        keys, values: [n] the entries, ascending.
        ops, operands, arguments: [m] the operations, as `unseat.structures.operations.OrderedMap.apply` takes them.
        results, done: [m] what it must return.
    """

    keys: Keys
    values: Int64
    ops: Ops
    operands: Keys
    arguments: Int64
    results: Int64
    done: Flags


def draw(universe: Keys, mix: Mix, operations: int, seed: int) -> Workload:
    """A workload over sorted, distinct keys: those that are inserted are drawn from among them, the rest is loaded."""
    rng = np.random.default_rng([seed, operations])
    ops = np.empty(operations, np.uint8)
    ends = np.concatenate([[0.0], np.cumsum(list(mix.shares.values()))])
    drawn = rng.random(operations) * ends[-1]
    for name, low, high in zip(mix.shares, ends[:-1], ends[1:], strict=True):
        ops[(low <= drawn) & (drawn < high)] = CODES[name]
    inserting = ops == INSERT
    # No more than half of the keys can be left to be inserted; what is more inserts keys that are there.
    fresh = min(int(inserting.sum()), len(universe) // 2)
    by_age = rng.permutation(len(universe))
    loaded = len(universe) - fresh
    born = loaded + np.minimum(np.cumsum(inserting) - inserting, fresh)
    chosen = by_age[_requested(rng, mix.requests, born, loaded)]
    newest = np.minimum(loaded + np.cumsum(inserting) - 1, len(universe) - 1)
    chosen[inserting] = by_age[newest[inserting]]
    arguments = rng.integers(0, 2**31, operations)
    scans = ops == SCAN
    arguments[scans] = rng.integers(1, LONGEST_SCAN + 1, int(scans.sum()))
    there = np.zeros(len(universe), np.bool_)
    there[by_age[:loaded]] = True
    payloads = rng.integers(-(2**62), 2**62, len(universe))
    keys, values = universe[there], payloads[there]
    results, done = np.empty(operations, np.int64), np.empty(operations, np.bool_)
    _replay(there, payloads, ops, chosen, arguments, results, done)
    return Workload(keys, values, ops, universe[chosen], arguments, results, done)


def _requested(rng: np.random.Generator, requests: Requests, born: Int64, loaded: int) -> Int64:
    """For each operation a number in the order of age, of an entry that is there unless it was deleted."""
    if requests == "uniform":
        return (rng.random(len(born)) * born).astype(np.int64)
    ranks = _zipfian(rng.random(len(born)), loaded)
    return ranks if requests == "zipfian" else born - 1 - ranks


def _zipfian(drawn: NDArray[np.float64], count: int) -> Int64:
    """Ranks from 0 to count - 1, by the approximation of Gray et al., SIGMOD 1994, that YCSB has too."""
    total = float(np.sum(np.arange(1, count + 1, dtype=np.float64) ** -THETA))
    two = 1 + 0.5**THETA
    eta = (1 - (2 / count) ** (1 - THETA)) / (1 - two / total) if count > 2 else 1.0
    ranks = (count * np.maximum(eta * drawn - eta + 1, 0) ** (1 / (1 - THETA))).astype(np.int64)
    ranks[drawn * total < two] = 1
    ranks[drawn * total < 1] = 0
    capped: Int64 = np.minimum(ranks, count - 1)
    return capped


@jit
def _replay(
    there: Flags, payloads: Int64, ops: Ops, chosen: Int64, arguments: Int64, results: Int64, done: Flags
) -> None:  # fmt: skip
    """The exact results: a flag and a payload for every key that ever occurs, in the order of the keys.

    It shares nothing with the structures that are measured. `there` and `payloads` are changed.
    """
    for i in range(len(ops)):
        op, key = ops[i], chosen[i]
        if op == SCAN:
            total, left, at = 0, arguments[i], key
            while left > 0 and at < len(there):
                if there[at]:
                    total += payloads[at]
                    left -= 1
                at += 1
            results[i], done[i] = total, left < arguments[i]
            continue
        results[i] = payloads[key] if there[key] else 0
        done[i] = there[key] != (op == INSERT)
        if op == INSERT and not there[key]:
            there[key], payloads[key] = True, arguments[i]
        elif there[key] and op == UPDATE:
            payloads[key] = arguments[i]
        elif there[key] and op == ADD:
            payloads[key] += arguments[i]
        elif op == DELETE:
            there[key] = False
