"""How fast the cache engine is beside libcachesim, end to end, on one thread: `python -m benchmarks.cache_speed`.

Both read the same oracleGeneral file in the same run, taking turns; each round measures every policy once on each side
and the best round of each side counts, so that what else the machine does falls on neither alone. Ours starts from the
raw ids in the file and ends at a miss count: mapping the file, numbering the objects (a hash table), next accesses for
Belady, state, run. The peer's time is `process_trace` alone. Miss counts must agree.

The peer runs as installed (the column it is judged by), and once more with its table's initial size cut to the trace,
which its users can set and which favours it; that column is for information. The engine's memory is counted from the
arrays themselves. Exits with 1 if the geometric mean is under 6, a ratio under 4, or the memory over its limit.
"""

from __future__ import annotations

import sys
import tempfile
from math import exp, log
from pathlib import Path
from time import perf_counter

import numpy as np
from benchmarks.cache_peer import peer_misses, published_traces, synthetic

from unseat.tasks.cache.bounds import belady, belady_bytes
from unseat.tasks.cache.data.formats import ORACLE_GENERAL
from unseat.tasks.cache.data.trace import RawTrace
from unseat.tasks.cache.data.writers import write_trace
from unseat.tasks.cache.engine.dense import table_bytes
from unseat.tasks.cache.engine.simulate import simulate
from unseat.tasks.cache.engine.trace import from_raw
from unseat.tasks.cache.incumbents import FUSED

POLICIES = ("lru", "sieve", "s3fifo", "arc", "belady")
TRACES = ("orm-busy", "scarab-recs")
CAPACITIES = (0.01, 0.1)
ROUNDS = 5
MEAN, EACH = 6.0, 4.0
PER_OBJECT, PER_REQUEST = 48, 16
DEFAULT_HASHPOWER, CUT_HASHPOWER = 24, 18


def ours(name: str, path: Path, capacity: int) -> tuple[int, float]:
    """Misses and seconds from the file to the count."""
    start = perf_counter()
    trace = from_raw(np.memmap(path, ORACLE_GENERAL, "r")["key"])
    misses = belady(trace, capacity).misses if name == "belady" else simulate(FUSED[name], trace, capacity)[1].misses
    return misses, perf_counter() - start


def engine_bytes(name: str, n_requests: int, n_objects: int, capacity: int) -> int:
    """Most bytes in the engine's arrays at one time: while numbering objects, or while running."""
    ids = 4 * n_requests
    if name == "belady":
        return ids + max(table_bytes(n_objects), belady_bytes(n_requests, n_objects))
    state = FUSED[name].init(n_objects, capacity)
    return ids + max(table_bytes(n_objects), sum(int(array.nbytes) for array in state))


def compare(trace: RawTrace, folder: Path) -> tuple[list[float], bool]:
    """Print one trace's table; the speed ratios, and whether counts agree and memory is within its limit."""
    path = folder / f"{trace.name}.oracleGeneral"
    write_trace(path, trace, "oracleGeneral")
    n, n_objects = len(trace), trace.objects
    limit = PER_OBJECT * n_objects + PER_REQUEST * n
    cells = [(name, max(1, int(share * n_objects))) for share in CAPACITIES for name in POLICIES]
    best = {cell: [np.inf, np.inf, np.inf] for cell in cells}
    counts: dict[tuple[str, int], set[int]] = {cell: set() for cell in cells}
    for _ in range(ROUNDS):
        for cell in cells:
            name, capacity = cell
            measured = (
                ours(name, path, capacity),
                peer_misses(name, path, n, capacity, DEFAULT_HASHPOWER),
                peer_misses(name, path, n, capacity, CUT_HASHPOWER),
            )
            counts[cell] |= {misses for misses, _ in measured}
            best[cell] = [min(old, new) for old, (_, new) in zip(best[cell], measured, strict=True)]
    ratios, fine = [], True
    print(f"\n{trace.name}: {n:,} requests, {n_objects:,} objects; million requests a second")
    print(
        f"{'policy':8}{'capacity':>10}{'misses':>12}{'unseat':>9}{'peer':>9}{'ratio':>8}{'cut':>9}{'ratio':>8}  memory"
    )
    for (name, capacity), (mine, theirs, cut) in best.items():
        memory = engine_bytes(name, n, n_objects, capacity)
        agree = len(counts[name, capacity]) == 1
        fine = fine and agree and memory <= limit
        ratios.append(theirs / mine)
        misses = f"{min(counts[name, capacity]):,}" if agree else "DIFFER"
        print(
            f"{name:8}{capacity:10,}{misses:>12}{n / mine / 1e6:9.1f}{n / theirs / 1e6:9.2f}{theirs / mine:8.1f}"
            f"{n / cut / 1e6:9.2f}{cut / mine:8.1f}  {memory / 1e6:.1f} of {limit / 1e6:.1f} MB"
        )
    return ratios, fine


def main() -> int:
    """Compare on the published traces at hand, else on a synthetic one."""
    traces = [trace for trace in published_traces() if trace.name in TRACES] or [synthetic()]
    with tempfile.TemporaryDirectory() as folder:
        warm = Path(folder) / "warm.oracleGeneral"
        write_trace(warm, synthetic(1000), "oracleGeneral")
        for name in POLICIES:
            ours(name, warm, 10)  # compiles
        results = [compare(trace, Path(folder)) for trace in traces]
    ratios = [ratio for part, _ in results for ratio in part]
    mean = exp(sum(map(log, ratios)) / len(ratios))
    fine = all(good for _, good in results) and mean >= MEAN and min(ratios) >= EACH
    print(f"\ngeometric mean {mean:.1f} (at least {MEAN}), least {min(ratios):.1f} (at least {EACH}); ", end="")
    print(f"memory limit {PER_OBJECT} B an object and {PER_REQUEST} B a request: {'reached' if fine else 'MISSED'}")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
