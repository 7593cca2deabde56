"""The warm parent inside a sandbox: imports once, then forks a fresh process for each candidate and watches over it.

It is trusted: no candidate's code runs in it, and it reads nothing that a candidate wrote, but for numbers of `/proc`.
It speaks with the scorer by one socket: a message of JSON a job, with three descriptors, and one of JSON back.
"""

from __future__ import annotations

# The C modules beneath `socket` and `signal`, whose Python halves cost half of the start.
import _socket
import array
import importlib
import json
import os
import select
import sys

TYPE_CHECKING = False  # `typing` costs three milliseconds
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from unseat.sandbox.inside import child, kernel, wire
else:  # the folder of this file is the path
    import child
    import kernel
    import wire

KILL = 9
TICK_S = 0.01
"""Seconds between two looks at what a candidate's processes use."""
_TICKS, _PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")


class Parent:
    """The loop that forks.

    Args:
        control: The socket to the scorer.
        setup: What it sent first.
    """

    def __init__(self, control: _socket.socket, setup: Mapping[str, Any]) -> None:
        self.control, self.setup = control, setup
        self.filter = bytes.fromhex(setup["filter"])
        self.contained = setup["contained"]
        self.own = os.open("/proc/self/ns/pid", os.O_RDONLY) if self.contained else -1
        self.before = set(_processes())
        self.shared: Mapping[str, Any] = {}

    def serve(self) -> None:
        """Do jobs until the scorer hangs up."""
        while True:
            told, descriptors = _received(self.control)
            if not told:
                return
            if told == b"end":
                continue  # the scorer asked for the end of one that had just ended
            job = json.loads(told)
            if job.get("shared"):
                with open(descriptors[0], "rb") as file:
                    self.shared = wire.decode(file.read())
                self.control.send(b"{}")
                continue
            self.control.send(json.dumps(self.one(job, descriptors)).encode())

    def one(self, job: Mapping[str, Any], descriptors: list[int]) -> dict[str, Any]:
        """Fork, watch, and say how it ended; when this returns, nothing of the candidate is alive."""
        if "fresh process" not in job["on"]:
            return self._in_place(descriptors)
        apart = self.contained and "processes apart" in job["on"]
        if apart:
            kernel.unshare(kernel.NEWPID)
        pid = os.fork()
        if pid == 0:
            child.become(job, descriptors, self.filter if "calls" in job["on"] else b"", self.shared)
        if apart:
            kernel.setns(self.own, kernel.NEWPID)
        for each in descriptors:
            os.close(each)
        watch = Watch(set(job["on"]), job["limits"], self.before if self.contained else None, pid)
        status, used = self._wait(pid, watch)
        if not self.contained:
            # Without namespaces, what stays in its session is all that can be found.
            _signal_group(pid)
        return {"status": status, "why": watch.why, "cpu_s": used, "memory": watch.most, "parent_s": _own_cpu()}

    def _wait(self, pid: int, watch: Watch) -> tuple[int, float]:
        ends = os.pidfd_open(pid)
        poll = select.poll()
        poll.register(ends, select.POLLIN)
        poll.register(self.control, select.POLLIN)
        while True:
            ready = {descriptor for descriptor, _ in poll.poll(1000 * TICK_S)}
            if self.control.fileno() in ready:
                # The scorer asks for the end; or it has gone, and the next read will say so.
                if self.control.recv(4096, _socket.MSG_PEEK):
                    self.control.recv(4096)
                watch.why = watch.why or "asked"
            if ends in ready:
                break
            watch.look()
            if watch.why:
                os.kill(pid, KILL)
                poll.unregister(self.control)
                while not poll.poll(1000):
                    pass
                break
        os.close(ends)
        _, status, used = os.wait4(pid, 0)
        return os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime

    def _in_place(self, descriptors: list[int]) -> dict[str, Any]:
        """Without a fork: only the tests switch that defence off."""
        for place, each in zip((child.JOB + 100, child.RESULT + 100), descriptors, strict=False):
            os.dup2(each, place)
        child.JOB, child.RESULT = child.JOB + 100, child.RESULT + 100
        try:
            status = child.run(self.shared)
        finally:
            child.JOB, child.RESULT = child.JOB - 100, child.RESULT - 100
            os.close(child.RESULT + 100)
        for each in descriptors:
            os.close(each)
        return {"status": status, "why": "", "cpu_s": 0.0, "memory": 0, "parent_s": 0.0}


class Watch:
    """Looks at the memory and the CPU time of a candidate's whole tree.

    Memory is the sum of resident pages; once that is over the limit, of proportional shares, which count a page once
    that several hold. Every process in this namespace that was not there before is the candidate's.

    Args:
        on: Defences.
        limits: Its limits.
        before: Processes that were there before; None to look at the candidate's own process only.
        pid: The candidate's process.
    """

    def __init__(self, on: set[str], limits: Mapping[str, Any], before: set[int] | None, pid: int) -> None:
        self.memory = limits["memory"] if "memory" in on else None
        self.cpu = limits["cpu_s"] if "cpu" in on else None
        self.before, self.pid, self.most, self.why = before, pid, 0, ""
        self.base = _resident(os.getpid())
        self._gone, self._seen = 0.0, dict[int, float]()

    def look(self) -> None:
        """Note in `why` what is over its limit."""
        theirs = self.rest()
        resident = sum(map(_resident, theirs)) - self.base
        self.most = max(self.most, resident)
        # A fork shares the parent's pages: these are not its own.
        if self.memory is not None and resident > self.memory < sum(map(_proportional, theirs)):
            self.why = "memory"
        times = {pid: _cpu(pid) for pid in theirs}
        now = {pid: own for pid, (own, _) in times.items()}
        self._gone += sum(spent for pid, spent in self._seen.items() if pid not in now)
        self._seen = now
        # A child that has ended counts with its parent where that waited for it, and else as it was last seen.
        waited = sum(reaped for _, reaped in times.values())
        if self.cpu is not None and sum(now.values()) + max(self._gone, waited) > self.cpu:
            self.why = "cpu"

    def rest(self) -> list[int]:
        """The candidate's processes."""
        if self.before is None:
            return [self.pid]
        return [pid for pid in _processes() if pid not in self.before]


def _received(control: _socket.socket) -> tuple[bytes, list[int]]:
    """A message and the descriptors that came with it."""
    numbers = array.array("i")
    told, about, _, _ = control.recvmsg(1 << 20, _socket.CMSG_SPACE(3 * numbers.itemsize))
    for level, kind, data in about:
        if level == _socket.SOL_SOCKET and kind == _socket.SCM_RIGHTS:
            numbers.frombytes(data[: len(data) - len(data) % numbers.itemsize])
    return told, list(numbers)


def _own_cpu() -> float:
    """CPU seconds of this process alone, since it began."""
    return sum(os.times()[:2])


def _signal_group(pid: int) -> None:
    try:
        os.killpg(pid, KILL)
    except ProcessLookupError:
        pass


def _processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _read(pid: int, name: str) -> bytes:
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            return file.read()
    except OSError:
        return b""


def _resident(pid: int) -> int:
    fields = _read(pid, "statm").split()
    return int(fields[1]) * _PAGE if fields else 0


def _proportional(pid: int) -> int:
    lines = [line for line in _read(pid, "smaps_rollup").splitlines() if line.startswith(b"Pss:")]
    return int(lines[0].split()[1]) * 1024 if lines else 0


def _cpu(pid: int) -> tuple[float, float]:
    """CPU seconds of a process, and of the children it has waited for."""
    fields = _read(pid, "stat").rpartition(b")")[2].split()
    own, waited = (sum(map(int, fields[at : at + 2])) / _TICKS for at in (11, 13))
    return own, waited


def lend_compiled(found: Mapping[str, str]) -> None:
    """Let Numba find what is compiled already: links to read-only files, in a cache that it may write to.

    Args:
        found: Folder to its name in the cache.
    """
    for folder, name in found.items():
        own = os.path.join(os.environ["NUMBA_CACHE_DIR"], name)
        os.makedirs(own, exist_ok=True)
        for file in os.listdir(folder):
            if file.endswith((".nbi", ".nbc")):
                os.symlink(os.path.join(folder, file), os.path.join(own, file))


def main() -> None:
    """Set up as the scorer says, and serve."""
    kernel.keep_nice()
    control = _socket.socket(fileno=int(sys.argv[1]))
    setup = json.loads(control.recv(1 << 20))
    sys.path += setup["path"]
    if setup["compiled"]:
        lend_compiled(setup["compiled"])
    for name in setup["preload"]:
        module, _, function = name.partition(":")
        found = importlib.import_module(module)
        if function:
            getattr(found, function)()
    parent = Parent(control, setup)
    control.send(json.dumps({"ready": True, "cpu_s": _own_cpu()}).encode())
    parent.serve()


if __name__ == "__main__":
    main()
