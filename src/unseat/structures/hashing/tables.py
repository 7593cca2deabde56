"""Hash tables from 64-bit keys to 63-bit values, in which a function's evenness shows as probes.

Each is built once, from distinct keys and the slots that a function gave them, so that one kernel serves every
function. Lookups take queries with their slots, in blocks whose lines are fetched together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import jit
from unseat.structures.hashing.functions import HashFunction, Slots, Words
from unseat.structures.prefetch import BLOCK, prefetch

ABSENT = -1
"""What a lookup gives for a key that is not there."""
BUCKET = 4
"""Entries of a cuckoo bucket: with two words each they fill a cache line."""
CHUNK = 1 << 14
"""Queries whose slots are computed at once: their array stays in the cache."""
MOST_KICKS = 500
CROWDED = 256
"""Probes a key, in the mean, at which a table is given up while it is built."""


class TableFull(Exception):
    """The keys do not go into the table: too many meet."""


@jit
def chain(slots: Slots, head: NDArray[np.int32], following: NDArray[np.int32]) -> None:
    """Put each key at the front of its slot's list."""
    for i in range(len(slots)):
        following[i] = head[slots[i]]
        head[slots[i]] = i


@jit
def chained_find(
    queries: Words, slots: Slots, others: Slots, out: Slots, head: NDArray[np.int32], following: NDArray[np.int32],
    keys: Words, values: Slots,
) -> int:  # fmt: skip
    """Separate chaining; the number of keys that were compared."""
    probes = 0
    for start in range(0, len(queries), BLOCK):
        stop = min(start + BLOCK, len(queries))
        for i in range(start, stop):
            prefetch(head, slots[i])
        for i in range(start, stop):
            if head[slots[i]] >= 0:
                prefetch(keys, int(head[slots[i]]))
                prefetch(following, int(head[slots[i]]))
        for i in range(start, stop):
            at, found = np.int64(head[slots[i]]), np.int64(-1)
            while at >= 0:
                probes += 1
                if keys[at] == queries[i]:
                    found = values[at]
                    break
                at = np.int64(following[at])
            out[i] = found
    return probes


@jit
def linear_fill(keys: Words, values: Slots, slots: Slots, table: Words, most: int) -> bool:
    """Put each key into the first free entry from its slot on; False if that takes more than `most` probes in all."""
    size, probes = len(table), 0
    for i in range(len(keys)):
        at = slots[i]
        while table[at, 1] != np.uint64(0):
            at = at + 1 if at + 1 < size else 0
            probes += 1
            if probes > most:
                return False
        table[at, 0], table[at, 1] = keys[i], np.uint64(values[i]) + np.uint64(1)
    return True


@jit
def linear_find(queries: Words, slots: Slots, others: Slots, out: Slots, table: Words) -> int:
    """Linear probing; the number of entries that were looked at."""
    probes, size, flat = 0, len(table), table.reshape(-1)
    for start in range(0, len(queries), BLOCK):
        stop = min(start + BLOCK, len(queries))
        for i in range(start, stop):
            prefetch(flat, 2 * slots[i])
        for i in range(start, stop):
            at, found = slots[i], np.int64(-1)
            while True:
                probes += 1
                if table[at, 1] == np.uint64(0):
                    break
                if table[at, 0] == queries[i]:
                    found = np.int64(table[at, 1] - np.uint64(1))
                    break
                at = at + 1 if at + 1 < size else 0
            out[i] = found
    return probes


@jit
def cuckoo_fill(keys: Words, values: Slots, slots: Slots, others: Slots, table: Words, seed: int) -> int:
    """Put each key into one of its two buckets, moving others on at random; how many are in before one is not.

    `table` is uint64[buckets, 2, BUCKET]: keys, and values plus one. The walk is Fotakis et al., STACS 2003.
    """
    state, place = np.uint64(seed * 2 + 1), np.zeros((len(table), BUCKET), np.int64)
    for first in range(len(keys)):
        i, bucket, kicks = first, slots[first], 0
        while True:
            entry = -1
            for one in (bucket, slots[i], others[i]):
                for k in range(BUCKET):
                    if entry < 0 and table[one, 1, k] == np.uint64(0):
                        entry, bucket = k, one
            if entry >= 0:
                table[bucket, 0, entry], table[bucket, 1, entry] = keys[i], np.uint64(values[i]) + np.uint64(1)
                place[bucket, entry] = i
                break
            kicks += 1
            if kicks > MOST_KICKS:
                return first
            state = state * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
            entry = int(np.int64(state >> np.uint64(62)))
            out = place[bucket, entry]
            table[bucket, 0, entry], table[bucket, 1, entry] = keys[i], np.uint64(values[i]) + np.uint64(1)
            place[bucket, entry] = i
            bucket = others[out] if slots[out] == bucket else slots[out]
            i = out
    return len(keys)


@jit
def cuckoo_find(queries: Words, slots: Slots, others: Slots, out: Slots, table: Words) -> int:
    """Bucketised cuckoo hashing; the number of buckets that were looked at."""
    probes, flat = 0, table.reshape(-1)
    for start in range(0, len(queries), BLOCK):
        stop = min(start + BLOCK, len(queries))
        for i in range(start, stop):
            prefetch(flat, 2 * BUCKET * slots[i])
            prefetch(flat, 2 * BUCKET * others[i])
        for i in range(start, stop):
            found = np.int64(-1)
            for turn in range(2):
                bucket = others[i] if turn else slots[i]
                probes += 1
                for k in range(BUCKET):
                    if table[bucket, 0, k] == queries[i] and table[bucket, 1, k] != np.uint64(0):
                        found = np.int64(table[bucket, 1, k] - np.uint64(1))
                if found >= 0:
                    break
            out[i] = found
    return probes


@dataclass(frozen=True, eq=False)
class Table:
    """A hash table over one set of keys.

    Attributes:
        kind: ``chained``, ``linear`` or ``cuckoo``.
        function: Gives a key's slot.
        second: Gives its other bucket, in a cuckoo table.
        slots: How many slots or buckets there are.
        find: The lookup kernel.
        arrays: What it reads.
    """

    kind: str
    function: HashFunction
    second: HashFunction | None
    slots: int
    find: Callable[..., int]
    arrays: tuple[NDArray[Any], ...]

    @property
    def nbytes(self) -> int:
        """Bytes of the table and of its functions."""
        own = sum(array.nbytes for array in self.arrays)
        return own + self.function.nbytes + (self.second.nbytes if self.second else 0)

    def lookup(self, queries: Words) -> tuple[Slots, int]:
        """The value of each query or `ABSENT`, and how many entries (cuckoo: buckets) were looked at for all."""
        out, probes = np.empty(len(queries), np.int64), 0
        for start in range(0, len(queries), CHUNK):
            part = queries[start : start + CHUNK]
            slots = self.function.slots(part, self.slots)
            others = self.second.slots(part, self.slots) if self.second else slots
            probes += self.find(part, slots, others, out[start : start + CHUNK], *self.arrays)
        return out, probes


def chained(keys: Words, values: Slots, function: HashFunction, load: float = 1.0) -> Table:
    """Separate chaining with keys over `load` slots, as in Kraska et al. 2018."""
    slots = max(1, round(len(keys) / load))
    head, following = np.full(slots, ABSENT, np.int32), np.empty(len(keys), np.int32)
    chain(function.slots(keys, slots), head, following)
    return Table("chained", function, None, slots, chained_find, (head, following, keys.copy(), values.copy()))


def linear(keys: Words, values: Slots, function: HashFunction, load: float = 0.5) -> Table:
    """Linear probing; at least one entry stays free.

    Raises:
        TableFull: Keys lie so close that filling it takes `CROWDED` probes a key.
    """
    slots = max(len(keys) + 1, round(len(keys) / load))
    table = np.zeros((slots, 2), np.uint64)
    if not linear_fill(keys, values, function.slots(keys, slots), table, CROWDED * len(keys)):
        raise TableFull(f"linear probing at load {load} takes more than {CROWDED} probes a key")
    return Table("linear", function, None, slots, linear_find, (table,))


def cuckoo(keys: Words, values: Slots, function: HashFunction, second: HashFunction, load: float = 0.9) -> Table:
    """Cuckoo hashing with buckets of four (Dietzfelbinger and Weidling, TCS 380, 2007); two functions.

    Raises:
        TableFull: A key found no place after `MOST_KICKS` moves.
    """
    buckets = max(1, -(-round(len(keys) / load) // BUCKET))
    table = np.zeros((buckets, 2, BUCKET), np.uint64)
    placed = cuckoo_fill(keys, values, function.slots(keys, buckets), second.slots(keys, buckets), table, 1)
    if placed < len(keys):
        raise TableFull(f"cuckoo hashing at load {load} is full after {placed:,} of {len(keys):,} keys")
    return Table("cuckoo", function, second, buckets, cuckoo_find, (table,))
