"""Miss counts beside libcachesim's on every published trace: `python -m benchmarks.cache_equality`.

S3-FIFO is shown too; its counts equal the package's wherever the small queue has two places or more (below that the
package admits nothing, see `unseat.tasks.cache.incumbents.s3fifo`). Exits with 1 on any other difference.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.cache_peer import PEERS, SIZED_PEERS, peer_misses, published_traces, synthetic

from unseat.tasks.cache.bounds import belady
from unseat.tasks.cache.data.trace import RawTrace
from unseat.tasks.cache.data.writers import write_trace
from unseat.tasks.cache.engine.simulate import simulate
from unseat.tasks.cache.engine.trace import from_raw
from unseat.tasks.cache.incumbents import FUSED

CAPACITIES = (0.01, 0.1, 0.4)
HASHPOWER = 18
LEAST_S3FIFO = 20


def compare(raw: RawTrace, folder: Path) -> int:
    """Print a row for each capacity of a trace; how many counts differ."""
    path = folder / f"{raw.name}.oracleGeneral"
    trace = from_raw(raw.keys, raw.sizes, raw.name)
    per_request = (
        None if trace.sizes is None else trace.sizes[trace.ids]
    )  # an object keeps its first size, on both sides
    write_trace(path, RawTrace(raw.name, raw.keys, per_request), "oracleGeneral")
    differences = 0
    for share in CAPACITIES:
        capacity = max(1, int(share * trace.footprint))
        cells = []
        for name in PEERS if trace.sizes is None else SIZED_PEERS:
            theirs, _ = peer_misses(name, path, trace.n_requests, capacity, HASHPOWER)
            mine = (belady(trace, capacity) if name == "belady" else simulate(FUSED[name], trace, capacity)[1]).misses
            excused = name == "s3fifo" and capacity < LEAST_S3FIFO
            differences += mine != theirs and not excused
            cells.append(f"{mine:,}" if mine == theirs else f"{mine:,}{'~' if excused else '!='}{theirs:,}")
        print(f"{trace.name:14}{capacity:12,}" + "".join(f"{cell:>18}" for cell in cells), flush=True)
    path.unlink()
    return differences


def main() -> int:
    """Compare on every trace at hand."""
    equal = published_traces() or [synthetic(300_000)]
    differences = 0
    with tempfile.TemporaryDirectory() as folder:
        for traces, peers in ((equal, PEERS), (published_traces(sized=True), SIZED_PEERS)):
            print(f"\n{'trace':14}{'capacity':>12}" + "".join(f"{name:>18}" for name in peers))
            differences += sum(compare(raw, Path(folder)) for raw in traces)
    print(f"\n{differences} of the counts differ from libcachesim's" if differences else "\nevery count is equal")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
