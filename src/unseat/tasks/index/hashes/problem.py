"""One set of keys at one load, and what is measured of a function on it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.policy import InvalidAnswer, Session, View
from unseat.structures.hashing import tables
from unseat.structures.hashing.functions import HashFunction, murmur
from unseat.structures.hashing.measure import spread
from unseat.structures.hashing.tables import ABSENT, Table, TableFull

QUESTION = "place"
LINEAR_LOAD, CUCKOO_LOAD = 0.7, 0.9
PASSES = 3
SECOND_SEED = 0xC0C0
"""Of the cuckoo table's other function: no contender has it."""

Words = NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class Problem:
    """What the engine measures.

    Attributes:
        keys: uint64, sorted and distinct.
        load: Keys a slot.
        lookups: Present keys that are looked up, and as many absent ones.
    """

    keys: Words
    load: float
    lookups: int

    @property
    def slots(self) -> int:
        """Slots of the table."""
        return max(1, round(len(self.keys) / self.load))

    def view(self, deadline: float | None = None) -> View:
        """What a policy is told: a copy of the keys, not to be written to, and the number of slots."""
        keys = self.keys.copy()
        keys.flags.writeable = False
        return View(QUESTION, {"keys": keys, "slots": self.slots}, deadline=deadline)

    def queries(self, seed: int) -> tuple[Words, Words]:
        """Present keys in random order, and absent ones between two neighbours; fewer where there is no room."""
        rng = np.random.default_rng([seed, len(self.keys)])
        present = self.keys[rng.integers(0, len(self.keys), self.lookups)]
        left = rng.integers(0, max(len(self.keys) - 1, 1), self.lookups)
        low, high = self.keys[left], self.keys[np.minimum(left + 1, len(self.keys) - 1)]
        gap = np.maximum(high - low, np.uint64(1))
        absent = low + np.minimum((rng.random(self.lookups) * gap).astype(np.uint64), gap - np.uint64(1))
        return present, absent[absent != low]


def function(session: Session) -> HashFunction:
    """The session's kernel as a hash function.

    Raises:
        InvalidAnswer: It has none.
    """
    if session.kernel is None:
        raise InvalidAnswer("the session has no kernel")
    run, arrays = session.kernel
    return HashFunction("asked", _checked(run), tuple(arrays))


def _checked(run: Callable[..., Any]) -> Callable[..., None]:
    """A kernel whose slots all lie in the table, or `InvalidAnswer`: the tables do not check them again."""

    def checked(keys: Words, out: NDArray[np.int64], slots: int, *arrays: NDArray[Any]) -> None:
        out.fill(-1)
        run(keys, out, slots, *arrays)
        if len(out) and (out.min() < 0 or out.max() >= slots):
            wrong = int(np.flatnonzero((out < 0) | (out >= slots))[0])
            raise InvalidAnswer(f"key {keys[wrong]} goes to slot {out[wrong]}, not one from 0 to {slots - 1}")

    return checked


def conflicts(problem: Problem, chosen: HashFunction) -> tuple[float, dict[str, float]]:
    """The objective, and what else is counted without a table."""
    slots = chosen.slots(problem.keys.copy(), problem.slots)
    found = spread(slots, problem.slots)
    return found.conflicts, {
        "colliding": found.colliding,
        "empty": found.empty,
        "longest": found.longest,
        "bytes": chosen.nbytes,
    }


def probes(problem: Problem, chosen: HashFunction, seed: int) -> dict[str, float]:
    """Entries looked at and CPU time for a present and for an absent key, in each kind of table.

    Raises:
        InvalidAnswer: A lookup gives a wrong answer: the function does not give a key the same slot each time.
    """
    # Copies, here and below: a function that writes over the keys must not get others to look up.
    keys, values = problem.keys.copy(), np.arange(len(problem.keys))
    second = murmur(SECOND_SEED)
    makers: dict[str, Callable[[], Table]] = {
        "chained": lambda: tables.chained(keys, values, chosen, problem.load),
        "linear": lambda: tables.linear(keys, values, chosen, LINEAR_LOAD),
        "cuckoo": lambda: tables.cuckoo(keys, values, chosen, second, CUCKOO_LOAD),
    }
    present, absent = problem.queries(seed)
    expected = np.searchsorted(problem.keys, present)
    metrics: dict[str, float] = {}
    for kind, make in makers.items():
        try:
            table = make()
        except TableFull:
            metrics[f"{kind}.full"] = 1.0
            continue
        for name, queries in (("present", present), ("absent", absent)):
            if not len(queries):
                continue
            found, looked, ns = _timed(table, queries)
            if not np.array_equal(found, expected if name == "present" else np.full(len(queries), ABSENT)):
                raise InvalidAnswer(f"a lookup in a {kind} table gives a wrong answer: slots change from call to call")
            metrics[f"{kind}.{name}.probes"] = looked / len(queries)
            metrics[f"{kind}.{name}.ns"] = ns
    return metrics


def _timed(table: Table, queries: Words) -> tuple[NDArray[np.int64], int, float]:
    """Answers, entries looked at, and the median CPU time a query."""
    took = []
    for _ in range(PASSES):
        given = queries.copy()
        began = time.thread_time_ns()
        found, looked = table.lookup(given)
        took.append((time.thread_time_ns() - began) / len(queries))
    return found, looked, float(np.median(took))
