"""Watching a build: which sources it compiles, and how, as a compilation database."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unseat.core.errors import UserError
from unseat.tasks.llvm.data.programs import SOURCES

COMPILERS = ("cc", "c99", "c89", "gcc", "clang", "c++", "g++", "clang++")
"""Names by which builds call a compiler; where yours has another one, build with ``CC=cc``."""

_LOG = "UNSEAT_COMMANDS"

# Started for every call of a compiler, so that it imports next to nothing; a line of less than a page is written whole.
_SHIM = """#!/bin/sh
'''exec' {python} -IS "$0" "$@"
' '''
import json, os, sys
name, here = os.path.basename(sys.argv[0]), os.path.dirname(os.path.abspath(sys.argv[0]))
path = os.pathsep.join(f for f in os.environ.get("PATH", "").split(os.pathsep) if os.path.abspath(f or ".") != here)
log = os.open(os.environ[{log!r}], os.O_WRONLY | os.O_APPEND)
os.write(log, (json.dumps({{"directory": os.getcwd(), "arguments": [name, *sys.argv[1:]]}}) + "\\n").encode())
os.close(log)
os.environ["PATH"] = path
try:
    os.execvp(name, [name, *sys.argv[1:]])
except OSError as error:
    sys.exit(f"{{name}}: {{error.strerror}}")
"""


def record(task: str, command: Sequence[str], output: Path) -> str:
    """Run a build and write ``compile_commands.json``.

    Args:
        task: The task whose instances are to be made of it.
        command: The build and its arguments; it must compile everything, so clean it before.
        output: The file to write.

    Returns:
        What was recorded, in words.

    Raises:
        UserError: The build cannot be run, fails or compiles nothing, or the file cannot be written.
    """
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "commands"
        log.touch()
        shims = Path(folder) / "bin"
        shims.mkdir()
        for name in COMPILERS:
            (shims / name).write_text(_SHIM.format(python=shlex.quote(sys.executable), log=_LOG))
            (shims / name).chmod(0o755)
        path = os.pathsep.join([str(shims), os.environ.get("PATH", os.defpath)])
        try:
            done = subprocess.run(command, env={**os.environ, "PATH": path, _LOG: str(log)}, check=False)
        except OSError as error:
            raise UserError(f"{command[0]} cannot be run: {error.strerror or error}") from error
        if done.returncode:
            raise UserError(f"{command[0]} ended with exit code {done.returncode}; nothing is recorded")
        entries = database([json.loads(line) for line in log.read_text().splitlines()])
        # What a build makes to try the compiler, and removes, is none of its sources.
        gone = [entry for entry in entries if not (Path(entry["directory"]) / entry["file"]).is_file()]
        entries = [entry for entry in entries if entry not in gone]
    if not entries:
        raise UserError(
            f"{command[0]} compiled nothing by {', '.join(COMPILERS)}; is everything built already? Clean it"
        )
    try:
        output.write_text(json.dumps(entries, indent=1) + "\n")
    except OSError as error:
        raise UserError(f"{output} cannot be written: {error.strerror or error}") from error
    left = f" ({len(gone)} were removed by the build and are left out)" if gone else ""
    return f"{len(entries)} sources written to {output}{left}; go on with: unseat run {task} --data {output}"


def database(calls: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Entries of a compilation database, one a source; the last one counts where a source was compiled again."""
    found: dict[str, dict[str, Any]] = {}
    for call in calls:
        words = call["arguments"]
        if {"-E", "-M", "-MM", "-fsyntax-only"} & set(words):
            continue
        for word in words[1:]:
            if Path(word).suffix in SOURCES and not word.startswith("-"):
                own = [part for part in words if part == word or Path(part).suffix not in SOURCES or part[0] == "-"]
                place = os.path.normpath(Path(call["directory"]) / word)
                found[place] = {"directory": call["directory"], "file": word, "arguments": own}
    return [found[place] for place in sorted(found)]
