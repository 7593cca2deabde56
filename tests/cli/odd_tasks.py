"""Tasks that go wrong on purpose: the tiny example, with a run that crashes or waits."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from examples.tiny_task.task import SpinThenBlock

from unseat import Limits, Outcome, Policy


class Crashing(SpinThenBlock):
    """The policy `block` raises wherever it is run."""

    def run(self, problem: Any, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        if policy.name == "block":
            raise ArithmeticError("this policy always raises")
        return super().run(problem, policy, seed=seed, limits=limits)


class Waiting(SpinThenBlock):
    """The policy `glibc` never ends; it says so through a pipe when it begins."""

    def run(self, problem: Any, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        if policy.name == "glibc":
            with Path(os.environ["UNSEAT_TEST_PIPE"]).open("w") as pipe:
                pipe.write("x")
            signal.pause()
        return super().run(problem, policy, seed=seed, limits=limits)
