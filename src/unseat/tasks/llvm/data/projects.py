"""Real projects: their archives by manifest, each linked with a driver that was written for this project."""

from __future__ import annotations

import hashlib
import shutil
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from unseat.core.errors import UserError
from unseat.data import FileEntry, load_manifest, locate
from unseat.data.store import cache_folder
from unseat.tasks.llvm.data.programs import Program, Unit

MANIFEST = Path(__file__).parents[1] / "inline" / "data.toml"
DRIVERS = Path(__file__).with_name("drivers")
"""For each project ``NAME.c``, which works its library, ``NAME.txt``, what that prints, and a folder ``NAME`` if there
are headers that its own build would write."""

_LARGEST = 1 << 30


class Details(BaseModel):
    """What of an archive is compiled.

    Attributes:
        project: The project's name, and its driver's.
        folder: The folder in the archive's only one from which paths count.
        sources: Patterns of the sources there.
        without: Names of sources that are left out.
        flags: What the project compiles them with, relative to `folder`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    project: str
    folder: str = "."
    sources: Sequence[str]
    without: Sequence[str] = ()
    flags: Sequence[str] = ()


@lru_cache(maxsize=1)
def listed() -> Mapping[str, tuple[FileEntry, Details]]:
    """The archives, and what of them is compiled, by the names of their projects.

    Raises:
        UserError: The manifest is damaged.
    """
    try:
        found = [(entry, Details(**entry.details)) for entry in load_manifest(MANIFEST).files]
    except ValidationError as error:
        raise UserError(f"{MANIFEST}: {error.errors()[0]['msg']}") from error
    return {details.project: (entry, details) for entry, details in found}


class Project(Program):
    """A project as a program of its library and its driver; it is fetched and unpacked once its sources are asked for.

    Args:
        name: The project's name.
    """

    def __init__(self, name: str) -> None:
        # A frozen dataclass whose units are not a field's value here.
        for field, value in (("name", name), ("given", b""), ("split", "test")):
            object.__setattr__(self, field, value)
        object.__setattr__(self, "expected", (DRIVERS / f"{name}.txt").read_bytes())

    @cached_property
    def units(self) -> tuple[Unit, ...]:
        """The library's sources and the driver.

        Raises:
            UserError: The archive cannot be had or unpacked, or holds other files than the manifest says.
        """
        entry, details = listed()[self.name]
        root = unpacked(entry)
        folders = [path for path in root.iterdir() if path.is_dir()]
        folder = (folders[0] if len(folders) == 1 else root) / details.folder
        found = sorted({path for pattern in details.sources for path in folder.glob(pattern)})
        sources = [path.relative_to(folder) for path in found if path.name not in details.without]
        if not sources:
            raise UserError(f"{entry.name}: none of {', '.join(details.sources)} is in it; remove {root} and try again")
        flags = ("-I.", *(f"-I{path.parent}" for path in self._headers[:1]), *details.flags)
        driver = Unit(DRIVERS / f"{self.name}.c", folder, flags)
        return (*(Unit(source, folder, flags) for source in sources), driver)

    @property
    def _headers(self) -> list[Path]:
        return sorted((DRIVERS / self.name).glob("*.h"))

    @cached_property
    def digest(self) -> str:
        """Hash of the archive, of what of it is compiled and of the driver; the archive need not be here."""
        entry, details = listed()[self.name]
        found = hashlib.sha256(repr((entry.hash, details)).encode())
        own = DRIVERS / "common.h", DRIVERS / f"{self.name}.c", DRIVERS / f"{self.name}.txt"
        for path in (*own, *self._headers):
            found.update(path.read_bytes())
        return found.hexdigest()


def unpacked(entry: FileEntry) -> Path:
    """The folder of an archive's files, beside the downloads; several processes may ask at once.

    Raises:
        UserError: It cannot be had, or is no archive.
    """
    _, digest = entry.hash
    target = cache_folder() / entry.task / f"{entry.name}-{digest[:16]}"
    if target.is_dir():
        return target
    archive = locate(entry)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=target.parent, prefix=".unpacking-"))
        try:
            with tarfile.open(archive) as tar:
                members = tar.getmembers()
                if sum(member.size for member in members) > _LARGEST:
                    raise UserError(f"{archive}: would unpack to more than a gibibyte")
                tar.extractall(made, members, filter="data")
            # Whoever comes second finds the first one's folder, which is the same.
            try:
                made.rename(target)
            except OSError:
                if not target.is_dir():
                    raise
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except (OSError, tarfile.TarError, EOFError) as error:
        raise UserError(f"{archive}: cannot be unpacked into {target.parent}: {error}") from error
    return target
