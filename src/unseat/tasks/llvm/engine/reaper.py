"""Cleans up after a process that is gone, however it went: ``python -I -S reaper.py FOLDER``.

It reads lines on standard input, ``+GROUP`` for a process group that was started and ``-GROUP`` for one that is no
more. When the input ends, so has whoever wrote it: the groups that are left are killed and the folder is removed. It
is started as a file, so that it imports little and takes few milliseconds and megabytes.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys


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
    shutil.rmtree(sys.argv[1], ignore_errors=True)


if __name__ == "__main__":
    main()
