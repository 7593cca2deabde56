"""Open a trace of any known format, compressed or not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from unseat.core.errors import UserError
from unseat.tasks.cache.data import packed, stream
from unseat.tasks.cache.data.formats import INTEGERS, Address, Binary, Csv, Format, Keys, Packed, Requests, TimeIdSize
from unseat.tasks.cache.data.trace import RawTrace

FORMATS = ("keys", "csv", *INTEGERS, "oracleGeneral", "time-id-size", "address", "packed")
"""Names for `open_trace(format=...)`."""

_SUFFIXES = {f".{name}".lower(): name for name in FORMATS} | {".tsv": "csv"}
_SAMPLE = 2**16
_TEXTS = {
    "address": re.compile(rb"\s*[ls]\s+0x[0-9a-fA-F]+\s+\d+\s*"),
    "time-id-size": re.compile(rb"\s*\d+(\.\d+)?\s+\S+\s+\d+\s*"),
}


def open_trace(
    path: Path | str,
    format: str | None = None,
    *,
    name: str | None = None,
    limit: int | None = None,
    key_column: str | None = None,
    size_column: str | None = None,
    delimiter: str | None = None,
) -> RawTrace:
    """Read a trace, plain or compressed with gzip, xz or zstd.

    Args:
        path: the file.
        format: one of FORMATS; None takes it from the suffix, else from the content.
        name: what to call it; the file's name without suffixes unless given.
        limit: read only the first requests.
        key_column: CSV: the column that holds the key, where it has no usual name.
        size_column: CSV: the column that holds the size in bytes.
        delimiter: CSV: the character between columns; None takes the comma, semicolon or tab that line 1 has most of.

    Raises:
        UserError: the file is absent, damaged, truncated, empty or of another format, or a record is wrong; the
            message names the file and the record.
    """
    path = Path(path)
    if format is not None and format not in FORMATS:
        raise UserError(f"{path}: no trace format {format}; known are {', '.join(FORMATS)}")
    if limit is not None and limit < 1:
        raise UserError(f"{path}: a limit of {limit} requests; give at least 1")
    source = stream.blocks(path)
    first = next(source, b"")
    chosen = format or guess_format(path, first)
    decoder = _decoder(path, chosen, key_column, size_column, delimiter)
    parts = list(_decoded(decoder, first, source, limit))
    trace = _joined(name or _stem(path), parts).head(limit or 2**62)
    if len(trace) == 0:
        raise UserError(f"{path} holds no requests; a trace needs at least one")
    return trace


def guess_format(path: Path, start: bytes) -> str:
    """The format by the file's suffix, else by its first bytes.

    Raises:
        UserError: binary content without a telling suffix.
    """
    for suffix in reversed(path.suffixes):
        if suffix.lower() in _SUFFIXES:
            return _SUFFIXES[suffix.lower()]
    if start.startswith(packed.MAGIC):
        return "packed"
    sample = start[:_SAMPLE]
    if b"\0" in sample or sum(byte < 9 or 13 < byte < 32 for byte in sample[:4096]):
        raise UserError(f"{path}: binary content and no telling suffix; name the format, one of {', '.join(FORMATS)}")
    lines = [line for line in sample.split(b"\n")[: -1 if len(start) > _SAMPLE else None] if line.strip()]
    for name, pattern in _TEXTS.items():
        if lines and pattern.fullmatch(lines[0]):
            return name
    if len(lines) > 1 and any(lines[0].count(mark) == lines[1].count(mark) > 0 for mark in (b",", b";", b"\t")):
        return "csv"
    return "keys"


def _decoder(path: Path, name: str, key: str | None, size: str | None, delimiter: str | None) -> Format:
    if delimiter is not None and len(delimiter.encode()) != 1:
        raise UserError(f"{path}: delimiter {delimiter!r}; give one character")
    plain: dict[str, Callable[[Path], Format]] = {
        "keys": Keys,
        "time-id-size": TimeIdSize,
        "address": Address,
        "packed": Packed,
    }
    if name == "csv":
        return Csv(path, key_column=key, size_column=size, delimiter=delimiter)
    return plain[name](path) if name in plain else Binary(path, name)


def _decoded(decoder: Format, block: bytes, source: Iterator[bytes], limit: int | None) -> Iterator[Requests]:
    count = 0
    while block and (limit is None or count < limit):
        following = next(source, b"")
        requests, used = decoder.decode(block, last=not following)
        count += len(requests.keys)
        yield requests
        if not following:
            return
        block = block[used:] + following


def _joined(name: str, parts: list[Requests]) -> RawTrace:
    parts = [part for part in parts if len(part.keys)] or parts[:1]
    if not parts:
        return RawTrace(name, np.zeros(0, dtype=np.uint64))
    keys = np.concatenate([part.keys for part in parts])
    sizes = [part.sizes for part in parts if part.sizes is not None]
    times = [part.times for part in parts if part.times is not None]
    return RawTrace(
        name,
        keys,
        np.concatenate(sizes) if len(sizes) == len(parts) else None,
        np.concatenate(times) if len(times) == len(parts) else None,
    )


def _stem(path: Path) -> str:
    stem = path.name
    while (suffix := Path(stem).suffix.lower()) in _SUFFIXES or suffix in (*stream.MAGIC, ".txt", ".trace", ".bin"):
        stem = Path(stem).stem
    return stem
