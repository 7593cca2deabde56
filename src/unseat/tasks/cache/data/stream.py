"""A file's bytes, decompressed block by block, and plain words for whatever is wrong with it."""

from __future__ import annotations

import gzip
import lzma
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import zstandard

from unseat.core.errors import UserError

BLOCK = 2**20
"""Bytes of a block: what a reader holds beside the arrays that it returns; small, so that columns stay in the cache."""

MAGIC = {".gz": b"\x1f\x8b", ".xz": b"\xfd7zXZ\x00", ".zst": b"\x28\xb5\x2f\xfd"}
_ZSTD_INPUT = 2**14  # compressed bytes a step: bounds what one step can unpack
_ZSTD_WINDOW = 2**31  # traces of the field are packed with --long; the default limit refuses them


def blocks(path: Path) -> Iterator[bytes]:
    """The decompressed content in blocks of about 1 MiB; gz, xz and zst are known by their first bytes.

    Raises:
        UserError: no such file, a directory, unreadable, a damaged or truncated compressed stream, or a suffix that
            says compressed where the content is not.
    """
    if path.is_dir():
        raise UserError(f"{path} is a directory; name one trace file in it")
    try:
        with path.open("rb") as file:
            yield from _unpacked(path, file)
    except UserError:
        raise
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file; check the path") from error
    except (EOFError, zlib.error, lzma.LZMAError, zstandard.ZstdError, gzip.BadGzipFile) as error:
        raise UserError(f"{path}: the compressed stream is truncated or damaged ({error}); fetch it again") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from error


def compression(path: Path) -> str:
    """The compression suffix of a file name: ".gz", ".xz", ".zst" or ""."""
    return path.suffix.lower() if path.suffix.lower() in MAGIC else ""


def _unpacked(path: Path, file: IO[bytes]) -> Iterator[bytes]:
    start = file.read(8)
    file.seek(0)
    packed = next((suffix for suffix, magic in MAGIC.items() if start.startswith(magic)), "")
    named = compression(path)
    if not start:
        raise UserError(f"{path} is empty; a trace needs at least one request")
    if named and named != packed:
        raise UserError(f"{path} does not begin like a {named} file; it is truncated, or drop the suffix {named}")
    if packed == ".zst":
        yield from _zst(file)
        return
    opened: Any = file
    if packed == ".gz":
        opened = gzip.GzipFile(fileobj=file)
    elif packed == ".xz":
        opened = lzma.LZMAFile(file)  # noqa: SIM115 - the file below it is closed by the caller
    while block := opened.read(BLOCK):
        yield block


def _zst(file: IO[bytes]) -> Iterator[bytes]:
    """Frame after frame; the library's own stream reader takes a truncated frame for the end of the file."""
    decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    frame = None
    ready = bytearray()
    while chunk := file.read(_ZSTD_INPUT):
        while chunk:
            frame = frame or decompressor.decompressobj()
            ready += frame.decompress(chunk)
            chunk = b""
            if frame.eof:
                chunk, frame = frame.unused_data, None
        if len(ready) >= BLOCK:
            yield bytes(ready)
            ready.clear()
    if frame is not None:
        raise EOFError("it ends inside a frame")
    if ready:
        yield bytes(ready)
