"""Keys of the ledger: equal where nothing that could change an outcome differs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unseat.core.learner import Learner
from unseat.core.task import Instance, Task
from unseat.lab.provenance import code_hash, key_versions, source_hash
from unseat.lab.records import FitJob, Job, digest


class Keys:
    """Makes the keys of one task's runs and fits.

    Args:
        task: The task, on its own data or on a user's.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self._fixed = {"task": task.card.full_id, "sources": source_hash(task), "versions": key_versions()}
        self._known: dict[str, str] = {}

    def run(self, job: Job, instance: Instance, source: str | None, fit: str | None, block: str | None) -> str:
        """The key of a run.

        Args:
            job: The run; its contender counts only where there is no artefact.
            instance: Its instance.
            source: Import path of the policy's code; None where there is no artefact.
            fit: Key of a fit that gave no policy.
            block: The block of a timed run.
        """
        doer = {"artefact": job.artefact, "code": self._code(source)} if job.artefact and source else {
            "contender": job.contender, "fit": fit}  # fmt: skip
        what = {"kind": "run", **doer, "instance": self.content(instance), "limits": job.limits.to_json(),
                "seed": job.seed, "repeat": job.repeat, "block": block}  # fmt: skip
        return digest({**self._fixed, **what})

    def fit(self, job: FitJob, learner: Learner, train: Sequence[Instance], valid: Sequence[Instance]) -> str:
        """The key of a fit."""
        return digest({**self._fixed, "kind": "fit", **self.fit_record(job, learner, train, valid)})

    def fit_record(
        self, job: FitJob, learner: Learner, train: Sequence[Instance], valid: Sequence[Instance]
    ) -> dict[str, Any]:
        """What an artefact says of the fit that made it, as plain JSON."""
        source = f"{type(learner).__module__}:{type(learner).__qualname__}"
        return {
            "task": self.task.card.full_id,
            "contender": job.contender,
            "learner": source,
            "code": self._code(source),
            "config": dict(learner.config()),
            "train": {one.id: self.content(one) for one in train},
            "valid": {one.id: self.content(one) for one in valid},
            "train_groups": sorted({one.group for one in train}),
            "valid_groups": sorted({one.group for one in valid}),
            "limits": job.limits.to_json(),
            "seed": job.seed,
            "versions": key_versions(fit=True),
        }

    def content(self, instance: Instance) -> str:
        """The hash of an instance's data."""
        if instance.id not in self._known:
            self._known[instance.id] = self.task.content(instance)
        return self._known[instance.id]

    def _code(self, source: str | None) -> str:
        return code_hash(source, self.task) if source else ""
