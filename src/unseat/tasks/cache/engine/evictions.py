"""How a kernel says which objects it evicted, to callers that ask."""

from __future__ import annotations

from unseat.core.jit import inlined
from unseat.tasks.cache.engine.trace import Int64


@inlined
def note(counts: Int64, x: int) -> None:
    """Note an evicted object where the caller gave room for it.

    ``counts`` is ``int64[4]`` for callers that only count. With more room, ``counts[4]`` is the number of objects noted
    since the caller set it to zero, and their ids follow; what does not fit is not noted.
    """
    if counts.shape[0] > 4 and counts[4] < counts.shape[0] - 5:
        counts[4] += 1
        counts[4 + counts[4]] = x
