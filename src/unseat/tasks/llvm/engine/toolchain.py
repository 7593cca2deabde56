"""Finding an LLVM: the one that pip installed, or any that is new enough on PATH."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from unseat.core.errors import MissingExtra

OLDEST = 19
"""The first release whose channel is as it is read here."""

INSTALL = "pip install 'unseat[llvm]'"

_NEWEST = 40
_PROBE_S = 20.0


@dataclass(frozen=True)
class Toolchain:
    """An LLVM on this machine.

    Attributes:
        clang: Path of its clang; its other tools lie beside it.
        release: The major version.
        version: The whole version, as clang prints it.
    """

    clang: Path
    release: int
    version: str

    def tool(self, name: str) -> str:
        """The path of a tool beside clang: ``llvm-link`` or, as Debian names it, ``llvm-link-19``.

        Raises:
            MissingExtra: It is not there.
        """
        own, beside = self.clang.resolve().parent, self.clang.parent
        # Where releases lie side by side, the plain name may be another one's.
        for path in (own / name, beside / f"{name}-{self.release}", own / f"{name}-{self.release}", beside / name):
            if os.access(path, os.X_OK):
                return str(path)
        raise MissingExtra(f"no {name} lies beside {self.clang}; install one LLVM with all of its tools: {INSTALL}")

    def has(self, name: str) -> bool:
        """Whether there is such a tool."""
        try:
            return bool(self.tool(name))
        except MissingExtra:
            return False

    @cached_property
    def identity(self) -> str:
        """What the bytes of an object hang on besides its source: this compiler, the C library, the machine."""
        return f"{self.version}; {' '.join(platform.libc_ver())}; {platform.machine()}"


@lru_cache(maxsize=1)
def find() -> Toolchain | None:
    """The LLVM that is used here; None if there is none, or this is no Linux, whose pipes and files are read."""
    if not hasattr(os, "pidfd_open"):
        return None
    for clang in _candidates():
        found = examine(clang)
        if found is not None:
            return found
    return None


def require() -> Toolchain:
    """The LLVM that is used here.

    Raises:
        MissingExtra: There is none.
    """
    found = find()
    if found is None:
        raise MissingExtra(f"no LLVM {OLDEST} or newer is found here; install it: {INSTALL}")
    return found


@lru_cache(maxsize=1)
def code() -> str:
    """Hash of the code that the compiler's tasks share: what it makes of a program hangs on that, too."""
    found = hashlib.sha256()
    home = Path(__file__).parents[1]
    for path in sorted(path for room in ("data", "engine") for path in (home / room).glob("*.*")):
        found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()


def examine(clang: Path) -> Toolchain | None:
    """What a clang says of itself; None if it does not run or is too old."""
    try:
        told = subprocess.run([clang, "--version"], capture_output=True, text=True, timeout=_PROBE_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"clang version ((\d+)\.\S+)", told.stdout)
    if told.returncode or match is None or int(match[2]) < OLDEST:
        return None
    return Toolchain(clang, int(match[2]), told.stdout.splitlines()[0].strip())


def _candidates() -> Iterator[Path]:
    """First what pip installed into this environment, then PATH, the newest first."""
    own = Path(sysconfig.get_path("scripts")) / "clang"
    if own.exists():
        yield own
    for name in ("clang", *(f"clang-{release}" for release in range(_NEWEST, OLDEST - 1, -1))):
        path = shutil.which(name)
        if path is not None:
            yield Path(path)
