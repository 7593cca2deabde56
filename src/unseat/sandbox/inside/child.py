"""A candidate's process, from its fork to its end."""

from __future__ import annotations

import importlib
import os
import resource
import sys

TYPE_CHECKING = False  # `typing` costs three milliseconds
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from unseat.sandbox.inside import kernel, wire
else:  # the folder of this file is the path
    import kernel
    import wire

JOB, RESULT = 3, 4
"""Descriptors of a candidate, beside the standard ones; it inherits no other."""


def become(job: Mapping[str, Any], descriptors: list[int], filter_program: bytes, shared: Mapping[str, Any]) -> None:
    """Confine this process, which has just been forked, run the candidate, and end; never returns.

    Args:
        job: ``on`` (the defences), ``limits``, ``uid`` (None to stay who one is) and ``hide``.
        descriptors: What holds the job, what takes the result, and what takes the text that it prints.
        filter_program: The seccomp filter; empty for none.
        shared: Values that every candidate of this sandbox may use, already in memory.
    """
    status = 70
    try:
        confine(job, descriptors, filter_program)
        status = run(shared)
    except BaseException as error:
        os.write(2, f"{type(error).__name__}: {error!s:.2000}\n".encode(errors="replace"))
    finally:
        os._exit(status)


def confine(job: Mapping[str, Any], descriptors: list[int], filter_program: bytes) -> None:
    """Put up every defence that is on, the irrevocable ones last."""
    on, limits = set(job["on"]), job["limits"]
    os.setsid()
    kernel.keep_nice()
    if "private files" in on:
        _own_files(limits, job["hide"] if "project" in on else [], "disk" in on, "processes apart" in on)
    if "project" not in on and "private files" in on:
        os.chdir("/tmp")
    null = os.open("/dev/null", os.O_RDONLY)
    # To numbers above all that are in use first, so that none is closed by the next.
    high = [os.dup(each) for each in (null, *descriptors)]
    for place, each in zip((0, JOB, RESULT, 1), high, strict=True):
        os.dup2(each, place)
    os.dup2(1, 2)
    if "descriptors" in on:
        os.closerange(RESULT + 1, 65536)
    _limit(on, limits)
    if "privileges" in on:
        kernel.bound_privileges()
    if job["uid"] is not None:
        os.setgroups([])
        os.setresgid(job["uid"], job["uid"], job["uid"])
        os.setresuid(job["uid"], job["uid"], job["uid"])
    if "privileges" in on:
        kernel.give_up_privileges()
    if filter_program:
        kernel.filter_calls(filter_program)


def _own_files(limits: Mapping[str, Any], hide: list[str], capped: bool, own_processes: bool) -> None:
    """A mount namespace of one's own: an empty temporary folder, own processes in /proc, and the project covered."""
    kernel.unshare(kernel.NEWNS | kernel.NEWIPC)
    kernel.mount("none", "/", "", kernel.PRIVATE)
    size = f"size={limits['temporary']},nr_inodes=4096," if capped else ""
    for folder in ("/tmp", "/dev/shm"):
        kernel.mount("tmpfs", folder, "tmpfs", kernel.NOSUID | kernel.NODEV, f"{size}mode=1777")
    for folder in hide:
        kernel.mount("tmpfs", folder, "tmpfs", kernel.NOSUID | kernel.NODEV | kernel.RDONLY, "size=4k,mode=755")
    if own_processes:
        kernel.mount("proc", "/proc", "proc", kernel.NOSUID | kernel.NODEV | kernel.NOEXEC)
    os.chdir("/tmp")


def _limit(on: set[str], limits: Mapping[str, Any]) -> None:
    """Limits by process; the watcher holds the tree to those of memory and CPU time."""
    caps = {
        "processes": (resource.RLIMIT_NPROC, limits["processes"]),
        "file size": (resource.RLIMIT_FSIZE, limits["file_bytes"]),
        "open files": (resource.RLIMIT_NOFILE, limits["open_files"]),
        "cpu": (resource.RLIMIT_CPU, int(limits["cpu_s"]) + 1),
        "memory": (resource.RLIMIT_DATA, limits["memory"] + _data_bytes()),
    }
    for name, (what, most) in caps.items():
        if name in on:
            resource.setrlimit(what, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _data_bytes() -> int:
    """Bytes of private data that the fork begins with."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[5]) * resource.getpagesize()


def run(shared: Mapping[str, Any]) -> int:
    """Do the job on `JOB`, and write what comes out to `RESULT`; the exit status."""
    with open(JOB, "rb") as file:
        job = wire.decode(file.read())
    if "command" in job:
        os.execve(job["command"][0], job["command"], job["environment"])
    arguments = dict(job["arguments"])
    for name, key in job["shared"].items():
        arguments[name] = shared[key]
    if job["source"] is None:
        module, _, name = job["entry"].partition(":")
        entry = getattr(importlib.import_module(module), name)
    else:
        scope: dict[str, Any] = {"__name__": "candidate"}
        sys.modules.pop("candidate", None)
        exec(compile(job["source"], "<candidate>", "exec"), scope)
        entry = scope[job["entry"]]
    if job["talks"]:
        talk(entry(**arguments))
        return 0
    told = wire.encode(entry(**arguments))
    with open(RESULT, "wb", closefd=False) as out:
        out.write(told)
    sys.stdout.flush()
    return 0


def talk(policy: Any) -> None:
    """Answer message after message, as a policy whose engine is outside, until the other side hangs up."""
    sessions: list[Any] = []
    while True:
        head = _read(8)
        if not head:
            return
        message = wire.decode(_read(int.from_bytes(head, "little")))
        try:
            told = wire.encode({"answer": _answer(policy, sessions, message)})
        except Exception as error:
            told = wire.encode({"error": f"{type(error).__name__}: {error!s:.300}"})
        rest = memoryview(len(told).to_bytes(8, "little") + told)
        while rest:
            rest = rest[os.write(RESULT, rest) :]


def _answer(policy: Any, sessions: list[Any], message: Mapping[str, Any]) -> Any:
    """What a policy says to a message: to each lane's observation, or to what it is told."""
    kind, content = message["kind"], message["content"]
    if kind == "start":
        from unseat.core.policy import Session, View

        views = [View(each["question"], each["facts"], each["agent"]) for each in content]
        sessions[:] = [policy.start(view, each["seed"]) for view, each in zip(views, content, strict=True)]
        # What it does not listen to need not be sent.
        return [" ".join(name for name in ("learn", "reward")
                         if getattr(type(one), name, None) not in (None, getattr(Session, name)))
                for one in sessions]  # fmt: skip
    if kind == "decide":
        return [sessions[lane].decide(seen) for lane, seen in content]
    for lane, told in content:
        getattr(sessions[lane], kind)(told)
    return None


def _read(size: int) -> bytes:
    """So many bytes from the other side; fewer where it has hung up."""
    parts, left = [], size
    while left and (part := os.read(RESULT, min(left, 1 << 20))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
