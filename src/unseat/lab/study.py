"""The study: all of the world that a learner may touch, with every limit counted."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from unseat.core.errors import ContractError, LimitReached
from unseat.core.outcome import Limits, Outcome
from unseat.core.policy import Artefact, Policy
from unseat.core.task import Instance, Task, attempt, cpu_seconds

if TYPE_CHECKING:
    import gymnasium


class LocalStudy:
    """A study in this process; implements `unseat.core.learner.Study`.

    Args:
        task: The task.
        train: Instances to learn from.
        valid: Instances to choose by.
        limits: What the fit may use; `runs`, `wall_s`, `cpu_s` and `policy_bytes` are counted here, and the executor
            watches over time and memory from outside as well.
        seed: The fit's seed.
        announce: Told of every proposal as it comes, so that a fit that is killed leaves its last one.
    """

    def __init__(
        self,
        task: Task,
        train: Sequence[Instance],
        valid: Sequence[Instance],
        limits: Limits,
        seed: int,
        announce: Callable[[Artefact, int], None] | None = None,
    ) -> None:
        # Not for the learner: through the task it would reach every instance.
        self._task = task
        self.train, self.valid, self.limits, self.seed = tuple(train), tuple(valid), limits, seed
        self.runs = 0
        self.last: Artefact | None = None
        self._announce = announce
        self._allowed = {task.content(instance) for instance in (*self.train, *self.valid)}
        self._began, self._cpu_began = time.monotonic(), cpu_seconds()
        # What a run inside a fit is held to must not depend on how long the fit has taken, or equal fits would differ.
        self._run_limits = Limits(wall_s=limits.wall_s, memory=limits.memory, threads=limits.threads)

    def load(self, instance: Instance) -> Any:
        """The whole problem of a training or validation instance, its future included.

        Raises:
            ContractError: The instance is not of this study.
        """
        self._check(instance)
        return self._task.load(instance)

    def run(self, instance: Instance, policy: Policy) -> Outcome:
        """Run a policy on an instance; counts as one run.

        Raises:
            LimitReached: The runs, the time or the CPU time are spent.
            ContractError: The instance is not of this study.
        """
        self._check(instance)
        self._count()
        return attempt(self._task, instance, policy, seed=self.seed, limits=self._run_limits)

    def env(self, instance: Instance) -> gymnasium.Env[Any, Any]:
        """The environment of an instance; each episode counts as one run.

        Raises:
            ContractError: The instance is not of this study, or the task has no environment.
        """
        self._check(instance)
        import gymnasium

        count = self._count

        class Counted(gymnasium.Wrapper[Any, Any, Any, Any]):
            def reset(self, **options: Any) -> tuple[Any, dict[str, Any]]:
                count()
                return super().reset(**options)

        return Counted(self._task.env(instance))

    def propose(self, policy: Policy) -> None:
        """Put forward the best policy so far.

        Raises:
            ContractError: It holds more bytes than the study allows.
        """
        self.last = self.measured(policy)
        if self._announce:
            self._announce(self.last, self.runs)

    def measured(self, policy: Policy) -> Artefact:
        """A policy as data, held against the limit in bytes.

        Raises:
            ContractError: It holds more bytes than the study allows, or it is no policy.
        """
        if not isinstance(policy, Policy):
            raise ContractError(f"a learner must give a Policy, not {type(policy).__name__}")
        artefact = replace(policy.artefact, fit=None)
        most = self.limits.policy_bytes
        if most is not None and artefact.nbytes > most:
            raise ContractError(f"policy {policy.name} holds {artefact.nbytes} bytes; the study allows {most}")
        return artefact

    def wall_s(self) -> float:
        """Seconds since the fit began."""
        return time.monotonic() - self._began

    def cpu_s(self) -> float:
        """CPU seconds of the fit: this process and the children it has waited for."""
        return cpu_seconds() - self._cpu_began

    def _check(self, instance: Instance) -> None:
        if self._task.content(instance) not in self._allowed:
            raise ContractError(f"instance {instance.id} is not of this study: a learner sees training data only")

    def _count(self) -> None:
        limits = self.limits
        if limits.runs is not None and self.runs >= limits.runs:
            raise LimitReached(f"the study's {limits.runs} runs are spent")
        if limits.wall_s is not None and self.wall_s() >= limits.wall_s:
            raise LimitReached(f"the study's {limits.wall_s:g} s are spent")
        if limits.cpu_s is not None and self.cpu_s() >= limits.cpu_s:
            raise LimitReached(f"the study's {limits.cpu_s:g} s of CPU time are spent")
        self.runs += 1
