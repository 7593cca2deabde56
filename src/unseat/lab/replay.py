"""Replay: any outcome of the ledger, derived again."""

from __future__ import annotations

from dataclasses import dataclass, replace

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
        equal: Whether status, value and metrics are equal to the bit; of a ``timed`` task, whether the status is. Of
            an ``answer`` task the stored answer is scored again, so what its score gives must be equal; the status
            alone, where the run gave no answer and is done again.
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
    if run.answer is not None:
        # A solution file is a policy like any other: running it is scoring it, without whoever found the solution.
        job = replace(job, artefact=run.answer)
    with Serial(ledger.store.root) as executor:
        again = next(done.outcome for done in executor.map([job]) if done.outcome)
    by_status = task.card.repeatability == "timed" or (task.card.repeatability == "answer" and run.answer is None)
    # What was measured on the way to a stored answer is not measured again.
    metrics = set(again.metrics) | (set() if run.answer else set(run.outcome.metrics))
    then, now = (_decisive(outcome, by_status, metrics) for outcome in (run.outcome, again))
    return Replayed(run.outcome, again, then == now, _changed(run, source_hash(task)))


def _decisive(outcome: Outcome, by_status: bool, metrics: set[str]) -> tuple[object, ...]:
    """What must be equal; as text, in which floats are exact and not-a-number equals itself."""
    values = [(name, repr(outcome.metrics.get(name))) for name in sorted(metrics)]
    return (str(outcome.status),) if by_status else (str(outcome.status), repr(outcome.value), *values)


def _changed(run: Run, sources: str) -> tuple[str, ...]:
    from unseat.lab.provenance import key_versions

    before = run.provenance.get("libraries", {}) | {"unseat": run.provenance.get("unseat", "")}
    found = [f"{name} is {now} here and was {before[name]}" for name, now in key_versions().items()
             if name in before and not f"{before[name]}.".startswith(f"{now}.")]  # fmt: skip
    if run.provenance.get("sources") != sources:
        found.append("the task's sources have changed")
    return tuple(found)
