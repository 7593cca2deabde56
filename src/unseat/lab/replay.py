"""Replay: any outcome of the ledger, derived again."""

from __future__ import annotations

from dataclasses import dataclass

from unseat.core import registry
from unseat.core.errors import UserError
from unseat.core.outcome import Outcome
from unseat.lab.executors import Serial
from unseat.lab.ledger import Ledger
from unseat.lab.provenance import source_hash
from unseat.lab.records import Job, Run


@dataclass(frozen=True)
class Replayed:
    """An outcome beside what the same job gives now.

    Attributes:
        stored: What the ledger holds.
        again: What came out now.
        equal: Whether status, value and metrics are equal to the bit; of a ``timed`` task, whether the status is.
        changed: What is no longer as it was when the run was made, in words; it explains a difference.
    """

    stored: Outcome
    again: Outcome
    equal: bool
    changed: tuple[str, ...] = ()


def replay(run: Run, ledger: Ledger) -> Replayed:
    """Do a run again, from the job and the artefact that the ledger holds.

    Raises:
        UserError: The task, its data or the artefact is no longer there.
    """
    job = Job.from_json(run.job)
    task = registry.task(job.task, data=job.data, options=job.options)
    if job.artefact is None and run.fit is not None:
        raise UserError(f"run {run.key[:12]} stands for a fit that gave no policy; there is nothing to replay")
    with Serial(ledger.store.root) as executor:
        again = next(done.outcome for done in executor.map([job]) if done.outcome)
    timed = task.card.repeatability == "timed"
    then, now = _decisive(run.outcome, timed), _decisive(again, timed)
    return Replayed(run.outcome, again, then == now, _changed(run, source_hash(task)))


def _decisive(outcome: Outcome, timed: bool) -> tuple[object, ...]:
    """What must be equal; as text, in which floats are exact and not-a-number equals itself."""
    status = str(outcome.status)
    return (status,) if timed else (status, repr(outcome.value), repr(sorted(outcome.metrics.items())))


def _changed(run: Run, sources: str) -> tuple[str, ...]:
    from unseat.lab.provenance import key_versions

    before = run.provenance.get("libraries", {}) | {"unseat": run.provenance.get("unseat", "")}
    found = [f"{name} is {now} here and was {before[name]}" for name, now in key_versions().items()
             if name in before and not f"{before[name]}.".startswith(f"{now}.")]  # fmt: skip
    if run.provenance.get("sources") != sources:
        found.append("the task's sources have changed")
    return tuple(found)
