"""Starts a child process with a watcher beside it, so that no child outlives its driver.

Nothing heavy may be imported before the fork: the watcher stays small, and no library has started a thread yet.
"""

from __future__ import annotations

import os
import select
import signal
import time

_GRACE_S = 0.5


def guard() -> None:
    """Fork a watcher that kills the whole process group once the driver is gone, however it went.

    The driver holds the only writing end of our standard input, so its death hangs that pipe up. A process of its own
    watches, since a policy may hold the interpreter's lock for ever, and since what a task has started must die too.
    """
    if os.fork():
        return
    quiet = os.open(os.devnull, os.O_RDWR)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    hangs_up = select.poll()
    hangs_up.register(0, 0)
    hangs_up.poll()
    time.sleep(_GRACE_S)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def keep_nice() -> None:
    """Be as nice as whoever started us: Linux may weigh a new session as a group of its own, which begins at nice 0."""
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    try:
        if nice > 0:
            with open("/proc/self/autogroup", "w") as group:  # noqa: PTH123 (the watcher stays small)
                group.write(str(nice))
    except OSError:
        pass


if __name__ == "__main__":
    keep_nice()
    guard()
    from unseat.lab.child import main

    main()
