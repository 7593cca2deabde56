"""Running a program that was compiled, under limits, to see that it still does what it did."""

from __future__ import annotations

from pathlib import Path

from unseat.tasks.llvm.engine.process import Process, ToolError

CPU_S = 20
MEMORY = 1 << 30
OUTPUT = 1 << 26
"""Seconds of CPU time, bytes of address space and bytes written to a file that a program may use."""

_SHELL = 'ulimit -t "$1" && ulimit -v "$2" && ulimit -f "$3" && ulimit -c 0 && shift 3 && exec "$@"'


def differs(
    program: Path, given: bytes, expected: bytes, folder: Path, deadline: float | None = None, cpu_s: int = CPU_S
) -> str:
    """Run a program and compare what it prints.

    Args:
        program: The program, which gets no arguments.
        given: What it reads on standard input.
        expected: What it must print on standard output; its exit code must be 0.
        folder: An empty folder in which it works.
        deadline: `time.monotonic()` at which the run ends that this is a part of.
        cpu_s: Seconds of CPU time that it may take.

    Returns:
        How it differs from what is expected, in a few words; empty if it does not.

    Raises:
        DeadlineReached: The run's time is up.
    """
    (folder / "stdin").write_bytes(given)
    limits = [str(cpu_s), str(MEMORY >> 10), str(OUTPUT >> 9)]
    command = ["/bin/sh", "-c", _SHELL, "sh", *limits, str(program)]
    try:
        with (folder / "stdin").open("rb") as stdin, (folder / "stdout").open("wb") as stdout:
            silence_s = 2.0 * cpu_s
            with Process(command, folder, deadline=deadline, silence_s=silence_s, stdin=stdin, stdout=stdout) as ran:
                ran.finish()
    except ToolError as error:
        return f"{program.name}: {error}"
    printed = (folder / "stdout").read_bytes()
    if printed == expected:
        return ""
    lines = zip(printed.split(b"\n"), expected.split(b"\n"), strict=False)
    number = next((n for n, (one, other) in enumerate(lines, 1) if one != other), 0)
    return f"{program.name}: line {number} of its output differs" if number else f"{program.name}: its output is cut"
