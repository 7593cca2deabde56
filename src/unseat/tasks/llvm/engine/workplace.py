"""Temporary folders and process groups that do not outlive this process, even if it is killed."""

from __future__ import annotations

import atexit
import contextlib
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

PREFIX = "unseat-llvm-"


class _Keeper:
    """A folder for this process, and a process beside it that cleans up should this one be killed."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        reaper = Path(__file__).with_name("reaper.py")
        # A session of its own: whoever kills this process's group must leave the one who cleans up.
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(reaper), str(self.folder)],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        assert self._process.stdin is not None
        self._line = self._process.stdin.fileno()

    def tell(self, text: str) -> None:
        """Say what was started or has ended; short lines reach a pipe whole, whichever thread writes."""
        with contextlib.suppress(OSError):
            os.write(self._line, text.encode())

    def leave(self) -> None:
        """What a forked copy of this process does: its end must not be taken for the original's."""
        with contextlib.suppress(OSError):
            os.close(self._line)


_lock = threading.Lock()
_keeper: _Keeper | None = None


def _kept() -> _Keeper:
    global _keeper
    with _lock:
        if _keeper is None:
            _keeper = _Keeper()
        return _keeper


def _forked() -> None:
    global _keeper, _lock
    _lock = threading.Lock()
    if _keeper is not None:
        _keeper.leave()
        # Dropped without its destructor's warning: the reaper is the parent's child.
        _keeper._process.returncode = 0
        _keeper = None


os.register_at_fork(after_in_child=_forked)


@atexit.register
def _ended() -> None:
    """Let the one who cleans up begin, and do not wait for it."""
    if _keeper is not None and _keeper._process.stdin is not None:
        _keeper._process.stdin.close()
        _keeper._process.returncode = 0


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A private folder, removed at the end, or when this process is no more."""
    with tempfile.TemporaryDirectory(dir=_kept().folder, ignore_cleanup_errors=True) as path:
        yield Path(path)


def started(group: int) -> None:
    """A process group was started that must not outlive this process."""
    _kept().tell(f"+{group}\n")


def ended(group: int) -> None:
    """That group is no more."""
    _kept().tell(f"-{group}\n")
