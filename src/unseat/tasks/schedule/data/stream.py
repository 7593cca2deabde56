"""A file's bytes, unpacked where it is compressed, and plain words for whatever is wrong with it."""

from __future__ import annotations

import gzip
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from unseat.core.errors import UserError

GZ, XZ, ZST = b"\x1f\x8b", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd"

_OTHERS = {b"LZ4Block": "lz4", b"\x04\x22\x4d\x18": "lz4", b"\x82SNAPPY\x00": "snappy", b"ZV": "lzf"}


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The content for reading; gz, xz and zst are known by their first bytes.

    A zst stream that is cut short ends where it was cut: Spark leaves one when it is killed.

    Raises:
        UserError: The file cannot be read, is damaged, or compressed in another way; so too while it is read.
    """
    try:
        with path.open("rb") as file:
            start = file.read(8)
            file.seek(0)
            other = next((name for magic, name in _OTHERS.items() if start.startswith(magic)), None)
            if other is not None:
                raise UserError(f"{path}: compressed with {other}; unpack it, or have it written with zstd")
            yield _unpacked(file, start)
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file; check the path") from error
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise UserError(f"{path}: the compressed stream is truncated or damaged ({error}); fetch it again") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from error


def _unpacked(file: IO[bytes], start: bytes) -> IO[bytes]:
    if start.startswith(GZ):
        return cast(IO[bytes], gzip.GzipFile(fileobj=file))
    if start.startswith(XZ):
        return lzma.LZMAFile(file)  # the file below it is closed by the caller
    if start.startswith(ZST):
        import io

        import zstandard

        raw: Any = zstandard.ZstdDecompressor(max_window_size=2**31).stream_reader(file, read_across_frames=True)
        return cast(IO[bytes], io.BufferedReader(_Plain(raw)))
    return file


class _Plain:
    """Zstandard's reader, whose errors are those of a damaged stream."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader
        self.closed = False

    def readable(self) -> bool:
        """For `io.BufferedReader`."""
        return True

    def readinto(self, buffer: memoryview) -> int:
        """As of a raw stream."""
        import zstandard

        try:
            return int(self._reader.readinto(buffer))
        except zstandard.ZstdError as error:
            raise EOFError(str(error)) from error

    def close(self) -> None:
        """For `io.BufferedReader`."""
        self.closed = True
