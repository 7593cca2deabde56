"""One way to run a compiled policy over a trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from unseat.core.errors import UserError
from unseat.tasks.cache.engine.trace import Trace

if TYPE_CHECKING:
    from unseat.tasks.cache.incumbents import Fused


class Counts(NamedTuple):
    """What a stretch of requests did; for equal sizes a missed object counts one byte."""

    requests: int
    misses: int
    missed_bytes: int
    evictions: int


def simulate(
    fused: Fused, trace: Trace, capacity: int, judged_from: int = 0, **parameters: float
) -> tuple[Counts, Counts]:
    """Serve a trace from an empty cache.

    Args:
        fused: the policy.
        trace: the requests.
        capacity: objects, or bytes for a policy with sizes; at least 1.
        judged_from: number of warm-up requests.
        **parameters: passed to the policy's ``init``; a parameter whose default is whole is rounded.

    Returns:
        The counts of the warm-up and of the judged part.

    Raises:
        UserError: a capacity under 1, a warm-up outside the trace, or a policy with sizes on a trace without.
    """
    if capacity < 1:
        raise UserError(f"{trace.name}: capacity {capacity} holds nothing; ask for at least 1")
    if not 0 <= judged_from <= trace.n_requests:
        raise UserError(f"{trace.name}: warm-up of {judged_from} requests, but the trace has {trace.n_requests}")
    if fused.sized and trace.sizes is None:
        raise UserError(f"{trace.name}: policy {fused.name} needs object sizes and the trace has none")
    sizes = np.empty(0, np.int64) if trace.sizes is None else trace.sizes
    state = fused.init(trace.n_objects, capacity, **fused.rounded(parameters))
    parts = []
    for start, stop in ((0, judged_from), (judged_from, trace.n_requests)):
        counts = np.zeros(4, np.int64)
        fused.run(trace.ids, sizes, start, stop, capacity, state, counts)
        parts.append(Counts(*(int(count) for count in counts)))
    return parts[0], parts[1]
