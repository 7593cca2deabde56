"""The contest's command line: a file and a time limit in seconds; the last line printed is the answer."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

from unseat.core.errors import UserError
from unseat.core.policy import Artefact, View
from unseat.tasks.shard.data.reader import read_json
from unseat.tasks.shard.engine.problem import NO_LIMIT, Problem


class Printer:
    """Keeps the best answer within the limit, and prints it once.

    Attributes:
        best: The list; empty where there is none, as the contest wants it.
    """

    def __init__(self, problem: Problem | None = None) -> None:
        self.problem, self.best, self.cost, self.printed = problem, "[]", -1, False

    def hear(self, answer: Any) -> None:
        """An answer that a policy reports."""
        assert self.problem is not None
        chosen = self.problem.checked(answer)
        cost = self.problem.cost(chosen)
        if self.problem.limit != NO_LIMIT and self.problem.peak(chosen) > self.problem.limit:
            return
        if self.cost < 0 or cost < self.cost:
            # One assignment, so that a signal in between finds the one or the other.
            self.best, self.cost = str(chosen.tolist()), cost

    def stop(self, number: int, frame: FrameType | None) -> None:
        """On SIGTERM: print, and end at once, whatever threads are at work."""
        import os

        os.write(1, (self.best + "\n").encode())
        os._exit(0)


def main(arguments: list[str], policy: str) -> int:
    """Solve one file.

    Args:
        arguments: The command, FILE and TIMEOUT.
        policy: Folder of the artefact that answers.

    Returns:
        The exit code.
    """
    began = time.monotonic()
    printer = Printer()
    signal.signal(signal.SIGTERM, printer.stop)
    try:
        if len(arguments) != 3:
            raise UserError(f"usage: {Path(arguments[0]).name} FILE TIMEOUT, the timeout in seconds")
        try:
            seconds = float(arguments[2])
        except ValueError as error:
            raise UserError(f"the timeout is {arguments[2]!r}, and must be a number of seconds") from error
        if not 0 < seconds < 1e9:
            raise UserError(f"the timeout is {arguments[2]}; give more than 0 seconds")
        printer.problem = read_json(Path(arguments[1]))
        solver = Artefact.load(Path(policy)).restore()
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    view = View("strategies", printer.problem.facts(), deadline=began + seconds, listener=printer.hear)
    answer = solver.start(view, 0).decide(None)
    if answer is not None:
        printer.hear(answer)
    sys.stdout.write(printer.best + "\n")
    return 0
