"""The schema of a task's `data.toml`: what each file is, where it is published, and how to know it is that file."""

from __future__ import annotations

import tomllib
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, StringConstraints, ValidationError, model_validator

from unseat.core.errors import UserError

_PART = "[A-Za-z0-9_][A-Za-z0-9._+-]*"

Name = Annotated[str, StringConstraints(pattern=rf"^{_PART}$")]
FileName = Annotated[str, StringConstraints(pattern=rf"^{_PART}(/{_PART})*$")]
"""Of a file, folders included; no part begins with a dot, so that it stays below the folder where it is looked for."""
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Md5 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Address = Annotated[
    str, StringConstraints(pattern=r"^(https://[^\s/]+/\S+|http://(localhost|127\.0\.0\.1)(:\d+)?/\S+)$")
]
"""A public https address; plain http only from this machine (a mirror of one's own)."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileEntry(_Strict):
    """One file.

    Attributes:
        name: the file's name in every folder where it may lie, with forward slashes where it lies in folders there.
        sha256: what the file is.
        md5: the same, for files whose publisher gives no better; it tells of damage, and not of malice.
        bytes: its size; None where that is not published.
        urls: addresses that serve these bytes, tried in order.
        embedded: path of the file beside the manifest, where it ships with the package.
        licence, source: under what terms it is used, and who made it (address, paper, or the command that did).
        citation: how to cite it, where its makers ask for that.
        details: what only the task knows: format, group, requests, ...
    """

    name: FileName
    sha256: Sha256 | None = None
    md5: Md5 | None = None
    bytes: int | None = Field(None, gt=0)
    urls: tuple[Address, ...] = ()
    embedded: str | None = None
    licence: str
    source: str
    citation: str = ""
    details: dict[str, Any] = {}
    _root: Path = PrivateAttr(default=Path())
    _task: str = PrivateAttr(default="")

    @model_validator(mode="after")
    def _has_a_place(self) -> FileEntry:
        if bool(self.urls) == (self.embedded is not None):
            raise ValueError(f"file {self.name}: give either urls or embedded")
        if (self.sha256 is None) == (self.md5 is None) or (self.embedded is not None and self.sha256 is None):
            raise ValueError(f"file {self.name}: give its sha256, or the md5 that its publisher gives")
        return self

    @property
    def hash(self) -> tuple[str, str]:
        """Algorithm and digest by which the file is known."""
        return ("sha256", self.sha256) if self.sha256 is not None else ("md5", str(self.md5))

    @property
    def hash_name(self) -> str:
        """The algorithm as people write it."""
        return "SHA-256" if self.sha256 is not None else "MD5"

    @property
    def task(self) -> str:
        """The folder name under which downloads and data folders keep it."""
        return self._task

    @property
    def shipped(self) -> Path | None:
        """Where it lies in the package, if it ships with it."""
        return None if self.embedded is None else self._root / self.embedded


class Manifest(_Strict):
    """All files of one task folder."""

    version: Literal[1]
    task: Name
    files: tuple[FileEntry, ...]

    @model_validator(mode="after")
    def _names_are_unique(self) -> Manifest:
        names = [entry.name for entry in self.files]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"named twice: {', '.join(twice)}")
        both = sorted({str(folder) for name in names for folder in PurePosixPath(name).parents} & {*names})
        if both:
            raise ValueError(f"named as a file and as a folder: {', '.join(both)}")
        return self

    def file(self, name: str) -> FileEntry:
        """The entry of that name.

        Raises:
            UserError: there is none.
        """
        for entry in self.files:
            if entry.name == name:
                return entry
        raise UserError(f"no file {name} in the data of {self.task}; `unseat data list` names them all")


def load_manifest(path: Path) -> Manifest:
    """Read and check a manifest.

    Raises:
        UserError: it cannot be read, or breaks the schema; the message names the first field that does.
    """
    try:
        manifest = Manifest.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "manifest"
        raise UserError(f"{path}: {place}: {first['msg']}") from error
    for entry in manifest.files:
        entry._root, entry._task = path.parent, manifest.task
    return manifest
