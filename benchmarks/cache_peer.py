"""The peer of the cache benchmarks: libcachesim 0.3.5, driven by its own native reader and `process_trace`."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import libcachesim
import numpy as np

from unseat.core.errors import UserError
from unseat.tasks.cache.data.entries import published
from unseat.tasks.cache.data.trace import RawTrace

PEERS = {
    "fifo": libcachesim.FIFO,
    "lru": libcachesim.LRU,
    "clock": libcachesim.Clock,
    "sieve": libcachesim.Sieve,
    "s3fifo": libcachesim.S3FIFO,
    "lfu": libcachesim.LFU,
    "arc": libcachesim.ARC,
    "belady": libcachesim.Belady,
}
"""Its policies for objects of one size, by our names."""

SIZED_PEERS = {"fifo-sized": libcachesim.FIFO, "lru-sized": libcachesim.LRU, "sieve-sized": libcachesim.Sieve}
"""Its policies for objects with sizes; its S3-FIFO and GDSF refuse objects that the papers admit."""


def published_traces(sized: bool = False) -> list[RawTrace]:
    """The traces that others published and that are at hand, of one size or sized; a benchmark fetches none."""
    traces = []
    for entry in published():
        if entry.sized == sized:
            try:
                traces.append(entry.load())
            except UserError:
                continue
    return traces


def synthetic(n_requests: int = 2_000_000, seed: int = 7) -> RawTrace:
    """Skewed requests with a drifting set of popular objects, for machines that lack the published traces."""
    rng = np.random.default_rng(seed)
    ranks = rng.zipf(1.1, n_requests) % 300_000
    keys = (ranks + np.arange(n_requests) // 10_000 * 300).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return RawTrace("synthetic", keys)


def peer_misses(name: str, path: Path, n_requests: int, capacity: int, hashpower: int) -> tuple[int, float]:
    """Misses of the peer over an oracleGeneral file, and the seconds of `process_trace` alone.

    Opening the file and building the cache are left out of its time; `hashpower` is the initial size of its table (2^k)
    and is chosen to suit it by the caller.
    """
    reader = libcachesim.TraceReader(str(path), libcachesim.TraceType.ORACLE_GENERAL_TRACE)
    cache = (PEERS | SIZED_PEERS)[name](capacity, hashpower=hashpower)
    start = perf_counter()
    miss_ratio, _ = cache.process_trace(reader)
    seconds = perf_counter() - start
    return round(miss_ratio * n_requests), seconds
