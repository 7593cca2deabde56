"""The example of whole answers, with solvers that stop, hang, cheat and fail in every way."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from examples.tiny_answers.task import Listed, MachineScheduling, Problem

from unseat import Answers, Contender, Instance, Outcome, Policy, Role, Session, View
from unseat.lab.reports import MOST


@dataclass(frozen=True)
class Solver(Policy):
    """Reports a solution that is not so good, then a good one, and then does something else."""

    name: str
    how: str

    def start(self, view: View, seed: int) -> Session:
        return _Solver(view, self.how)


class _Solver(Session):
    def __init__(self, view: View, how: str) -> None:
        self.view, self.how = view, how
        self.first, self.second = (
            Listed("", longest_first).start(view, 0).decide(None) for longest_first in (False, True)
        )

    def decide(self, observation: Any) -> Any:
        if self.how != "never":
            self.view.report(self.first)
            self.view.report("what this machine cannot read")
            self.view.report(self.second)
        return getattr(self, f"_{self.how}")()

    def _never(self) -> None:
        time.sleep(600)

    def _hangs(self) -> None:
        time.sleep(600)

    def _deaf(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        time.sleep(600)

    def _stubborn(self) -> None:
        while True:
            try:
                while True:
                    self.view.report(self.first)
                    time.sleep(0.01)
            except Exception:
                continue

    def _late(self) -> Any:
        assert self.view.deadline is not None
        while time.monotonic() <= self.view.deadline:
            pass
        return self.first

    def _tardy(self) -> None:
        self._late()
        self.view.report(self.first)

    def _bad_last(self) -> Any:
        return self.second[:-1]

    def _not_json(self) -> Any:
        return {1, 2}

    def _spoils(self) -> None:
        self.second[:] = -1

    def _crashes(self) -> None:
        raise RuntimeError("this solver is broken")

    def _eager(self) -> None:
        for _ in range(MOST):
            self.view.report(self.first)
        self.view.report(self.second)

    def _pipes(self) -> None:
        path: Path = cast(Any, self.view.listener).__self__._path
        path.unlink()
        os.mkfifo(path)
        os._exit(3)

    def _dies(self) -> None:
        os._exit(3)

    def _answers(self) -> Any:
        return self.first


HOW = [name[1:] for name in vars(_Solver) if name.startswith("_") and not name.startswith("__")]


class Solving(MachineScheduling):
    """The example, with a solution file, and with a solver for each way to end."""

    def contenders(self) -> Mapping[str, Contender]:
        found = {how: Contender(how, Role.CHALLENGER, partial(Solver, how, how)) for how in HOW}
        file = Contender("file", Role.CHALLENGER, lambda: Answers("file", solutions(self)))
        return {**super().contenders(), **found, "file": file}


class SlowlyScored(Solving):
    """Scoring takes far longer than the run may."""

    def score(self, problem: Problem, answer: Any) -> Outcome:
        time.sleep(1.5)
        return super().score(problem, answer)


def solutions(task: MachineScheduling) -> dict[str, Any]:
    """A solution of every instance: all jobs in turn."""

    def turns(instance: Instance) -> Any:
        problem = task.load(instance)
        return np.arange(len(problem.durations)) % problem.machines

    return {instance.id: turns(instance) for instance in task.instances()}
