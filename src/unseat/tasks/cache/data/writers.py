"""Write a trace so that a reader gets the same requests back; the suffix chooses format and compression."""

from __future__ import annotations

import gzip
import lzma
import os
import tempfile
from pathlib import Path

import numpy as np
import zstandard

from unseat.core.errors import UserError
from unseat.tasks.cache.data import packed, stream
from unseat.tasks.cache.data.formats import INTEGERS, ORACLE_GENERAL
from unseat.tasks.cache.data.readers import guess_format
from unseat.tasks.cache.data.trace import RawTrace

WRITABLE = ("keys", "csv", *INTEGERS, "oracleGeneral", "packed")


def write_trace(path: Path | str, trace: RawTrace, format: str | None = None) -> None:
    """Write a trace; the file appears whole or not at all.

    Args:
        path: the file; ".gz", ".xz" or ".zst" at the end compresses.
        trace: what to write. `keys` and the integer formats leave sizes and times out.
        format: one of WRITABLE; None takes it from the suffix.

    Raises:
        UserError: a format that cannot be written or cannot hold the trace, or a folder that cannot take the file.
    """
    path = Path(path)
    name = format or guess_format(path, b"")
    if name not in WRITABLE:
        raise UserError(f"{path}: cannot write {name}; use one of {', '.join(WRITABLE)}")
    content = _compressed(_encoded(path, trace, name), stream.compression(path))
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            partial = Path(file.name)
            try:
                file.write(content)
                file.flush()
                partial.chmod(0o666 & ~_umask())
                partial.replace(path)
            except BaseException:
                partial.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror or error}; choose another folder") from error


def _encoded(path: Path, trace: RawTrace, name: str) -> bytes:
    if name == "packed":
        return packed.encode(trace, str(path))
    if name == "oracleGeneral":
        return _oracle_general(path, trace)
    if name in INTEGERS:
        dtype = np.dtype(INTEGERS[name])
        if dtype.itemsize == 4 and len(trace) and trace.keys.max() >= 2**32:
            raise UserError(f"{path}: a key beyond 32 bits; write {name.replace('32', '64')} instead")
        return trace.keys.astype(dtype).tobytes()
    if name == "keys":
        return b"".join(map(b"%d\n".__mod__, trace.keys.tolist()))
    columns = {"key": trace.keys.tolist()}
    for column, values in (("size", trace.sizes), ("time", trace.times)):
        if values is not None:
            columns[column] = values.tolist()
    row = ",".join(["%d"] * len(columns)).encode() + b"\n"
    return ",".join(columns).encode() + b"\n" + b"".join(map(row.__mod__, zip(*columns.values(), strict=True)))


def _oracle_general(path: Path, trace: RawTrace) -> bytes:
    data = np.zeros(len(trace), dtype=ORACLE_GENERAL)
    data["key"] = trace.keys
    for column, values in (("size", trace.sizes), ("time", trace.times)):
        if values is not None:
            if len(values) and (values.min() < 0 or values.max() >= 2**32):
                raise UserError(f"{path}: a {column} beyond the 32 bits of oracleGeneral; write csv instead")
            data[column] = values
    if trace.sizes is None:
        data["size"] = 1
    data["next"] = next_access(trace)
    return data.tobytes()


def next_access(trace: RawTrace) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Position of the next request of the same object, -1 where there is none (int64, shape (n,))."""
    order = np.argsort(trace.keys, kind="stable")
    again = trace.keys[order[1:]] == trace.keys[order[:-1]]
    result = np.full(len(trace), -1, dtype=np.int64)
    result[order[:-1][again]] = order[1:][again]
    return result


def _compressed(content: bytes, suffix: str) -> bytes:
    if suffix == ".gz":
        return gzip.compress(content, mtime=0)
    if suffix == ".xz":
        return lzma.compress(content, preset=6)
    if suffix == ".zst":
        return zstandard.ZstdCompressor(level=10, write_content_size=True).compress(content)
    return content


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
