"""Cleans up after a process that is gone, however it went: ``python -I -S reaper.py FOLDER``.

It reads lines on standard input, ``+GROUP`` for a process group that was started and ``-GROUP`` for one that is no
more. When the input ends, so has whoever wrote it: the groups that are left are killed, then whatever works in the
folder or was told of it all the same (its start may not have been told any more), and the folder is removed. It is
started as a file, so that it imports little and takes few milliseconds and megabytes.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from pathlib import Path

SCANS, PAUSE_S = 5, 0.05
"""How often it looks for processes that work in the folder: one that was just started may not be there yet."""


def main() -> None:
    """Wait for the end of the one who started this."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
    for group in groups:
        try:
            os.killpg(group, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue
    for _ in range(SCANS):
        for process in at_work(sys.argv[1]):
            kill(process)
        # Nobody waits for this process.
        time.sleep(PAUSE_S)
    shutil.rmtree(sys.argv[1], ignore_errors=True)


def at_work(folder: str) -> list[int]:
    """Processes whose working folder is this one or lies below it, or whose command names it.

    A user's own clang works in the user's folder, and its channel is in this one.
    """
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            named = os.fsencode(folder) in (process / "cmdline").read_bytes()
            if named or (process / "cwd").readlink().is_relative_to(folder):
                found.append(int(process.name))
        except OSError:
            continue
    return [number for number in found if number != os.getpid()]


def kill(number: int) -> None:
    """End a process, if it is still there."""
    try:
        os.kill(number, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


if __name__ == "__main__":
    main()
