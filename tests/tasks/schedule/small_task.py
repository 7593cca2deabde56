"""The task `schedule` on workloads of a few jobs, for checks that run it often and in other processes."""

from __future__ import annotations

from unseat.tasks.schedule.suites import Source
from unseat.tasks.schedule.task import ScheduleTask

QUICK = frozenset({"quick", "full"})


class SmallSchedule(ScheduleTask):
    """Workloads of the same kinds as those of the suites."""

    def __init__(self) -> None:
        sources = [
            Source(name, name, split, f"made-{split}", kind, 3, seed, "8", 5.0, QUICK)
            for split in ("train", "valid", "test")
            for kind in ("batch", "stream")
            for seed in range(2)
            for name in [f"{kind}-{split}-{seed}"]
        ]
        memory = Source("memory", "memory", "test", "made-test+memory", "batch", 3, 9, "3:0.25,3:0.5,2:1", suites=QUICK)
        super().__init__([*sources, memory])
