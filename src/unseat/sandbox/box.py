"""A sandbox: one warm parent behind bubblewrap, which forks a fresh, confined process for each candidate."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from unseat.sandbox import bubblewrap, seccomp
from unseat.sandbox.inside import wire
from unseat.sandbox.limits import ALL, Cage, Defence
from unseat.sandbox.listening import Ending, Listener, SandboxError, Talk

_START_S, _PARENT_BYTES = 120.0, 256 << 20
_NAMESPACES = frozenset({Defence.PRIVATE_FILES, Defence.PROCESSES_APART, Defence.UNPRIVILEGED, Defence.PROJECT})
FIRST_UID = 200_000
"""Users that no account has: each candidate is one of its own, so that limits by user count its processes only."""


@dataclass(frozen=True)
class Job:
    """What a candidate does: a call of a function, or a command. Exactly one of `entry` and `command` is given.

    Attributes:
        entry: Name of the function in `source`; or ``module:function`` where there is no source.
        source: Python that defines it, which nobody needs to have read.
        arguments: Its arguments by name: JSON and arrays.
        shared: Arguments that lie in the sandbox already, by name and by their key there (see `Sandbox.share`).
        talks: The entry gives a policy, which answers message after message (see `Sandbox.talk`).
        command: A program and its arguments; its answer is what it prints.
        environment: Of the command.
    """

    entry: str = ""
    source: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    shared: Mapping[str, str] = field(default_factory=dict)
    talks: bool = False
    command: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        """The job as a message."""
        if self.command:
            return wire.encode({"command": list(self.command), "environment": dict(self.environment)})
        plain = {"entry": self.entry, "source": self.source, "shared": dict(self.shared), "talks": self.talks}
        return wire.encode({**plain, "arguments": dict(self.arguments)})


class Sandbox:
    """Runs candidates one after the other, each in a process of its own that sees nothing of those before.

    Bubblewrap ends when the thread ends that made it: make a sandbox where it is used, or in a thread that stays.

    Args:
        cage: Limits of a candidate.
        preload: Modules that are imported once, before any candidate runs; of ``module:function`` the function, which
            must be ours, is called too, to compile what will be needed.
        readable: Files and folders that can be read inside, besides the interpreter's.
        trust: Do without bubblewrap: the code is then only held to limits by process, and has all of your rights.
        off: Defences that are switched off, to show in a test what they are for.

    Attributes:
        patience: Seconds that its warm parent may take to end a candidate.
        parent_cpu_s: CPU seconds that the warm parent took to start, imports included.

    Raises:
        UserError: There is no bubblewrap here, and `trust` is not given.
        SandboxError: It does not start.
    """

    patience: float = 10.0

    def __init__(
        self, cage: Cage | None = None, *, preload: Sequence[str] = (), readable: Sequence[Path] = (),
        trust: bool = False, off: frozenset[Defence] = frozenset(),
    ) -> None:  # fmt: skip
        self.cage, self.preload, self.readable = cage or Cage(), tuple(preload), tuple(readable)
        self.contained = not trust
        if self.contained:
            bubblewrap.required()
        self.on = ALL - off if self.contained else ALL - off - _NAMESPACES
        self.jobs, self._uid = 0, FIRST_UID + os.getpid() % 50_000 * 1000
        self._process: subprocess.Popen[bytes] | None = None
        self._shared: Mapping[str, Any] = {}
        self._start()

    def share(self, values: Mapping[str, Any]) -> None:
        """Put values into the sandbox once, for all jobs to come; each candidate has them as its own copy."""
        self._shared = values
        self._lend(values)

    def run(self, job: Job, cage: Cage | None = None) -> Ending:
        """Run one candidate to its end.

        When this returns, none of its processes is alive and none of its files is there.

        Args:
            job: What it does.
            cage: Limits, if not the sandbox's own.

        Raises:
            SandboxError: The sandbox itself failed; it has been started anew.
        """
        cage = cage or self.cage
        (answer, to_answer), (text, to_text) = os.pipe(), os.pipe()
        try:
            self._begin(job, cage, to_answer, to_text)
            return Listener(self._control, answer, text, cage, self.on, bool(job.command)).wait(self.patience)
        except SandboxError as error:
            self._restart(str(error))
            raise
        finally:
            os.close(answer)
            os.close(text)

    def talk(self, job: Job, cage: Cage | None = None) -> Talk:
        """Begin a candidate that answers message after message; it must be closed before the next one.

        Raises:
            SandboxError: The sandbox itself failed.
        """
        cage = cage or self.cage
        ours, theirs = socket.socketpair()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        self._begin(job, cage, theirs.detach(), nowhere)
        return Talk(ours, self._control, cage)

    def _begin(self, job: Job, cage: Cage, to_answer: int, to_text: int) -> None:
        """Hand a job to the warm parent with what takes its answer and its text, which are closed here."""
        self.jobs += 1
        uid = self._uid + self.jobs % 1000 if os.getuid() == 0 and Defence.UNPRIVILEGED in self.on else None
        limits = cage.to_json()
        head = {"on": sorted(self.on), "limits": limits, "uid": uid, "hide": [str(bubblewrap.PACKAGE)]}
        given = [_memory(job.encoded()), to_answer, to_text]
        try:
            socket.send_fds(self._control, [json.dumps(head).encode()], given)
        except OSError as error:
            raise SandboxError(f"the sandbox has ended: {error}") from error
        finally:
            for each in given:
                os.close(each)

    def close(self) -> None:
        """End the sandbox with everything in it."""
        self._end(self.patience)

    def _end(self, patience: float) -> None:
        if self._process is None:
            return
        # The warm parent ends what runs when the scorer hangs up, and itself.
        self._control.close()
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _start(self) -> None:
        kernels = bubblewrap.compiled_kernels() if self.preload and self.contained else {}
        own, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        number = theirs.fileno()
        line = bubblewrap.interpreter(number)
        if self.contained:
            line = bubblewrap.command(self.on, _PARENT_BYTES, [*self.readable, *map(Path, kernels)], number)
        clear = {"PATH": os.environ.get("PATH", os.defpath)} if Defence.ENVIRONMENT in self.on else None
        # Its own words go to a file: a pipe that nobody reads would block it.
        self._log = os.memfd_create("log")
        self._process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log,
                                         pass_fds=(number,), env=clear)  # fmt: skip
        theirs.close()
        self._control = own
        own.settimeout(_START_S)
        setup = {"path": bubblewrap.path(), "preload": self.preload, "contained": self.contained, "compiled": kernels,
                 "filter": seccomp.program().hex()}  # fmt: skip
        try:
            own.send(json.dumps(setup).encode())
            ready = own.recv(64)
        except OSError as error:
            ready = str(error).encode()
        said = os.pread(self._log, 4000, 0).decode(errors="replace").strip()
        os.close(self._log)
        if not ready.startswith(b'{"ready"'):
            self.close()
            raise SandboxError(f"the sandbox does not start: {said.splitlines()[-1] if said else 'it says nothing'}")
        self.parent_cpu_s = float(json.loads(ready)["cpu_s"])

    def _lend(self, values: Mapping[str, Any]) -> None:
        held = _memory(wire.encode(dict(values)))
        try:
            self._control.settimeout(_START_S)
            socket.send_fds(self._control, [b'{"shared": true}'], [held])
            taken = self._control.recv(64) == b"{}"
        except OSError:
            taken = False
        finally:
            os.close(held)
        if not taken:
            raise SandboxError("the sandbox has ended")

    def _restart(self, why: str) -> None:
        self._end(0.0)
        self._start()
        if self._shared:
            self._lend(self._shared)


def _memory(data: bytes) -> int:
    """A file in memory that holds these bytes, at its beginning."""
    file = os.memfd_create("job")
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]
    os.lseek(file, 0, os.SEEK_SET)
    return file
