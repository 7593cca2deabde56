"""What is uploaded: an archive that nobody has looked into, checked before a byte of it is used."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from unseat.core.errors import UserError

MOST_UPLOAD = 4 << 20
"""Bytes of an archive."""
MOST_UNPACKED = 16 << 20
"""Bytes of all of its files together, as they come out; what their heads say is not believed."""
MOST_FILES, LONGEST_NAME = 200, 120
KINDS: Mapping[str, str] = {"policy.py": "policy", "program.py": "program", "answers.json": "answers"}
"""The file that says what a submission is."""
_SKIPPED = ("__MACOSX", "__pycache__", ".DS_Store", ".git")


class Refused(UserError):
    """An upload that is not taken; the message says why, to whoever sent it."""


def unpacked(archive: bytes) -> dict[str, bytes]:
    """The files of an archive, by their names.

    Raises:
        Refused: It is no archive, too large, or holds what a submission may not.
    """
    if len(archive) > MOST_UPLOAD:
        raise Refused(f"the archive has {len(archive):,} bytes; at most {MOST_UPLOAD:,} are taken")
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            return _without_top(_read(opened))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError) as error:
        raise Refused(f"this is no zip archive that can be read ({str(error)[:80]})") from error


def kind_of(files: Mapping[str, bytes]) -> str:
    """What a submission is: by the one file that says so.

    Raises:
        Refused: None does, or several do.
    """
    found = [kind for name, kind in KINDS.items() if name in files]
    if len(found) != 1:
        raise Refused(f"an archive must hold exactly one of {', '.join(KINDS)} at its top")
    if found == ["program"] and len(files) > 1:
        raise Refused("beside program.py there must be nothing: a program is one function")
    return found[0]


def packed(files: Mapping[str, bytes]) -> bytes:
    """Files as an archive, the same bytes for the same files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), files[name], zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def folder_files(folder: Path) -> dict[str, bytes]:
    """The plain files under a folder, by their names in an archive; what editors and Python leave is skipped.

    Raises:
        Refused: There is no such folder, nothing in it, or more than is taken.
    """
    if not folder.is_dir():
        raise Refused(f"{folder}: there is no such folder")
    found: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not path.is_file() or any(part in _SKIPPED for part in path.parts):
            continue
        found[name] = path.read_bytes()
    if not found:
        raise Refused(f"{folder}: there is nothing in it")
    return found


def _read(archive: zipfile.ZipFile) -> dict[str, bytes]:
    if not all(one.filename for one in archive.infolist()):
        raise Refused("the archive has a file without a name")
    members = [one for one in archive.infolist() if not one.is_dir()]
    if len(archive.infolist()) > 2 * MOST_FILES or len(members) > MOST_FILES:
        raise Refused(f"the archive has more than {MOST_FILES} files")
    found: dict[str, bytes] = {}
    left = MOST_UNPACKED
    for one in members:
        name = _checked(one)
        if any(part in _SKIPPED for part in PurePosixPath(name).parts):
            continue
        if name in found:
            raise Refused(f"{name!r} is in the archive twice")
        with archive.open(one) as file:
            content = file.read(left + 1)
        left -= len(content)
        if left < 0:
            raise Refused(f"unpacked, the archive has more than {MOST_UNPACKED:,} bytes")
        found[name] = content
    folders = {str(parent) for name in found for parent in PurePosixPath(name).parents}
    if clash := folders & found.keys():
        raise Refused(f"{min(clash)!r} is a file and a folder")
    return found


def _checked(one: zipfile.ZipInfo) -> str:
    """The name of a file in an archive, if it may be there."""
    # `filename` is cut at a NUL and has its separators exchanged; what stands in the archive is `orig_filename`.
    name, raw = one.filename, one.orig_filename
    shown = repr(raw[:60])
    if "\0" in raw or "\\" in raw or any(not character.isprintable() for character in raw):
        raise Refused(f"{shown}: a file's name may hold no such characters")
    parts = name.split("/")
    if name.startswith("/") or ":" in name or any(part in ("", ".", "..") for part in parts):
        raise Refused(f"{shown}: a file's name must lie inside the archive")
    if len(name) > LONGEST_NAME:
        raise Refused(f"{shown}: a file's name has at most {LONGEST_NAME} characters")
    mode = one.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise Refused(f"{shown}: only plain files are taken, no links or devices")
    if one.flag_bits & 1:
        raise Refused(f"{shown}: it is encrypted")
    if one.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Refused(f"{shown}: it is packed in a way that is not read; use an ordinary zip")
    return name


def _without_top(files: dict[str, bytes]) -> dict[str, bytes]:
    """The same without the one folder that holds everything, as most programs pack it."""
    tops = {name.partition("/")[0] for name in files}
    if len(tops) != 1 or any("/" not in name for name in files):
        return files
    return {name.partition("/")[2]: content for name, content in files.items()}
