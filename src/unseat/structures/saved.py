"""An index in one file that is opened by mapping it.

The file is a magic number, the number of the format, the length of a header and its checksum; the header, as JSON: the
type of the keys, the structure, and where each array lies, of what type, shape and checksum; then the arrays,
each in its own pages, padding included in its checksum. So every byte is checked, and kernels, which
do not check where they read, never see a model other than the one that was written. Checksums find damage, not
intent: open only files of people you trust, as with any program.

A model is read by the code that it was built for. Where that has changed since, or the model does not fit the keys, it
is left aside and built anew from them, which takes as long as building the index did.
"""

from __future__ import annotations

import json
import math
import mmap
import os
import struct
import sys
import threading
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import UserError
from unseat.core.jit import jit
from unseat.structures.admission import Kind, check_budget, check_kind, first_disorder
from unseat.structures.checked import fits
from unseat.structures.contents import Contents, Numbers, TextKeys
from unseat.structures.locator import Locator
from unseat.structures.pending import State
from unseat.structures.selection import Choice, fingerprint, kernel, name_of
from unseat.structures.strings import Texts, shared_prefix

MAGIC = b"\x89unseat-index\r\n\x1a"
"""Like PNG's: not text, and broken by whatever rewrites line ends."""
FORMAT = 1
PAGE = 4096
LINE = 64
_FIXED = struct.Struct("<16sIIII")
"""Magic, format, length of the header, CRC-32 of the header, CRC-32 of what stands before."""
_LAZY = ("base.keys", "base.texts")
"""What is only compared with queries and leads nowhere: a kernel stays within bounds whatever stands there."""
_NONSENSE = (KeyError, TypeError, ValueError, AttributeError, OverflowError)
_CHUNK = 1 << 18
"""Words that are summed and written at a time."""


@dataclass(frozen=True)
class _Section:
    """One array in the file."""

    dtype: str
    shape: tuple[int, ...]
    at: int
    phase: int
    padded: int
    sum: int

    def of(self, raw: memoryview) -> NDArray[Any]:
        """The array in its pages.

        Raises:
            ValueError: They do not hold it, or not where a kernel may read it.
        """
        dtype = np.dtype(self.dtype)
        count = math.prod(self.shape)
        if min(self.shape, default=0) < 0 or not 0 <= self.phase <= self.padded - count * dtype.itemsize:
            raise ValueError(f"an array of shape {self.shape} in {self.padded} bytes")
        if self.phase % dtype.itemsize:
            raise ValueError(f"an array of type {dtype} from byte {self.phase} on")
        return np.frombuffer(raw, dtype, count, self.phase).reshape(self.shape)


def write(path: Path, state: State, budget: float | None) -> None:
    """Write a state, what is pending included.

    Raises:
        OSError: It cannot be written; an existing file is as it was.
    """
    about, arrays = parts(state, budget)
    beside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        with beside.open("wb") as file:
            _write(file, arrays, about)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def parts(state: State, budget: float | None) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """A state as plain values, which JSON can hold, and arrays by name; the inverse of `restored`."""
    choice, kind = state.choice, state.base.kind
    held: dict[str, Contents] = {"base": state.base, "added": state.added}
    arrays = {f"{part}.{name}": array for part in held for name, array in held[part].arrays().items()}
    arrays["removed"] = state.removed
    arrays |= {f"model.{i}": array for i, array in enumerate(choice.locator.arrays)}
    return {
        "byteorder": sys.byteorder,
        "budget": budget,
        "dtype": "object" if kind.text else kind.dtype.str,
        "text": kind.text,
        "untyped": kind.untyped,
        "skip": {part: getattr(getattr(state, part), "skip", 0) for part in ("base", "added")},
        "most": {part: getattr(contents, "most", -1) for part, contents in held.items()},
        "structure": choice.locator.name,
        "kernel": name_of(choice.locator),
        "fingerprint": fingerprint(name_of(choice.locator)),
        "config": dict(choice.locator.config),
        "few": choice.few,
        "few_right": choice.few_right,
        "measured": dict(choice.measured),
        "reason": choice.reason,
    }, arrays


def _write(file: BinaryIO, arrays: Mapping[str, NDArray[Any]], about: dict[str, Any]) -> None:
    sections: dict[str, dict[str, Any]] = {}
    at = 0
    for name, array in arrays.items():
        phase, padded = _place(array)
        sections[name] = {"dtype": array.dtype.str, "shape": array.shape, "at": at, "phase": phase, "padded": padded}
        at += padded
    # The header comes before what it sums up: its room is left free, the longest sums included, and filled at the end.
    # Places are told from its end, as its length depends on them; spaces fill it up to a whole page.
    room = len(json.dumps(about | {"sections": sections})) + len(sections) * len(f', "sum": {(1 << 64) - 1}')
    room += -(_FIXED.size + room) % PAGE
    file.seek(_FIXED.size + room)
    for name, array in arrays.items():
        state = _SEED.copy()
        for words in _pages(array):
            _mix(words, state)
            file.write(words.data)
        sections[name]["sum"] = int(_sum(state))
    header = json.dumps(about | {"sections": sections}).encode().ljust(room)
    before = struct.pack("<16sIII", MAGIC, FORMAT, len(header), zlib.crc32(header))
    file.seek(0)
    file.write(before + struct.pack("<I", zlib.crc32(before)) + header)


def _place(array: NDArray[Any]) -> tuple[int, int]:
    """The byte of its pages where an array begins, and their bytes in all.

    It begins in the same place of a cache line as in memory: some structures are laid out for where lines begin.
    """
    phase = array.ctypes.data % LINE if array.size and array.flags.c_contiguous else 0
    return phase, -(-(phase + array.nbytes) // PAGE) * PAGE


def _pages(array: NDArray[Any]) -> Iterator[NDArray[np.uint64]]:
    """The pages of an array, some at a time, so that writing takes no second copy of it."""
    phase, padded = _place(array)
    raw = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    for start in range(0, padded, 8 * _CHUNK):
        words = np.zeros(min(_CHUNK, (padded - start) // 8), np.uint64)
        first = max(start - phase, 0)
        part = raw[first : start - phase + words.nbytes]
        begin = first + phase - start
        words.view(np.uint8)[begin : begin + len(part)] = part
        yield words


_SEED = np.array([1, 2, 3, 4], np.uint64)


def checksum(words: NDArray[np.uint64]) -> np.uint64:
    """A sum over a multiple of four words that runs at the memory's speed, which CRC-32 does not.

    Each step maps a lane's state one to one, so that no change within one word goes unseen; the rotation takes the
    high bits, which a product leaves high, to where they count.
    """
    state = _SEED.copy()
    _mix(words, state)
    return _sum(state)


@jit
def _mix(words: NDArray[np.uint64], state: NDArray[np.uint64]) -> None:
    prime, left, right = np.uint64(0x9E3779B97F4A7C15), np.uint64(29), np.uint64(35)
    a, b, c, d = state
    for i in range(0, len(words), 4):
        a, b = (a ^ words[i]) * prime, (b ^ words[i + 1]) * prime
        c, d = (c ^ words[i + 2]) * prime, (d ^ words[i + 3]) * prime
        a, b = (a << left) | (a >> right), (b << left) | (b >> right)
        c, d = (c << left) | (c >> right), (d << left) | (d >> right)
    state[0], state[1], state[2], state[3] = a, b, c, d


@jit
def _sum(state: NDArray[np.uint64]) -> np.uint64:
    prime = np.uint64(0x9E3779B97F4A7C15)
    a, b, c, d = state
    return np.uint64(((a * prime ^ b) * prime ^ c) * prime ^ d)


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
            raw = mapped[start : start + section.padded]
            if section.padded % PAGE or section.at != start - header["start"]:
                raise ValueError(f"{name} is not in pages of its own")
            if (verify or name not in _LAZY) and checksum(np.frombuffer(raw, np.uint64)) != section.sum:
                raise UserError(f"{path}: the array {name} is damaged (wrong checksum): restore or rebuild the file")
            arrays[name] = section.of(raw)
            start += section.padded
    except _NONSENSE as error:
        raise UserError(f"{path}: its header makes no sense ({error!r}): it was not written by unseat") from error
    try:
        return restored(header, arrays, verify)
    except (*_NONSENSE, UserError) as error:
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
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(f"{path}: its header makes no sense ({error!r}): it was not written by unseat") from error
    if byteorder != sys.byteorder:
        raise UserError(f"{path}: written on a {byteorder}-endian machine, and this one is {sys.byteorder}-endian: "
                        "build the index here")  # fmt: skip
    return {**header, "start": _FIXED.size + length}


def _check_size(path: Path, size: int, expected: int) -> None:
    if size != expected:
        how = "cut off" if size < expected else "longer than it was written"
        raise UserError(f"{path}: {how}: {size:,} bytes, and {expected:,} were written: copy it again")


def restored(about: dict[str, Any], arrays: dict[str, NDArray[Any]], verify: bool) -> tuple[State, float | None]:
    """The state and budget of `parts`.

    Args:
        about: The plain values.
        arrays: The arrays.
        verify: Read some keys, to see that the model finds them.

    Raises:
        KeyError, TypeError, ValueError, OverflowError, UserError: It is no such state.
    """
    kind = Kind(np.dtype(about["dtype"]), about["text"], bool(about["untyped"]))
    check_kind(kind)
    budget = check_budget(about["budget"])
    base, added = (_contents(kind, part, about, arrays) for part in ("base", "added"))
    removed = arrays["removed"]
    _check(removed.dtype == np.int64 and removed.ndim == 1 and bool((removed[1:] > removed[:-1]).all()), "removed")
    _check(not len(removed) or (removed[0] >= 0 and removed[-1] < len(base)), "removed")
    choice = _choice(about, arrays, base, verify)
    if choice is None:
        # Codes of texts may be made otherwise now.
        base, choice = base.slice(0, len(base)).fitted(budget)
    return State(base, choice, added, removed), budget


def _choice(
    about: dict[str, Any], arrays: dict[str, NDArray[Any]], base: Contents, verify: bool
) -> Choice | None:  # fmt: skip
    """How the keys were searched, where that can be done here and now."""
    name, measured = about["kernel"], about["measured"]
    few, few_right = about["few"], about["few_right"]
    if about["fingerprint"] != fingerprint(name):
        return None
    model = tuple(arrays[f"model.{i}"] for i in range(sum(key.startswith("model.") for key in arrays)))
    _check(
        type(few) is type(few_right) is int and min(few, few_right) >= 0 and isinstance(about["config"], dict), "few"
    )
    _check(all(isinstance(time, (int, float)) for time in measured.values()), "measured")
    locator = Locator(str(about["structure"]), kernel(name), model, about["config"])
    if not fits(locator, name, base.modelled, verify):
        return None
    return Choice(locator, few, measured, str(about["reason"]), few_right)


def _check(holds: bool, what: str) -> None:
    if not holds:
        raise ValueError(f"{what} is not as it is written")


def _contents(kind: Kind, part: str, about: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Contents:
    if not kind.text:
        keys = arrays[f"{part}.keys"]
        _check(keys.dtype == kind.stored and keys.ndim == 1, f"{part}.keys")
        _check(part == "base" or first_disorder(keys) < 0, f"{part}.keys")
        return Numbers(kind, keys)
    texts = Texts(arrays[f"{part}.texts"], arrays[f"{part}.ends"])
    data, ends, codes = texts.data, texts.ends, arrays[f"{part}.codes"]
    _check([data.dtype, ends.dtype, codes.dtype] == [np.uint8, np.int64, np.uint64], part)
    _check(data.ndim == ends.ndim == codes.ndim == 1 <= len(ends), part)
    _check(len(codes) in (0, len(ends) - 1), f"{part}.codes")
    _check(ends[0] == 0 and ends[-1] == len(data) and first_disorder(ends) < 0, f"{part}.ends")
    skip, most = about["skip"][part], about["most"][part]
    _check(skip == shared_prefix(texts), f"{part}.codes")
    _check(type(most) is int and -1 <= most <= len(texts), "most")
    return TextKeys(kind, texts, codes, skip, most)
