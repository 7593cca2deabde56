"""An index in one file that is opened by mapping it.

The file is a magic number, the number of the format, the length of a header and its checksum; the header, as JSON: the
type of the keys, the structure, and where each array lies, of what type, shape and checksum; then the arrays,
each in its own pages, padding included in its checksum. So every byte is checked, and kernels, which
do not check where they read, never see a model other than the one that was written. Checksums find damage, not
intent: open only files of people you trust, as with any program.

A model is read by the code that it was built for. Where that has changed since, the model is left aside and built anew
from the keys, which takes as long as building the index did.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import sys
import threading
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import UserError
from unseat.core.jit import jit
from unseat.structures.admission import Kind
from unseat.structures.contents import Contents, Numbers, TextKeys
from unseat.structures.locator import Locator
from unseat.structures.pending import State
from unseat.structures.selection import Choice, choose, fingerprint, kernel, name_of
from unseat.structures.strings import Texts

MAGIC = b"\x89unseat-index\r\n\x1a"
"""Like PNG's: not text, and broken by whatever rewrites line ends."""
FORMAT = 1
PAGE = 4096
LINE = 64
_FIXED = struct.Struct("<16sIIII")
"""Magic, format, length of the header, CRC-32 of the header, CRC-32 of what stands before."""
_LAZY = ("base.keys", "base.texts")
"""What is only compared with queries and leads nowhere: a kernel stays within bounds whatever stands there."""


@dataclass(frozen=True)
class _Section:
    """One array in the file."""

    dtype: str
    shape: tuple[int, ...]
    at: int
    phase: int
    padded: int
    sum: int


def write(path: Path, state: State, budget: float | None) -> None:
    """Write a state, what is pending included.

    Raises:
        OSError: It cannot be written; an existing file is as it was.
    """
    arrays = {f"{part}.{name}": array for part in ("base", "added") for name, array in _arrays(state, part).items()}
    arrays["removed"] = state.removed
    arrays |= {f"model.{i}": array for i, array in enumerate(state.choice.locator.arrays)}
    beside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        with beside.open("wb") as file:
            _write(file, arrays, _about(state, budget))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _arrays(state: State, part: str) -> dict[str, NDArray[Any]]:
    contents: Contents = getattr(state, part)
    return contents.arrays()


def _about(state: State, budget: float | None) -> dict[str, Any]:
    choice, kind = state.choice, state.base.kind
    return {
        "byteorder": sys.byteorder,
        "budget": budget,
        "dtype": "object" if kind.text else kind.dtype.str,
        "text": kind.text,
        "skip": {part: getattr(getattr(state, part), "skip", 0) for part in ("base", "added")},
        "structure": choice.locator.name,
        "kernel": name_of(choice.locator),
        "fingerprint": fingerprint(name_of(choice.locator)),
        "config": dict(choice.locator.config),
        "few": choice.few,
        "measured": dict(choice.measured),
        "reason": choice.reason,
    }


def _write(file: BinaryIO, arrays: Mapping[str, NDArray[Any]], about: dict[str, Any]) -> None:
    sections: dict[str, dict[str, Any]] = {}
    at = 0
    for name, array in arrays.items():
        phase, words = _paged(array)
        sections[name] = {"dtype": array.dtype.str, "shape": array.shape, "at": at, "phase": phase,
                          "padded": words.nbytes, "sum": int(checksum(words))}  # fmt: skip
        at += words.nbytes
    # Places are told from the end of the header, as its length depends on them; spaces fill it up to a whole page.
    header = json.dumps(about | {"sections": sections}).encode()
    header += b" " * (-(_FIXED.size + len(header)) % PAGE)
    before = struct.pack("<16sIII", MAGIC, FORMAT, len(header), zlib.crc32(header))
    file.write(before + struct.pack("<I", zlib.crc32(before)) + header)
    for array in arrays.values():
        file.write(_paged(array)[1].data)


def _paged(array: NDArray[Any]) -> tuple[int, NDArray[np.uint64]]:
    """An array in whole pages, and the byte where it begins: in the same place of a cache line as in memory.

    Some structures are laid out for where the keys' cache lines begin.
    """
    phase = array.ctypes.data % LINE if array.size else 0
    words = np.zeros(-(-(phase + array.nbytes) // PAGE) * PAGE // 8, np.uint64)
    words.view(np.uint8)[phase : phase + array.nbytes] = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    return phase, words


@jit
def checksum(words: NDArray[np.uint64]) -> np.uint64:
    """A sum over a multiple of four words that runs at the memory's speed, which CRC-32 does not.

    Each step maps a lane's state one to one, so that no change within one word goes unseen; the rotation takes the
    high bits, which a product leaves high, to where they count.
    """
    prime, left, right = np.uint64(0x9E3779B97F4A7C15), np.uint64(29), np.uint64(35)
    a, b, c, d = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)
    for i in range(0, len(words), 4):
        a, b = (a ^ words[i]) * prime, (b ^ words[i + 1]) * prime
        c, d = (c ^ words[i + 2]) * prime, (d ^ words[i + 3]) * prime
        a, b = (a << left) | (a >> right), (b << left) | (b >> right)
        c, d = (c << left) | (c >> right), (d << left) | (d >> right)
    return ((a * prime ^ b) * prime ^ c) * prime ^ d


def read(path: Path, verify: bool) -> tuple[State, float | None]:
    """The state and budget in a file.

    Raises:
        OSError: The file cannot be read.
        UserError: It is not a saved index, not whole, damaged, or of a format that this version does not read.
    """
    with path.open("rb") as file:
        header = _header(path, file.read(_FIXED.size), file)
        # Private and writable, though nothing writes: kernels are compiled once for arrays of that sort.
        mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    try:
        sections = {name: _Section(**value) for name, value in header["sections"].items()}
        start = header["start"]
        _check_size(path, len(mapped), start + sum(section.padded for section in sections.values()))
        arrays: dict[str, NDArray[Any]] = {}
        for name, section in sections.items():
            raw = mapped[start + section.at : start + section.at + section.padded]
            if (verify or name not in _LAZY) and checksum(np.frombuffer(raw, np.uint64)) != section.sum:
                raise UserError(f"{path}: the array {name} is damaged (wrong checksum): restore or rebuild the file")
            dtype = np.dtype(section.dtype)
            count = int(np.prod(section.shape, dtype=np.int64))
            arrays[name] = np.frombuffer(raw, dtype, count, section.phase).reshape(section.shape)
        return _state(header, arrays), _budget(header)
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: its header makes no sense ({error!r}): it was not written by unseat") from error


def _header(path: Path, fixed: bytes, file: BinaryIO) -> dict[str, Any]:
    """The checked header; `start` is where the arrays begin."""
    if not fixed.startswith(MAGIC):
        whole = "is empty" if not fixed else "does not begin as one"
        raise UserError(f"{path}: not a saved index (it {whole}): give a file that LearnedIndex.save wrote")
    if len(fixed) < _FIXED.size:
        raise UserError(f"{path}: cut off after {len(fixed)} bytes: copy it again")
    _, version, length, header_crc, fixed_crc = _FIXED.unpack(fixed)
    if zlib.crc32(fixed[:-4]) != fixed_crc:
        raise UserError(f"{path}: its first {_FIXED.size} bytes are damaged: restore or rebuild the file")
    if version != FORMAT:
        newer = "update unseat" if version > FORMAT else "build and save the index again"
        raise UserError(f"{path}: of format {version}, and this version reads format {FORMAT}: {newer}")
    raw = file.read(length)
    if len(raw) < length:
        raise UserError(f"{path}: cut off in its header, after {_FIXED.size + len(raw)} bytes: copy it again")
    if zlib.crc32(raw) != header_crc:
        raise UserError(f"{path}: its header is damaged (its checksum is wrong): restore or rebuild the file")
    try:
        header = json.loads(raw)
        byteorder = header["byteorder"]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: its header makes no sense ({error!r}): it was not written by unseat") from error
    if byteorder != sys.byteorder:
        raise UserError(f"{path}: written on a {byteorder}-endian machine, and this one is {sys.byteorder}-endian: "
                        "build the index here")  # fmt: skip
    return {**header, "start": _FIXED.size + length}


def _check_size(path: Path, size: int, expected: int) -> None:
    if size != expected:
        how = "cut off" if size < expected else "longer than it was written"
        raise UserError(f"{path}: {how}: {size:,} bytes, and {expected:,} were written: copy it again")


def _state(header: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> State:
    kind = Kind(np.dtype(header["dtype"]), header["text"])
    base, added = (_contents(kind, part, header["skip"][part], arrays) for part in ("base", "added"))
    name = header["kernel"]
    if header["fingerprint"] == fingerprint(name):
        model = tuple(arrays[f"model.{i}"] for i in range(sum(key.startswith("model.") for key in arrays)))
        locator = Locator(header["structure"], kernel(name), model, header["config"])
        choice = Choice(locator, int(header["few"]), header["measured"], header["reason"])
    else:
        choice = choose(base.modelled, _budget(header))
    return State(base, choice, added, arrays["removed"])


def _budget(header: dict[str, Any]) -> float | None:
    return None if header["budget"] is None else float(header["budget"])


def _contents(kind: Kind, part: str, skip: int, arrays: dict[str, NDArray[Any]]) -> Contents:
    if not kind.text:
        return Numbers(kind, arrays[f"{part}.keys"])
    texts = Texts(arrays[f"{part}.texts"], arrays[f"{part}.ends"])
    return TextKeys(kind, texts, arrays[f"{part}.codes"], skip)
