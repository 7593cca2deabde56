"""FIFO: Spark's default. The oldest job that can use executors gets as many as it can use."""

from __future__ import annotations

from unseat.core.jit import inlined
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.layout import NONE, Memory
from unseat.tasks.schedule.incumbents.shared import NO_LIMIT, end_of_job, first_ready, stay


@inlined
def fifo(m: Memory) -> tuple[int, int]:
    """An executor stays at its job while that has work; jobs are served in the order of their arrival."""
    stage = stay(m)
    if stage == NONE:
        begin = m[at.CANDIDATE_LIST]
        stage = first_ready(m, begin, end_of_job(m, begin))
    return stage, NO_LIMIT
