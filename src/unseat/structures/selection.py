"""Which structure searches an index: tried on a sample of lookups when the index is built.

The learned structures' tuner proposes one model; the plain searches need none. All that fit the budget answer lookups
of the very keys, present and absent, and the fastest is kept. So where a model would lose (keys built against it, small
arrays, another machine's caches) it is not used.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter_ns
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.structures.admission import Kind, check_nan, query_bounds
from unseat.structures.exact import bounds
from unseat.structures.locator import Build, Locator, OverBudget, Run
from unseat.structures.search import interleaved, interleaved_search, numpy_searchsorted

ROOM = "unseat.structures"
KERNELS = ("search", "interpolation", "static_btree", "radix_table", "eytzinger", "rmi", "pgm", "radix_spline")
"""Modules whose kernels an index may be searched with, and a saved index may name."""
_SHARED = ("codes", "exact", "strings", "text_search", "prefetch", "lanes", "last_mile", "locator", "roots", "search")
MODELLED = 4096
"""Keys from which on a model is tried: fewer lie in the nearest caches, where any search is quick."""
SHARE = 0.1
LEAST_BYTES = 4096
"""Where no budget is given, what a structure may take however few the keys: less than the objects around it."""
PILOT, PILOTED = 1 << 16, 1 << 20
"""Of so many keys or more, a few are tried first: what loses there by `HOPELESS` times is not built on all."""
HOPELESS = 2.0
ROUNDS = 4
LEAST, MOST, SAMPLED = 1 << 12, 1 << 17, 16
"""Lookups of a trial round: one in sixteen keys, within these limits. Too few would be too short a time to compare; of
large arrays it takes many until the caches hold of a structure what they will hold."""
LEAD = 1.03
"""By how much what is tried later has to be faster: a smaller lead is noise, and plain searches come first."""
FEW = (4, 16, 64, 256)
MARGIN = 1.5
"""How much sooner a kernel has to be: the way to it, which the trial leaves out, is longer than that to NumPy."""
CALLS = 16
"""Calls of so many queries each, none repeated: a processor learns the branches of those that are."""
CHUNK = 1 << 14
"""Queries that are converted at a time, so that what they became is still in the cache when it is looked up."""


@dataclass(frozen=True)
class Choice:
    """How an index is searched.

    Attributes:
        locator: The structure.
        few: Up to so many queries in one call `numpy.searchsorted` answers sooner than a kernel has started.
        measured: Nanoseconds a lookup of each structure that was tried.
        reason: Why it was chosen, for people.
        few_right: As `few`, of ``side="right"``, for which a kernel's queries are converted first.
    """

    locator: Locator
    few: int = 1
    measured: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""
    few_right: int = 1

    def lower_bound(self, keys: NDArray[Any], queries: NDArray[Any], out: NDArray[np.int64]) -> None:
        """In `out` the number of keys less than each query; keys may be none."""
        if len(keys):
            self.locator.run(keys, queries, out, *self.locator.arrays)
        else:
            out[:] = 0

    def rank(self, keys: NDArray[Any], kind: Kind, queries: NDArray[Any], strict: bool) -> NDArray[np.int64]:
        """For each admitted query how many keys are less than it; `strict`: than it or equal to it."""
        alike = queries.dtype == keys.dtype
        if alike and len(queries) <= (self.few_right if strict else self.few):
            check_nan(queries)
            return keys.searchsorted(queries, "right" if strict else "left")
        out = np.empty(len(queries), np.int64)
        if alike and not strict:
            values, _ = bounds(np.ascontiguousarray(queries), keys.dtype, False)
            self.lower_bound(keys, values, out)
            return out
        for start in range(0, len(queries), CHUNK):
            part = out[start : start + CHUNK]
            values, beyond = query_bounds(queries[start : start + CHUNK], kind, strict)
            self.lower_bound(keys, values, part)
            if beyond is not None:
                part[beyond] = len(keys)
        return out


def plain(reason: str = "no trial") -> Choice:
    """For keys that are too few or too short-lived to be worth a model or a trial."""
    return Choice(Locator("binary search, interleaved", interleaved_search), reason=reason)


def choose(keys: NDArray[Any], budget: float | None) -> Choice:
    """The fastest of the structures that fit into a budget.

    Args:
        keys: Sorted, of one of `unseat.structures.codes.KEY_TYPES`.
        budget: Bytes to use at most, as a share of the bytes of the keys; None for a tenth, or 4 KB if that is more.
    """
    if not len(keys):
        return Choice(numpy_searchsorted(keys), reason="no keys")
    share = SHARE if budget is None else budget
    room = max(int(share * keys.nbytes), LEAST_BYTES if budget is None else 0)
    builds = _builds(len(keys))
    left_out = ""
    if len(keys) >= PILOTED:
        builds, left_out = _pilot(np.ascontiguousarray(keys[:: len(keys) // PILOT]), builds, share)
    sampler = _Sampler(keys)
    measured: dict[str, float] = {}
    best: Locator | None = None
    for _, locator in _candidates(keys, builds, room):
        time = sampler.time(locator)
        if best is None or time * LEAD < measured[best.name]:
            best = locator
        measured[locator.name] = time
    assert best is not None
    reason = f"the fastest of {len(measured)} on lookups of these keys{left_out}"
    return Choice(best, sampler.few(best, False), measured, reason, sampler.few(best, True))


def _pilot(keys: NDArray[Any], builds: list[Build], share: float) -> tuple[list[Build], str]:
    """Those that are worth building on all keys, by a trial on a few of them, and what to say of the others."""
    sampler = _Sampler(keys)
    tried = [(build, locator.name, sampler.time(locator))
             for build, locator in _candidates(keys, builds, int(share * keys.nbytes))]  # fmt: skip
    most = HOPELESS * min(time for _, _, time in tried)
    slow = ", ".join(name for _, name, time in tried if time > most)
    return [build for build, _, time in tried if time <= most], f"; far slower on {len(keys):,} of them: {slow}" * bool(
        slow
    )


def _candidates(keys: NDArray[Any], builds: list[Build], budget: int) -> Iterator[tuple[Build, Locator]]:
    """One after the other, so that only the best so far and the one at trial take memory."""
    for build in builds:
        try:
            yield build, build(keys, budget)
        except OverBudget:
            continue


def _builds(size: int) -> list[Build]:
    """What is tried on so many keys."""
    builds = [interleaved, _build("static_btree")]
    if size >= MODELLED:
        builds += [_build("interpolation"), _build("radix_table"), _build("tuner")]
    return builds


def _build(module: str, name: str = "build") -> Build:
    build: Build = getattr(importlib.import_module(f"{ROOM}.{module}"), name)
    return build


class _Sampler:
    """Lookups of keys and of values beside them, fresh for every trial, so that none warms the caches for another."""

    def __init__(self, keys: NDArray[Any]) -> None:
        self.keys = keys
        self.random = np.random.default_rng(len(keys))
        self.size = min(MOST, max(LEAST, len(keys) // SAMPLED))

    def queries(self, size: int) -> NDArray[Any]:
        """Half of them keys, half the next values, absent as a rule."""
        queries = self.keys[self.random.integers(len(self.keys), size=size)]
        half = size // 2
        queries[:half] = bounds(queries[:half], self.keys.dtype, True)[0]
        self.random.shuffle(queries)
        return queries

    def time(self, locator: Locator) -> float:
        """Nanoseconds a lookup: the best of some rounds."""
        out = np.empty(self.size, np.int64)
        self._once(locator, self.queries(self.size), out)
        return min(self._once(locator, self.queries(self.size), out) for _ in range(ROUNDS)) / self.size

    def few(self, locator: Locator, strict: bool) -> int:
        """The most queries, of some numbers, that NumPy answers sooner; one it does always."""
        kind, keys = Kind(self.keys.dtype), self.keys
        kernel, rival = Choice(locator, 0, few_right=0), Choice(locator, FEW[-1], few_right=FEW[-1])
        most = 1
        for size in FEW:
            batches = np.split(self.queries(size * CALLS), CALLS)
            times = [median(_time(partial(each.rank, keys, kind, batch, strict)) for batch in batches)
                     for each in (rival, kernel)]  # fmt: skip
            if times[1] * MARGIN < times[0]:
                break
            most = size
        return most

    def _once(self, locator: Locator, queries: NDArray[Any], out: NDArray[np.int64]) -> int:
        start = perf_counter_ns()
        locator.run(self.keys, queries, out, *locator.arrays)
        return perf_counter_ns() - start


def _time(work: Callable[[], Any]) -> int:
    """Nanoseconds of a call."""
    start = perf_counter_ns()
    work()
    return perf_counter_ns() - start


def name_of(locator: Locator) -> str:
    """What a file calls a locator's kernel: module and function."""
    run: Any = locator.run
    return f"{run.__module__.removeprefix(ROOM + '.')}:{run.__name__}"


def kernel(name: str) -> Run:
    """The kernel of a name.

    Raises:
        ValueError: This version has no such kernel.
    """
    module, _, function = name.partition(":")
    run: Run | None = None
    if module in KERNELS:
        run = getattr(importlib.import_module(f"{ROOM}.{module}"), function, None)
    if run is None:
        raise ValueError(f"no kernel named {name!r}")
    return run


def fingerprint(name: str) -> str:
    """A hash of the code that builds and reads a kernel's arrays; empty where there is no such kernel."""
    module = name.partition(":")[0]
    if module not in KERNELS:
        return ""
    folder = Path(__file__).parent
    code = b"".join((folder / f"{each}.py").read_bytes() for each in (module, *_SHARED))
    return hashlib.sha256(code).hexdigest()[:16]
