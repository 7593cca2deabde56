"""The traces that the task knows by name: those in the package and those published elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from unseat.core.errors import UserError
from unseat.data import FileEntry, Manifest, load_manifest, locate
from unseat.tasks.cache.data.readers import open_trace
from unseat.tasks.cache.data.trace import RawTrace

MANIFEST_PATH = Path(__file__).parents[1] / "data.toml"


class _Details(BaseModel):
    """What `data.toml` says of a trace beside where the file is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    group: str
    format: str
    requests: int
    objects: int
    sized: bool
    content: str
    command: str = ""
    program: str = ""
    unit: str = ""


@dataclass(frozen=True)
class TraceEntry:
    """A trace by name, cheap to list.

    Attributes:
        name: the file's name without suffixes.
        group: the family of programs it comes from, the unit of independence.
        sized: whether objects differ in size, so that it is an instance of `cache-sized`.
        requests, objects: its length and footprint.
        content_hash: `RawTrace.content_hash` of it.
        file: where it is, its SHA-256, licence and source.
        format: its reader.
        command, program, unit: how it was recorded, from which versions, and what an object is; "" for published ones.
    """

    name: str
    group: str
    sized: bool
    requests: int
    objects: int
    content_hash: str
    file: FileEntry
    format: str
    command: str = ""
    program: str = ""
    unit: str = ""

    @property
    def sha256(self) -> str:
        """Hash of the file."""
        return self.file.hash[1]

    @property
    def licence(self) -> str:
        """Under what terms it may be used."""
        return self.file.licence

    @property
    def source(self) -> str:
        """Who made it."""
        return self.file.source

    def load(self, limit: int | None = None) -> RawTrace:
        """Read it (its first `limit` requests), fetching it before that where it is not here yet.

        Raises:
            UserError: as `unseat.data.locate`, or the file holds other requests than the manifest says.
        """
        trace = open_trace(locate(self.file), self.format, name=self.name, limit=limit)
        expected = self.requests if limit is None else min(limit, self.requests)
        if len(trace) != expected:
            raise UserError(f"{self.file.name}: {len(trace):,} requests instead of {expected:,}; reinstall unseat")
        return trace


def embedded() -> list[TraceEntry]:
    """The traces that ship with the package, recorded by this project; they need no network."""
    return [entry for entry in _entries() if entry.file.shipped]


def published() -> list[TraceEntry]:
    """The traces that others published, fetched on first use."""
    return [entry for entry in _entries() if not entry.file.shipped]


@lru_cache(maxsize=1)
def manifest() -> Manifest:
    """The manifest of this task's files."""
    return load_manifest(MANIFEST_PATH)


@lru_cache(maxsize=1)
def _entries() -> tuple[TraceEntry, ...]:
    return tuple(_entry(file) for file in manifest().files)


def _entry(file: FileEntry) -> TraceEntry:
    try:
        details = _Details.model_validate(file.details)
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(f"{MANIFEST_PATH}: {file.name}: {first['loc']}: {first['msg']}") from error
    return TraceEntry(
        name=file.name.split(".")[0],
        group=details.group,
        sized=details.sized,
        requests=details.requests,
        objects=details.objects,
        content_hash=details.content,
        file=file,
        format=details.format,
        command=details.command,
        program=details.program,
        unit=details.unit,
    )
