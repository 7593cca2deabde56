"""The study: all of the world that a learner may touch, with every limit counted."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from unseat.core.errors import ContractError, LimitReached
from unseat.core.outcome import Limits, Outcome
from unseat.core.policy import Artefact, Policy
from unseat.core.task import Instance, Task
from unseat.lab.attempt import attempt, cpu_seconds

if TYPE_CHECKING:
    from unseat.core.env import Environment


class LocalStudy:
    """A study in this process; implements `unseat.core.learner.Study`.

    Args:
        task: The task.
        train: Instances to learn from.
        valid: Instances to choose by.
        limits: What the fit may use; all but `memory` and `threads` are counted here, and the executor watches over
            time and memory from outside as well.
        seed: The fit's seed.
        announce: Told of every proposal, or None, and of what is spent, as they come, so that a fit that is killed
            leaves its last proposal and its bill.
    """

    def __init__(
        self,
        task: Task,
        train: Sequence[Instance],
        valid: Sequence[Instance],
        limits: Limits,
        seed: int,
        announce: Callable[[Artefact | None, dict[str, Any]], None] | None = None,
    ) -> None:
        # Not for the learner: through the task it would reach every instance.
        self._task = task
        self.train, self.valid, self.limits, self.seed = tuple(train), tuple(valid), limits, seed
        self.runs, self.tokens, self.dollars = 0, 0, 0.0
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
        outcome = attempt(self._task, instance, policy, seed=self.seed, limits=self._run_limits)
        # A run that was going on when the study's own time was up may have been stopped by that: it tells nothing.
        self._check_time()
        return outcome

    def env(self, instance: Instance) -> Environment:
        """The environment of an instance; each episode counts as one run.

        Raises:
            ContractError: The instance is not of this study, or the task has no environment.
        """
        self._check(instance)
        env, count = self._task.env(instance), self._count
        reset = env.reset

        def counted(**options: Any) -> Any:
            count()
            return reset(**options)

        # A wrapper would have to be of Gymnasium or of PettingZoo; what counts is the same.
        env.reset = counted  # type: ignore[method-assign]
        return env

    def charge(self, runs: int) -> None:
        """Count runs that the learner makes by itself, with what `load` gave it; before it makes them.

        Raises:
            LimitReached: That is more than is left, or the time is up: none of them is counted, and none may be made.
            ContractError: A number below zero.
        """
        if runs < 0:
            raise ContractError(f"{runs} runs cannot be charged")
        if runs:
            self._count(runs)

    def propose(self, policy: Policy) -> None:
        """Put forward the best policy so far.

        Raises:
            LimitReached: More tokens or money were spent than the study allows.
            ContractError: It holds more bytes than the study allows.
        """
        self._check_bill()
        self.last = self.measured(policy)
        if self._announce:
            self._announce(self.last, self.spent())

    def spend(self, *, tokens: int = 0, dollars: float = 0.0) -> None:
        """Count what was paid to a language model; `tokens` and `dollars` say how much that is so far.

        Raises:
            LimitReached: That was more than the study allows. From then on nothing can be run or proposed, and what
                `fit` returns does not count: the last proposal does.
            ContractError: An amount is below zero, or none at all.
        """
        if not (tokens >= 0 and 0 <= dollars < math.inf):
            raise ContractError(f"{tokens} tokens and {dollars} dollars cannot be spent")
        self.tokens, self.dollars = self.tokens + tokens, self.dollars + dollars
        if self._announce:
            self._announce(None, self.spent())
        self._check_bill()

    def spent(self) -> dict[str, Any]:
        """Runs, tokens and dollars so far."""
        return {"runs": self.runs, "tokens": self.tokens, "dollars": self.dollars}

    def finish(self, policy: Policy) -> None:
        """Take what the fit has returned as its result.

        Raises:
            LimitReached: More tokens or money were spent than the study allows; the last proposal is the result.
            ContractError: It is no policy, or holds more bytes than the study allows.
        """
        self._check_bill()
        self.last = self.measured(policy)

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

    def _count(self, runs: int = 1) -> None:
        self._check_bill()
        limits = self.limits
        if limits.runs is not None and self.runs + runs > limits.runs:
            raise LimitReached(f"the study's {limits.runs} runs are spent")
        self._check_time()
        self.runs += runs

    def _check_time(self) -> None:
        limits = self.limits
        if limits.wall_s is not None and self.wall_s() >= limits.wall_s:
            raise LimitReached(f"the study's {limits.wall_s:g} s are spent")
        if limits.cpu_s is not None and self.cpu_s() >= limits.cpu_s:
            raise LimitReached(f"the study's {limits.cpu_s:g} s of CPU time are spent")

    def _check_bill(self) -> None:
        tokens, dollars = self.limits.tokens, self.limits.dollars
        if tokens is not None and self.tokens > tokens:
            raise LimitReached(f"the study's {tokens} tokens are spent")
        if dollars is not None and self.dollars > dollars:
            raise LimitReached(f"the study's {dollars:g} dollars are spent")
