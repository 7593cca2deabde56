"""Says on standard error how far a long benchmark is."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable


def teller(what: str, every_s: float = 10.0) -> Callable[[str, int, int], None]:
    """What `unseat.evaluate` may call: a line at most every few seconds, and at the end of a stage."""
    began, shown = time.monotonic(), 0.0

    def told(stage: str, done: int, total: int) -> None:
        nonlocal shown
        spent = time.monotonic() - began
        if spent > shown + every_s or done == total:
            shown = spent
            print(f"{what}: {stage} {done} of {total}, {spent:.0f} s", file=sys.stderr, flush=True)

    return told
