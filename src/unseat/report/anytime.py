"""What answers are worth as time goes by: the anytime curve of a task that is asked for whole answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseat.core.outcome import Status
from unseat.lab.records import Run
from unseat.report.story import Story

# A solver may report thousands of times; a figure is some hundred pixels wide.
_MOMENTS = 300
_SOONEST_S = 1e-6


@dataclass(frozen=True)
class Anytime:
    """The headline contenders' weighted mean of the objective, had every run been stopped at a moment.

    Attributes:
        seconds: The moments since the clock began, ascending (float64 [moments]).
        values: Part (``incumbent``, ``challenger``) to its means, in the objective's unit (float64 [moments]); not a
            number until each of its runs has an answer.
        bound: The bound's mean over the same instances, where it has one for each.
        instances: How many instances they are means over.
    """

    seconds: NDArray[np.float64]
    values: Mapping[str, NDArray[np.float64]]
    bound: float | None
    instances: int

    @classmethod
    def of(cls, story: Story) -> Anytime | None:
        """The curves of an experiment, over the instances that both contenders ran; None where nobody reported."""
        named = {"incumbent": story.results.incumbent, "challenger": story.results.challenger}
        ran = {part: _by_instance(story.contenders[name]) for part, name in named.items() if name in story.contenders}
        common = set.intersection(*map(set, ran.values())) if ran else set()
        runs = [run for own in ran.values() for name in common for run in own[name]]
        if not any(run.outcome.progress for run in runs):
            return None
        moments = np.unique([max(at, _SOONEST_S) for run in runs for at, _ in _reports(run)])
        seconds = moments[np.unique(np.linspace(0, len(moments) - 1, _MOMENTS).round().astype(np.int64))]
        chosen = sorted(common)
        bound = _by_instance(story.contenders.get(story.results.bound or "", []))
        return cls(
            seconds, {part: _mean([own[name] for name in chosen], seconds) for part, own in ran.items()},
            float(_mean([bound[name] for name in chosen], np.array([np.inf]))[0]) if common <= set(bound) else None,
            len(chosen),
        )  # fmt: skip


def _by_instance(runs: Sequence[Run]) -> dict[str, list[Run]]:
    found: dict[str, list[Run]] = {}
    for run in runs:
        found.setdefault(run.instance, []).append(run)
    return found


def _mean(instances: Sequence[Sequence[Run]], seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """As the table has it: over an instance's runs, then over instances by weight."""
    own = [np.mean([_held(run, seconds) for run in runs], axis=0) for runs in instances]
    return np.asarray(np.average(own, axis=0, weights=[runs[0].weight for runs in instances]), np.float64)


def _held(run: Run, seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a run would have been worth, had it been stopped at each moment: its last valid report.

    A run that did not end well is worth its failure value all the time, for what it had reported does not count.
    """
    if run.outcome.status is not Status.OK:
        return np.full(len(seconds), run.outcome.value)
    at, values = (np.array(part) for part in zip(*_reports(run), strict=True))
    # Reports of several threads may be stamped in another order than they were taken in; the last taken counts.
    place = np.searchsorted(np.maximum.accumulate(np.maximum(at, _SOONEST_S)), seconds, side="right")
    return np.concatenate([[np.nan], values])[place]


def _reports(run: Run) -> Sequence[tuple[float, float]]:
    """A run's progress; of one without, what it was worth when it had ended."""
    return run.outcome.progress or ((run.outcome.wall_s, run.outcome.value),)
