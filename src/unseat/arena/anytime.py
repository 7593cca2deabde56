"""What a line's answers were worth as time went by, for tasks whose policies report answers before the end."""

from __future__ import annotations

from collections.abc import Sequence

from unseat.core.outcome import Status
from unseat.lab.records import Run

_MOMENTS = 60
_SOONEST_S = 1e-4


def curve(runs: Sequence[Run]) -> list[tuple[float, float]]:
    """The weighted mean of the objective, had every run been stopped at a moment: (seconds, value).

    It begins where each run has an answer. A run that did not end well is worth its failure value all the time.
    """
    if not any(run.outcome.progress for run in runs):
        return []
    moments = sorted({max(at, _SOONEST_S) for run in runs for at, _ in run.outcome.progress})
    chosen = moments[:: max(1, len(moments) // _MOMENTS)]
    if chosen[-1] != moments[-1]:
        chosen.append(moments[-1])
    found = []
    for second in chosen:
        values = [_at(run, second) for run in runs]
        if all(value is not None for value in values):
            total = sum(run.weight for run in runs)
            mean = sum(run.weight * value for run, value in zip(runs, values, strict=True) if value is not None) / total
            found.append((second, mean))
    return found


def _at(run: Run, second: float) -> float | None:
    if run.outcome.status is not Status.OK or not run.outcome.progress:
        return run.outcome.value
    held = [value for at, value in run.outcome.progress if max(at, _SOONEST_S) <= second]
    return held[-1] if held else None
