"""An episode: a policy puts sequences together or tries whole ones, and the smallest is reported."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.policy import Asker, InvalidAnswer, Question, Session, View
from unseat.tasks.llvm.engine.elf import text_bytes
from unseat.tasks.llvm.engine.optimizer import Optimizer
from unseat.tasks.llvm.engine.process import ToolError
from unseat.tasks.llvm.passes.actions import LEVELS, MOST, NAMES, PIPELINES, checked
from unseat.tasks.llvm.passes.problem import Problem
from unseat.tasks.llvm.passes.question import RESTART, STOP, observation


class Episode:
    """The state of an episode.

    Args:
        optimizer: The module.
        problem: The problem.
        view: Where the best sequence is reported.

    Attributes:
        sequence: The passes run since the module was as it was in the beginning.
        best: Bytes of the smallest module so far; -1 before any was measured.
        steps: Passes that were run and modules that were measured.
        sequences: How many modules were measured.
        failed: Passes and sequences that LLVM could not run.
        spoilt: Sequences that made the smallest program, and another one.
    """

    def __init__(self, optimizer: Optimizer, problem: Problem, view: View) -> None:
        self.optimizer, self.problem, self.view = optimizer, problem, view
        self.sequence: list[str] = []
        self.last_pass, self.last, self.best = -1, -1, -1
        self._measured = False
        self.steps = self.sequences = self.failed = self.spoilt = 0

    def observe(self) -> NDArray[np.int64]:
        """What the policy sees."""
        run = (len(self.sequence), self.last_pass, self.last, self.best, self.sequences)
        return observation(self.optimizer.counts, run)

    def apply(self, action: int) -> None:
        """Run one pass; one that LLVM cannot run is left out of the sequence."""
        self.steps += 1
        self.last_pass, self._measured = action, False
        if self.optimizer.run(PIPELINES[NAMES[action]]):
            self.sequence.append(NAMES[action])
        else:
            self.failed += 1

    def measure(self, *more: str) -> None:
        """Measure the sequence at hand as it would be with some passes more, and report it if it is the smallest.

        Passes have faults, so the smallest is linked and run before it counts, as who tunes a compiler does.
        """
        if self._measured and not more:
            return
        self._measured = True
        self.steps += 1 + len(more)
        self.sequences += 1
        try:
            made = self.optimizer.object(*(PIPELINES[name] for name in more))
            size = text_bytes(made)
            if self.best < 0 or size < self.best:
                self.problem.check(made, self.view.deadline)
                self.best = size
                self.view.report([*self.sequence, *more])
        except ToolError:
            self.failed += 1
            size = round(self.problem.program.worst)
        except InvalidAnswer:
            self.spoilt += 1
            size = round(self.problem.program.worst)
        self.last = size

    def restart(self, *first: str) -> None:
        """Begin another sequence."""
        if self.sequence != list(first):
            self.optimizer.restart()
            self.sequence, self._measured = [], self.sequences > 0
            for name in first:
                self.apply(NAMES.index(name))
        self.last_pass = -1

    def attempt(self, tried: tuple[str, ...]) -> None:
        """Measure a whole sequence. A pipeline at its head is kept: the next sequence may begin with it too."""
        head = tried[:1] if tried[:1] and tried[0] in LEVELS else ()
        self.restart(*head)
        self._measured = False
        self.measure(*tried[len(self.sequence) :])

    def act(self, action: Any) -> bool:
        """Do what the policy says; whether the episode goes on.

        Raises:
            InvalidAnswer: It is neither an action nor a sequence.
        """
        if isinstance(action, list | tuple):
            self.attempt(checked(action))
        elif action == STOP:
            self.measure()
            return False
        elif action == RESTART:
            # A step of its own, or who only restarts would never end.
            self.steps += 1
            self.measure()
            self.restart()
        else:
            self.apply(int(action))
            if len(self.sequence) == MOST:
                self.measure()
                self.restart()
        if self.steps < self.problem.steps:
            return True
        self.measure()
        return False


@dataclass(frozen=True)
class Ended:
    """How an episode went."""

    asker: Asker
    metrics: dict[str, float]


def play(problem: Problem, session: Session, question: Question, view: View) -> Ended:
    """Ask until the policy stops, or its steps are spent.

    Raises:
        InvalidAnswer: An answer is neither an action nor a sequence.
        DeadlineReached: The run's time is up.
        ToolError: LLVM cannot be brought to work.
    """
    # Whole sequences are no points of the space, which is for those who take a step at a time.
    asker = Asker(session, replace(question, action=None), view.deadline)
    with Optimizer(problem.bitcode, problem.counts, deadline=view.deadline) as optimizer:
        episode = Episode(optimizer, problem, view)
        while True:
            action = asker(episode.observe())
            if not isinstance(action, list | tuple) and not (question.action and question.action.contains(action)):
                raise InvalidAnswer(f"answer {asker.decisions} is {action!r:.80}, not in {question.action}")
            if not episode.act(action):
                break
        metrics = {
            "passes_run": float(episode.steps), "sequences": float(episode.sequences),
            "failed_passes": float(episode.failed), "spoilt": float(episode.spoilt), "workers": float(optimizer.starts),
        }  # fmt: skip
    return Ended(asker, metrics)
