"""How many instructions a program executes: counted by valgrind, the same in every run of the same program."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

from unseat.core.task import Need
from unseat.tasks.llvm.engine.process import ToolError, call

CPU_S = 120
"""Seconds of CPU time after which a count is given up; a counted program is about twenty times as slow."""

_PROBE_S = 20.0


@lru_cache(maxsize=1)
def need() -> Need:
    """What `unseat doctor` looks for."""
    found = None
    if path := shutil.which("valgrind"):
        told = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=_PROBE_S, check=False)
        found = told.stdout.strip().removeprefix("valgrind-") or None
    purpose = "counts the instructions that programs execute"
    return Need("valgrind", found, "any", "apt-get install valgrind", True, purpose)


def executed(program: Path, given: bytes, folder: Path, deadline: float | None = None) -> int | None:
    """Instructions in user mode from the first of the loader to the program's end.

    Args:
        program: The program, which gets no arguments.
        given: What it reads on standard input.
        folder: A folder in which it works.
        deadline: `time.monotonic()` at which the run ends that this is a part of.

    Returns:
        The number; None where there is no valgrind, or it does not get to the program's end.

    Raises:
        DeadlineReached: The run's time is up.
    """
    path = shutil.which("valgrind")
    if path is None:
        return None
    (folder / "given").write_bytes(given)
    # Cachegrind with no cache to simulate is the lightest of its tools that count.
    count = ["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", "--log-file=counted"]
    command = ["/bin/sh", "-c", 'ulimit -t "$1" && ulimit -c 0 && shift && exec "$@"', "sh", str(CPU_S), path, *count]
    try:
        with (folder / "given").open("rb") as stdin:
            call([*command, str(program)], folder, deadline=deadline, silence_s=2.0 * CPU_S, stdin=stdin)
    except ToolError:
        return None
    told = re.search(r"I +refs: +([\d,]+)", (folder / "counted").read_text(errors="replace"))
    return int(told[1].replace(",", "")) if told else None
