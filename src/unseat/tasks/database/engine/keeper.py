"""Owns a private PostgreSQL server: ``python -I -S keeper.py JSON``.

Whoever uses the server holds a shared lock on its lease file, which the kernel takes away when that process ends,
however it ends. This process waits for the exclusive lock: once it has it nobody is left, and it stops the server and
removes the folder of its socket. Should this process be killed, the kernel tells the server to stop. It is started as a
file, so that it imports little.

PostgreSQL refuses to run as root. Root's server runs in a user namespace of its own, in which it is ``nobody``; its
files stay root's, and no user is made on the machine.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

NEW_USER, DEATH_SIGNAL, NOBODY = 0x10000000, 1, 65534
GRACE_S = 10.0


class Ended(Exception):
    """The server is no more."""


def main() -> None:
    """Keep the server until nobody uses it, or until it ends by itself."""
    told = json.loads(sys.argv[1])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if os.geteuid() == 0:
        become_nobody()
    if told["initialise"]:
        made = subprocess.run(told["initialise"], stdin=subprocess.DEVNULL, check=False)
        if made.returncode:
            sys.exit(made.returncode)
    signal.signal(signal.SIGCHLD, _ended)
    server = subprocess.Popen(told["command"], stdin=subprocess.DEVNULL, preexec_fn=_dies_with_its_parent)
    try:
        with Path(told["lease"]).open("a") as lease:
            fcntl.flock(lease, fcntl.LOCK_EX)
            # Held until the server is gone: who asks for it now waits, and starts a new one.
            _stop(server)
    except Ended:
        pass
    finally:
        _stop(server)
        shutil.rmtree(told["folder"], ignore_errors=True)


def become_nobody() -> None:
    """Enter a user namespace in which this process is nobody, and nobody else is there.

    Raises:
        OSError: The kernel does not allow it.
    """
    uid, gid = os.geteuid(), os.getegid()
    if ctypes.CDLL(None, use_errno=True).unshare(NEW_USER):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{NOBODY} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{NOBODY} {gid} 1")


def _dies_with_its_parent() -> None:
    """SIGQUIT is PostgreSQL's immediate shutdown."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(DEATH_SIGNAL, signal.SIGQUIT)


def _ended(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    raise Ended


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Fast shutdown, and harder where that does not help."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if server.poll() is not None:
            return
        server.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(GRACE_S)


if __name__ == "__main__":
    main()
