"""What every test shares."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from numba.core import event

# Child processes find the tests' own tasks (`tests.lab.tiny:TinyTask`) through the path that they inherit.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

# A shell that starts the tests in the background has them ignore Ctrl-C, and with them every child that a test
# interrupts and then waits for.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


class _Untraced(event.Listener, threading.local):  # type: ignore[misc]
    """Takes the tracer of coverage away while Numba compiles, which would take half as long again, for nothing."""

    depth = 0
    tracer: Any = None

    def on_start(self, event: Any) -> None:
        self.depth += 1
        if self.depth == 1:
            self.tracer = sys.gettrace()
            sys.settrace(None)

    def on_end(self, event: Any) -> None:
        self.depth -= 1
        if self.depth == 0:
            sys.settrace(self.tracer)


event.register("numba:compile", _Untraced())


@pytest.fixture(autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test touches the user's own ledger."""
    monkeypatch.setenv("UNSEAT_LEDGER", str(tmp_path_factory.mktemp("ledger") / "ledger.db"))
    yield
