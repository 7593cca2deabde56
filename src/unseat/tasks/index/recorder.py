"""Make a key set from what a program prints, from a log, or from the files of a folder."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from unseat.core.errors import UserError

HEADER = "key"
FILE_COLUMNS = ("size", "modified_ns", "inode")


def record(command: Sequence[str], output: Path) -> int:
    """Run a program and write the first number of each line that it prints; returns how many.

    Lines that do not begin with a number are passed over, so that headings do no harm.

    Raises:
        UserError: The program cannot be run, failed, or printed no number; or the output cannot be written.
    """
    try:
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, errors="replace") as child:
            assert child.stdout is not None
            count = _write(output, (HEADER,), ((key,) for key in numbers(child.stdout)))
        status = child.returncode
    except OSError as error:
        raise UserError(f"{command[0]}: cannot be run: {error.strerror or error}") from error
    if status:
        raise UserError(f"{command[0]} ended with status {status}; {output} holds the {count:,} numbers until then")
    if not count:
        raise UserError(f"{command[0]} printed no number; have it print one key a line, as in: find . -printf '%s\\n'")
    return count


def from_log(log: Path, output: Path) -> int:
    """Write the first number of each line of a log; returns how many.

    Raises:
        UserError: It cannot be read or holds no number, or the output cannot be written.
    """
    try:
        with log.open(encoding="utf-8", errors="replace") as lines:
            count = _write(output, (HEADER,), ((key,) for key in numbers(lines)))
    except OSError as error:
        raise UserError(f"{log}: cannot be read: {error.strerror or error}") from error
    if not count:
        raise UserError(f"{log}: no line begins with a number; give a log with one key a line")
    return count


def from_folder(folder: Path, output: Path) -> int:
    """Write size in bytes, time of change in nanoseconds and inode of every file below a folder; returns how many.

    Links are not followed, and what cannot be read is passed over. No name is written.

    Raises:
        UserError: There is no file, or the output cannot be written.
    """
    rows = ((str(one.st_size), str(one.st_mtime_ns), str(one.st_ino)) for one in _files(folder))
    count = _write(output, FILE_COLUMNS, rows)
    if not count:
        raise UserError(f"{folder}: there is no file below it that can be read")
    return count


def numbers(lines: Iterable[str]) -> Iterator[str]:
    """The first word of each line that is a finite number, as it stands there."""
    for line in lines:
        word = line.split(maxsplit=1)[0].rstrip(",;") if line.strip() else ""
        try:
            if float(word) - float(word) == 0:
                yield word
        except ValueError:
            continue


def _files(folder: Path) -> Iterator[os.stat_result]:
    for place, _, files in os.walk(folder):
        for name in files:
            try:
                yield os.lstat(os.path.join(place, name))  # noqa: PTH118 - a Path a file would take most of the time
            except OSError:
                continue


def _write(output: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    count = 0
    try:
        with output.open("w", encoding="utf-8") as file:
            file.write(",".join(header) + "\n")
            for row in rows:
                file.write(",".join(row) + "\n")
                count += 1
    except OSError as error:
        raise UserError(f"{output}: cannot be written: {error.strerror or error}") from error
    return count
