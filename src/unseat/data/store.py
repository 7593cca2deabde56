"""Where a file of a manifest is: in the package, in a folder of `UNSEAT_DATA`, in the cache, or at its addresses."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from unseat.core.errors import UserError
from unseat.data.manifest import FileEntry, Manifest

Where = Literal["embedded", "found", "cached", "missing", "damaged"]


@dataclass(frozen=True)
class State:
    """Where an entry is now: `found` in a folder of UNSEAT_DATA; `path` is None where it is missing."""

    entry: FileEntry
    where: Where
    path: Path | None


def locate(entry: FileEntry) -> Path:
    """The file, checked by hash, downloaded if it is nowhere yet.

    Raises:
        UserError: a file of that name in UNSEAT_DATA is another one, the shipped one is damaged, no address serves it,
            or the cache folder cannot take it. Nothing is deleted; an incomplete download is never visible.
    """
    state = _state(entry)
    if state.path is not None and state.where == "damaged" and state.path != cached_path(entry):
        raise UserError(
            f"{state.path} is not the file of the manifest of {entry.task} ({entry.hash_name} differs); "
            "replace or rename it"
            + (", or reinstall unseat" if entry.shipped else ", or take its folder out of UNSEAT_DATA")
        )
    if state.path is None or state.where == "damaged":
        from unseat.data.download import download

        return download(entry, cached_path(entry))
    return state.path


def status(manifests: Sequence[Manifest]) -> list[State]:
    """Where every file is, hashes checked; downloads nothing."""
    return [_state(entry) for manifest in manifests for entry in manifest.files]


def fetch(manifests: Sequence[Manifest], names: Sequence[str] = ()) -> list[State]:
    """Bring every file (or the named ones) onto this machine.

    Raises:
        UserError: an unknown name, or as `locate`; what was fetched before stays.
    """
    wanted = list(_chosen(manifests, names))
    for entry in wanted:
        locate(entry)
    return [_state(entry) for entry in wanted]


def verify(manifests: Sequence[Manifest], names: Sequence[str] = ()) -> list[State]:
    """Read and hash again every file that is here; damaged ones are told by their state."""
    _digest.cache_clear()
    return [_state(entry) for entry in _chosen(manifests, names)]


def data_folders() -> list[Path]:
    """The folders of `UNSEAT_DATA`, in order."""
    return [Path(folder).expanduser() for folder in os.environ.get("UNSEAT_DATA", "").split(os.pathsep) if folder]


def cache_folder() -> Path:
    """`UNSEAT_CACHE`, or the user's cache folder of this platform."""
    chosen = os.environ.get("UNSEAT_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("unseat", appauthor=False))


def cached_path(entry: FileEntry) -> Path:
    """Where a download of it goes."""
    return cache_folder() / "data" / entry.task / entry.name


def _chosen(manifests: Sequence[Manifest], names: Sequence[str]) -> Iterator[FileEntry]:
    entries = [entry for manifest in manifests for entry in manifest.files]
    unknown = sorted(set(names) - {entry.name for entry in entries})
    if unknown:
        raise UserError(f"no data file {unknown[0]}; `unseat data list` names them all")
    return (entry for entry in entries if not names or entry.name in names)


def _state(entry: FileEntry) -> State:
    if entry.shipped is not None:
        return _judged(entry, "embedded", entry.shipped)
    for folder in data_folders():
        for path in (folder / entry.name, folder / entry.task / entry.name):
            if path.is_file():
                return _judged(entry, "found", path)
    return _judged(entry, "cached", cached_path(entry))


def _judged(entry: FileEntry, where: Where, path: Path) -> State:
    try:
        info = path.stat()
        algorithm, wanted = entry.hash
        digest = _digest(path, algorithm, info.st_size, info.st_mtime_ns)
    except (FileNotFoundError, NotADirectoryError):
        return State(entry, "missing", None)
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}; check its permissions") from error
    return State(entry, where if digest == wanted else "damaged", path)


@lru_cache(maxsize=4096)
def _digest(path: Path, algorithm: str, size: int, mtime_ns: int) -> str:
    """Hash of a file, remembered for as long as its size and time stay."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
