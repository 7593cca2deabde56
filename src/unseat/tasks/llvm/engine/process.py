"""Tools as child processes: each in a process group of its own, under a time limit, and gone at the end."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from unseat.core.outcome import Status
from unseat.core.policy import DeadlineReached
from unseat.tasks.llvm.engine import workplace

SILENCE_S = 120.0
"""Seconds after which a tool that gives no sign of life hangs. Time that a policy takes is not the tool's."""

_KEPT = 1 << 14
_LONGEST_WAIT_S, _GRACE_S = 3600.0, 2.0
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH")


class ToolError(Exception):
    """A tool did not do its work; `status` is how a run in which that happens has ended."""

    status = Status.CRASHED


class Crashed(ToolError):
    """A signal killed it."""


class Failed(ToolError):
    """It ended with another exit code than 0, which is `code`."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class Hung(ToolError):
    """It gave no sign of life for too long."""

    status = Status.TIMEOUT


class Process:
    """A tool at work; to be used in a ``with``, at whose end neither it nor a child of its own is left.

    Args:
        command: Program and arguments.
        folder: Its working folder, and where its temporary files go.
        deadline: `time.monotonic()` at which the run ends that it is a part of.
        silence_s: See `SILENCE_S`.
        stdin: What it reads; nothing if None.
        stdout: Where it writes; nowhere if None.
        visible: Whether it is the user's own tool instead: it has this process's input, outputs and environment, and
            nothing of what it says is kept.
    """

    def __init__(
        self, command: Sequence[str], folder: Path, *, deadline: float | None = None, silence_s: float = SILENCE_S,
        stdin: IO[Any] | None = None, stdout: IO[Any] | None = None, visible: bool = False,
    ) -> None:  # fmt: skip
        self.name = Path(command[0]).name
        self._deadline, self._silence_s = deadline, silence_s
        self._said, self._closed, self._visible = b"", visible, visible
        own: dict[str, Any] = {} if visible else {
            "env": _environment(folder), "stdin": stdin or subprocess.DEVNULL, "stdout": stdout or subprocess.DEVNULL,
            "stderr": subprocess.PIPE,
        }  # fmt: skip
        self._process = subprocess.Popen(command, cwd=folder, process_group=0, **own)
        workplace.started(self._process.pid)
        self._errors = self._process.stderr.fileno() if self._process.stderr else -1
        # Tells the end of this very process, whatever its children keep open.
        self._end = os.pidfd_open(self._process.pid)
        self._poll = select.poll()
        self._poll.register(self._end, select.POLLIN)
        if not visible:
            os.set_blocking(self._errors, False)
            self._poll.register(self._errors, select.POLLIN)
        self._watched: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        # Its number stays its group's as long as it has not been waited for, so that this hits nobody else.
        if self._visible:
            # It may have begun to write a file of the user's, which it removes if it is asked to go.
            self._kill(signal.SIGTERM)
            select.select([self._end], [], [], _GRACE_S)
        self._kill(signal.SIGKILL)
        workplace.ended(self._process.pid)
        self._process.wait()
        os.close(self._end)
        if self._process.stderr is not None:
            self._process.stderr.close()

    def _kill(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def watch(self, descriptor: int) -> None:
        """Let `wait` end when there is something to read from a descriptor, too."""
        self._poll.register(descriptor, select.POLLIN)
        self._watched.append(descriptor)

    def wait(self) -> bool:
        """Wait until what is watched can be read, or the tool has ended.

        Returns:
            Whether it is still at work. Where it is not, there may be something to read all the same.

        Raises:
            Hung: It gave no sign of life.
            DeadlineReached: The run's time is up.
        """
        patience = time.monotonic() + self._silence_s
        limit = patience if self._deadline is None else min(patience, self._deadline)
        while True:
            left = limit - time.monotonic()
            if left <= 0 and limit == self._deadline:
                raise DeadlineReached(f"time was up while {self.name} was at work")
            if left <= 0:
                raise Hung(f"{self.name} gave no sign of life for {self._silence_s:g} s")
            ready = [descriptor for descriptor, _ in self._poll.poll(1000 * min(left, _LONGEST_WAIT_S))]
            if self._errors in ready:
                self._hear()
            if any(descriptor in ready for descriptor in self._watched):
                return True
            if self._end in ready:
                return False

    def finish(self) -> None:
        """Wait for its end, and see that it ended well.

        Raises:
            Crashed: A signal killed it.
            Failed: It says that it failed.
            Hung: It gave no sign of life.
            DeadlineReached: The run's time is up.
        """
        while self._watched:
            self._poll.unregister(self._watched.pop())
        self.wait()
        self._hear()
        ended = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        assert ended is not None
        if ended.si_code != os.CLD_EXITED:
            raise Crashed(f"{self.name} was killed by {signal.Signals(ended.si_status).name}{self.complaint()}")
        if ended.si_status:
            text = f"{self.name} ended with exit code {ended.si_status}{self.complaint()}"
            raise Failed(text, ended.si_status)

    def complaint(self) -> str:
        """What it said first of an error, as the end of a message."""
        lines = self._said.decode(errors="replace").splitlines()
        telling = [line for line in lines if "error" in line.lower()] or lines
        return f": {telling[0].strip()[:300]}" if telling else ""

    def _hear(self) -> None:
        """Take what it writes to standard error, of which the beginning is kept."""
        if self._closed:
            return
        with contextlib.suppress(BlockingIOError):
            said = os.read(self._errors, 1 << 16)
            self._said = (self._said + said)[:_KEPT]
            if not said:
                self._closed = True
                self._poll.unregister(self._errors)


def call(command: Sequence[str], folder: Path, **how: Any) -> None:
    """Run a tool to its end; arguments and errors are those of `Process` and `Process.finish`."""
    with Process(command, folder, **how) as process:
        process.finish()


def _environment(folder: Path) -> dict[str, str]:
    """Little, so that no variable of the user's changes what a compiler makes."""
    passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {**passed, "LC_ALL": "C", "TMPDIR": str(folder)}
