"""The real keys that ship with the package, recorded by this project, and the sets that others have published.

An embedded file of numbers is an xz of an ``.npy``: uint8[8, n], the bytes of the differences between the codes of
neighbours (`unseat.structures.codes`), lowest bytes first, which compresses far better than the keys do. One of strings
is an xz of lines.
"""

from __future__ import annotations

import io
import lzma
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from unseat.core.errors import UserError
from unseat.data import FileEntry, Manifest, load_manifest, locate

Keys = NDArray[Any]
MANIFEST_PATH = Path(__file__).with_name("data.toml")
SUFFIX = ".keys.xz"
_SIGN = np.uint64(1 << 63)


class Details(BaseModel):
    """What `data.toml` says of a set beside where the file is.

    Attributes:
        group: What it is a recording of, the unit of independence.
        kind: ``uint64``, ``int64``, ``float64`` or ``strings``; ``sosd`` for a file in SOSD's format.
        keys: How many.
        distinct: How many of them differ; None where that is not published.
        command: How it was recorded.
        unpacked_md5: Of a published set, the MD5 of the file when decompressed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    group: str
    kind: str
    keys: int
    distinct: int | None = None
    command: str = ""
    unpacked_md5: str = ""


@dataclass(frozen=True)
class Entry:
    """A set by name, cheap to list."""

    name: str
    file: FileEntry
    details: Details

    @property
    def group(self) -> str:
        """The unit of independence."""
        return self.details.group


def names() -> list[str]:
    """The embedded sets by name."""
    return list(entries())


def load(name: str) -> Keys:
    """An embedded set.

    Returns:
        Sorted, with its duplicates: uint64[n], int64[n], float64[n], or bytes of one width (dtype ``S``).

    Raises:
        UserError: There is none of that name, or its file is damaged.
    """
    known = entries()
    if name not in known:
        raise UserError(f"no embedded keys {name!r}; there are {', '.join(known)}")
    entry = known[name]
    keys = decode(locate(entry.file).read_bytes(), entry.details.kind)
    if len(keys) != entry.details.keys:
        raise UserError(f"{entry.file.name}: {len(keys):,} keys instead of {entry.details.keys:,}; reinstall unseat")
    return keys


def entries() -> Mapping[str, Entry]:
    """The embedded sets, by name."""
    return {entry.name: entry for entry in _all() if entry.file.shipped}


def published() -> Mapping[str, Entry]:
    """The sets that others have published, by name; `unseat data fetch index` brings them here."""
    return {entry.name: entry for entry in _all() if not entry.file.shipped}


@lru_cache(maxsize=1)
def manifest() -> Manifest:
    """The manifest of this task's files."""
    return load_manifest(MANIFEST_PATH)


@lru_cache(maxsize=1)
def _all() -> tuple[Entry, ...]:
    found = []
    for file in manifest().files:
        try:
            details = Details.model_validate(file.details)
        except ValidationError as error:
            first = error.errors()[0]
            raise UserError(f"{MANIFEST_PATH}: {file.name}: {first['loc']}: {first['msg']}") from error
        found.append(Entry(file.name.split(".")[0], file, details))
    return tuple(found)


def encode(keys: Keys) -> bytes:
    """The bytes of an embedded file for sorted keys."""
    if keys.dtype.kind == "S":
        return lzma.compress(b"\n".join(keys.tolist()), preset=9 | lzma.PRESET_EXTREME)
    codes = _codes(keys)
    differences = np.diff(codes, prepend=np.uint64(0)).astype("<u8")
    buffer = io.BytesIO()
    planes = differences.view(np.uint8).reshape(-1, 8).T
    np.save(buffer, np.ascontiguousarray(planes), allow_pickle=False)
    return lzma.compress(buffer.getvalue(), preset=9 | lzma.PRESET_EXTREME)


def decode(data: bytes, kind: str) -> Keys:
    """The keys of an embedded file."""
    raw = lzma.decompress(data)
    if kind == "strings":
        return np.array(raw.split(b"\n"))
    planes = np.load(io.BytesIO(raw), allow_pickle=False)
    codes = np.cumsum(np.ascontiguousarray(planes.T).view("<u8").ravel(), dtype=np.uint64)
    return _keys(codes, kind)


def _codes(keys: Keys) -> NDArray[np.uint64]:
    """As `unseat.structures.codes.codes`, which is compiled: listing and loading sets must not wait for Numba."""
    bits = np.ascontiguousarray(keys).view(np.uint64)
    if keys.dtype.kind == "u":
        return bits
    if keys.dtype.kind == "i":
        return bits ^ _SIGN
    return np.where(bits >= _SIGN, ~bits, bits | _SIGN)


def _keys(codes: NDArray[np.uint64], kind: str) -> Keys:
    if kind == "uint64":
        return codes
    if kind == "int64":
        return (codes ^ _SIGN).view(np.int64)
    return np.where(codes >= _SIGN, codes ^ _SIGN, ~codes).view(np.float64)
