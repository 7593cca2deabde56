"""What a long benchmark has measured in a run before: lines of a file, each under a key of all that could change it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from unseat.core.policy import Policy
from unseat.core.task import Task
from unseat.lab.provenance import key_versions, source_hash
from unseat.lab.records import digest


class Kept:
    """Numbers by policy and instance.

    Args:
        path: The file, which is made; None keeps nothing.
        task: The task that measures.
    """

    def __init__(self, path: Path | None, task: Task) -> None:
        self.path, self.task = path, task
        self._fixed = [source_hash(task), key_versions()]
        self._known: dict[str, Any] = {}
        for line in path.read_text(encoding="utf-8").splitlines() if path and path.exists() else []:
            try:
                key, numbers = json.loads(line)
            except ValueError:
                continue  # it was stopped while it wrote
            self._known[key] = numbers

    def get(self, policy: Policy, instance: str, seed: int = 0) -> Any:
        """What was measured, by the same policy, code and compiler; None where nothing was."""
        return self._known.get(self._key(policy, instance, seed))

    def add(self, policy: Policy, instance: str, numbers: Any, seed: int = 0) -> None:
        """Write down what was measured, as plain JSON."""
        key = self._key(policy, instance, seed)
        self._known[key] = numbers
        if self.path is not None:
            whole = not self.path.exists() or self.path.read_bytes()[-1:] in (b"\n", b"")
            with self.path.open("a", encoding="utf-8") as file:
                file.write(("" if whole else "\n") + json.dumps([key, numbers]) + "\n")

    def _key(self, policy: Policy, instance: str, seed: int) -> str:
        content = self.task.content(self.task.instance(instance))
        return digest([*self._fixed, policy.artefact.hash, policy.name, content, instance, seed])
