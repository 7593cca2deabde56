"""The driver's side of one child process: starting it, talking to it, watching what it uses, killing it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from unseat.core.outcome import Limits

_SLACK_S = 0.1
_GRACE_S = 2.0
_CLOSE_S = 2.0
_THREAD_VARIABLES = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Worker:
    """One child process in a process group of its own.

    Args:
        store: Folder of the content store.
        threads: Threads that libraries in the child may start; None leaves it to them.
    """

    def __init__(self, store: Path, threads: int | None) -> None:
        self.threads = threads
        self.served = 0
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(part or str(Path.cwd()) for part in sys.path)}
        if threads is not None:
            environment |= dict.fromkeys(_THREAD_VARIABLES, str(threads))
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "unseat.lab.guard", str(store)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, start_new_session=True,
        )  # fmt: skip
        assert self._process.stdin and self._process.stdout
        self._requests, self._answers = self._process.stdin, self._process.stdout
        os.set_blocking(self._answers.fileno(), False)
        self._partial = b""
        self._watched = psutil.Process(self._process.pid)

    def fileno(self) -> int:
        """What a selector waits on."""
        return self._answers.fileno()

    def send(self, request: Mapping[str, Any]) -> None:
        """Send a request; a child that has died shows when it is read."""
        with contextlib.suppress(BrokenPipeError):
            self._requests.write(json.dumps(request).encode() + b"\n")
            self._requests.flush()

    def read(self) -> list[dict[str, Any]]:
        """The messages that have come.

        Raises:
            EOFError: The child is gone.
        """
        try:
            came = os.read(self.fileno(), 1 << 20)
        except BlockingIOError:
            return []
        if not came:
            raise EOFError(self._how_it_ended())
        *lines, self._partial = (self._partial + came).split(b"\n")
        return [json.loads(line) for line in lines]

    def memory(self, tree: bool) -> int:
        """Bytes of resident memory, with that of its own children if `tree`."""
        return sum(process.memory_info().rss for process in self._family(tree))

    def cpu_s(self, tree: bool) -> float:
        """CPU seconds used so far, also by children that it has waited for, and by live ones if `tree`."""
        total = 0.0
        for process in self._family(tree):
            times = process.cpu_times()
            total += times.user + times.system
            if process is self._watched:
                total += times.children_user + times.children_system
        return total

    def ask_to_stop(self) -> None:
        """SIGTERM: the run in progress gives the best answer that it has, and soon."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the child and everything that it has started, at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._release()

    def close(self) -> None:
        """Let an idle child end by itself, then make sure that it and all it has started are gone."""
        with contextlib.suppress(OSError):
            self._requests.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_CLOSE_S)
        self.kill()

    def _family(self, tree: bool) -> list[Any]:
        found = [self._watched]
        if tree:
            found += self._watched.children(recursive=True)
        return found

    def _how_it_ended(self) -> str:
        try:
            code = self._process.wait(_CLOSE_S)
        except subprocess.TimeoutExpired:
            return "the process closed its output"
        if code < 0:
            return f"the process was killed by {signal.Signals(-code).name}"
        return f"the process ended with exit code {code}"

    def _release(self) -> None:
        self._process.wait()
        for pipe in (self._requests, self._answers):
            with contextlib.suppress(OSError):
                pipe.close()


class Watch:
    """Holds a child against the limits of the job that it is doing.

    Args:
        worker: The child.
        limits: The job's limits.
    """

    def __init__(self, worker: Worker, limits: Limits) -> None:
        self._worker, self._limits = worker, limits
        self._began: float | None = None
        self._cpu_began = 0.0
        self._asked: float | None = None
        self._looks = 0
        self._stopped = False
        self.over = ""

    def start(self) -> None:
        """The clock begins: data is loaded and code compiled."""
        self._began = time.monotonic()
        with contextlib.suppress(psutil.Error):
            self._cpu_began = self._worker.cpu_s(tree=False)

    def stop(self) -> None:
        """The clock has stopped: what is left is the task's own work, which no time limit counts."""
        self._stopped = True

    def spent(self) -> tuple[float, float]:
        """Seconds of wall time since the clock began, and of CPU time as far as it can still be told."""
        if self._began is None:
            return 0.0, 0.0
        cpu = 0.0
        with contextlib.suppress(psutil.Error):
            cpu = max(0.0, self._worker.cpu_s(tree=True) - self._cpu_began)
        return time.monotonic() - self._began, cpu

    @property
    def timed_out(self) -> bool:
        """Whether the child was asked to stop because its time was up."""
        return self._asked is not None

    def look(self) -> bool:
        """Check all limits; True when the child must be killed now, with the reason in `over`."""
        try:
            # Finding the child's own children means reading all of /proc, so it is done on every fifth look only.
            self._looks += 1
            tree = self._looks % 5 == 1
            if self._limits.memory and self._worker.memory(tree) > self._limits.memory:
                self.over = f"used more than {self._limits.memory / 2**20:.0f} MiB of memory"
                return True
            if self._stopped:
                return False
            if self._asked is not None:
                return time.monotonic() - self._asked > _GRACE_S
            self._check_time(tree)
        except psutil.Error:
            # It has just ended; its closed output says so.
            return False
        return False

    def _check_time(self, tree: bool) -> None:
        if self._began is None:
            return
        wall, cpu = self._limits.wall_s, self._limits.cpu_s
        if wall and time.monotonic() - self._began > wall + _SLACK_S:
            self.over = f"ran longer than {wall:g} s"
        elif cpu and self._worker.cpu_s(tree) - self._cpu_began > cpu + _SLACK_S:
            self.over = f"used more than {cpu:g} s of CPU time"
        if self.over:
            self._asked = time.monotonic()
            self._worker.ask_to_stop()
