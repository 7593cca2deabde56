"""Programs that Csmith draws at random: free of undefined behaviour, and each prints a checksum of what it computed.

X. Yang, Y. Chen, E. Eide, J. Regehr, "Finding and Understanding Bugs in C Compilers", PLDI 2011.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from unseat.core.errors import UserError
from unseat.data.store import cache_folder
from unseat.tasks.llvm.data.programs import EXPECTED, Program, read
from unseat.tasks.llvm.engine import workplace
from unseat.tasks.llvm.engine.compiler import Compiler
from unseat.tasks.llvm.engine.execution import differs
from unseat.tasks.llvm.engine.process import call

NAME = "csmith"
INSTALL = "apt-get install csmith libcsmith-dev"
HEADERS = Path("/usr/include/csmith")
CPU_S = 2
"""Seconds of CPU time after which a program is let go: a part of what is drawn never ends."""
MOST = 1000

_DRAW = ("--max-funcs", "12", "--concise")


def drawn(source: str, flags: Sequence[str] = ()) -> list[Program]:
    """The programs of ``csmith:COUNT``: of the first seeds, those that end; always the same with one version of Csmith.

    Args:
        source: What ``--data`` says.
        flags: What they are compiled with.

    Raises:
        UserError: The number is wrong, or Csmith is missing.
        ToolError: They do not compile.
    """
    text = source.removeprefix(NAME).removeprefix(":") or "20"
    if not text.isdecimal() or not 1 <= int(text) <= MOST:
        raise UserError(f"--data {source}: give a number of programs from 1 to {MOST}, as in {NAME}:20")
    if shutil.which(NAME) is None or not HEADERS.is_dir():
        raise UserError(f"--data {source}: Csmith is missing; install it with `{INSTALL}`")
    home, found, seed = cache_folder() / NAME / _version(), list[Program](), 0
    while len(found) < int(text):
        folder = home / str(seed)
        if not folder.is_dir():
            _draw(seed, folder)
        if (folder / EXPECTED).is_file():
            found.append(read(folder, (f"-isystem{HEADERS}", *flags), name=f"csmith-{seed}"))
        seed += 1
    return found


def standing_alone(seed: int, folder: Path) -> bool:
    """Draw the program of a seed into a folder, with Csmith's headers in it; False where it takes too long.

    Raises:
        UserError: Csmith is missing.
        ToolError: It does not compile.
    """
    if shutil.which(NAME) is None or not HEADERS.is_dir():
        raise UserError(f"Csmith is missing; install it with `{INSTALL}`")
    _draw(seed, folder)
    if not (folder / EXPECTED).is_file():
        shutil.rmtree(folder)
        return False
    clang = str(Compiler.here().llvm.clang)
    call([clang, "--no-default-config", "-w", "-E", "-P", f"-isystem{HEADERS}", "main.c", "-o", "plain.c"], folder)
    (folder / "plain.c").replace(folder / "main.c")
    return True


@cache
def _version() -> str:
    with tempfile.TemporaryDirectory() as folder:  # it writes a file wherever it is
        told = subprocess.run([NAME, "--version"], capture_output=True, text=True, check=False, cwd=folder).stdout
    return "-".join(told.split()[1:2]) or "unknown"


def _draw(seed: int, folder: Path) -> None:
    """Draw one program into its folder, with what it prints unless it takes too long; the folder appears whole."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".drawn-"))
    except OSError as error:
        raise UserError(f"{folder.parent} cannot be written: {error.strerror or error}; set UNSEAT_CACHE") from error
    try:
        call([NAME, "--seed", str(seed), *_DRAW, "-o", str(made / "main.c")], made)
        (made / "platform.info").unlink(missing_ok=True)
        printed = _printed(made)
        if printed is not None:
            (made / EXPECTED).write_bytes(printed)
        try:
            made.rename(folder)
        except OSError:
            if not folder.is_dir():  # another process has drawn the same meanwhile
                raise
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _printed(folder: Path) -> bytes | None:
    """What the program prints when nothing has optimised it; None if it takes too long."""
    clang = str(Compiler.here().llvm.clang)
    with workplace.folder() as work:
        plain = [clang, "--no-default-config", "-w", "-O0", f"-isystem{HEADERS}"]
        call([*plain, "main.c", "-o", str(work / "main")], folder)
        (work / "run").mkdir()
        differs(work / "main", b"", b"", work / "run", cpu_s=CPU_S)  # for what it prints, if it ends
        printed = (work / "run" / "stdout").read_bytes()
    return printed if printed.startswith(b"checksum = ") else None
