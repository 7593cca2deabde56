"""Trace formats: how one block of a file becomes keys, sizes and times.

A format is a class with `decode`, fed block after block; what it does not use of a block (the start of a record whose
end is in the next one) comes again in front of the next. Errors name the record, counted from 1.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import UserError
from unseat.tasks.cache.data import packed, text
from unseat.tasks.cache.data.trace import MAX_SIZE


@dataclass(frozen=True, slots=True)
class Requests:
    """Decoded requests of one block: uint64 keys, int64 sizes and times where the format has them."""

    keys: NDArray[np.uint64]
    sizes: NDArray[np.int64] | None = None
    times: NDArray[np.int64] | None = None


class Format(Protocol):
    """A decoder with the state of one file."""

    def decode(self, content: bytes, last: bool) -> tuple[Requests, int]:
        """Decode what is whole in the content; `last` says that nothing follows. Returns requests and bytes used."""


ORACLE_GENERAL = np.dtype([("time", "<u4"), ("key", "<u8"), ("size", "<u4"), ("next", "<i8")])
"""libCacheSim's oracleGeneral: packed, 24 bytes a request; next is the position of the next access, -1 for none."""

INTEGERS = {"i32": "<u4", "i32be": ">u4", "i64": "<u8", "i64be": ">u8"}
KEY_NAMES = ("key", "id", "obj_id", "object_id", "objid", "obj", "object", "item", "page", "block", "url", "lbn", "lba")
SIZE_NAMES = ("size", "obj_size", "object_size", "objsize", "bytes", "length")
TIME_NAMES = ("time", "timestamp", "ts", "clock_time", "real_time")


@dataclass
class Binary:
    """Fixed-size records: integers, or oracleGeneral."""

    path: Path
    name: str
    records: int = 0

    def decode(self, content: bytes, last: bool) -> tuple[Requests, int]:
        dtype = ORACLE_GENERAL if self.name == "oracleGeneral" else np.dtype(INTEGERS[self.name])
        count, rest = divmod(len(content), dtype.itemsize)
        if last and rest:
            raise UserError(
                f"{self.path}: record {self.records + count + 1} has {rest} of {dtype.itemsize} bytes; "
                f"the file is truncated, or its format is not {self.name}"
            )
        data = np.frombuffer(content, dtype=dtype, count=count)
        requests = self._oracle(data) if dtype is ORACLE_GENERAL else Requests(data.astype(np.uint64))
        self.records += count
        return requests, count * dtype.itemsize

    def _oracle(self, data: NDArray[np.void]) -> Requests:
        wrong = np.flatnonzero(data["next"] < -1)
        if len(wrong):
            raise UserError(
                f"{self.path}: record {self.records + int(wrong[0]) + 1}: next access at "
                f"{data['next'][wrong[0]]}; the format is not oracleGeneral"
            )
        return Requests(data["key"].astype(np.uint64), data["size"].astype(np.int64), data["time"].astype(np.int64))


@dataclass
class Packed:
    """This project's own dense format; decoded whole, since its planes span the file."""

    path: Path

    def decode(self, content: bytes, last: bool) -> tuple[Requests, int]:
        if not last:
            return Requests(np.zeros(0, np.uint64)), 0
        return Requests(*packed.decode(content, str(self.path))), len(content)


@dataclass
class Lines(ABC):
    """Base of the text formats: whole lines in, blank ones dropped; the record named in an error is the line."""

    path: Path
    lines: int = 0

    def decode(self, content: bytes, last: bool) -> tuple[Requests, int]:
        used = len(content) if last else content.rfind(b"\n") + 1
        if len(content) - used > text.LONGEST:
            raise UserError(f"{self.path}: line {self.lines + 1} never ends; the file is no text, name its format")
        everything = text.lines(np.frombuffer(content, dtype=np.uint8, count=used))
        length = everything.end - everything.start
        if len(length) and length.max() > text.LONGEST:
            at = int(length.argmax())
            raise UserError(f"{self.path}: line {self.lines + at + 1} has {length[at]:,} bytes; the file is no trace")
        kept = np.flatnonzero(self.keeps(everything))
        requests = self.parse(everything.where(kept), kept + self.lines + 1)
        self.lines += len(everything)
        return requests, used

    def keeps(self, lines: text.Tokens) -> NDArray[np.bool_]:
        return lines.end > lines.start

    @abstractmethod
    def parse(self, lines: text.Tokens, numbers: NDArray[np.int64]) -> Requests:
        """Requests of these lines; `numbers` are their line numbers."""

    def wrong(self, line: int, what: str, found: str) -> UserError:
        return UserError(f"{self.path}: line {line}: {what}, found {found!r}")

    def sizes(self, tokens: text.Tokens, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Sizes in bytes, checked."""
        value, negative, ok = text.integers(tokens)
        bad = np.flatnonzero(~ok | negative | (value > np.uint64(MAX_SIZE)))
        if len(bad):
            raise self.wrong(
                int(numbers[bad[0]]), "a size must be a whole number of bytes from 0 to 2**50", tokens.text(bad[0])
            )
        return value.astype(np.int64)

    def times(self, tokens: text.Tokens) -> NDArray[np.int64] | None:
        """Times where all of them are whole numbers; engines do without."""
        value, negative, ok = text.integers(tokens)
        if not ok.all() or negative.any() or (value >= np.uint64(2**63)).any():
            return None
        return value.astype(np.int64)


class Keys(Lines):
    """One key a line, any text; lines that are `*` (marks in the LIRS traces) are skipped."""

    def keeps(self, lines: text.Tokens) -> NDArray[np.bool_]:
        kept = super().keeps(lines)
        length = lines.end - lines.start
        single = np.flatnonzero(length == 1)
        kept[single] &= lines.block[lines.start[single]] != ord("*")
        return kept

    def parse(self, lines: text.Tokens, numbers: NDArray[np.int64]) -> Requests:
        return Requests(text.keys(lines))


class TimeIdSize(Lines):
    """`time id size`, apart by white space: what AdaptSize and webcachesim read."""

    def parse(self, lines: text.Tokens, numbers: NDArray[np.int64]) -> Requests:
        (time, key, size), good = text.words(lines, 3)
        sizes = self.sizes(size, numbers[:good])
        if good < len(lines):
            raise self.wrong(int(numbers[good]), "a record is three words, time id size", lines.text(good))
        return Requests(text.keys(key), sizes, self.times(time))


class Address(Lines):
    """`l 0xaddress gap` for a load, `s` for a store: memory references, the address is the key."""

    def parse(self, lines: text.Tokens, numbers: NDArray[np.int64]) -> Requests:
        expected = "a record is l or s, a hexadecimal address as in 0x1ffff630, and a gap"
        (kind, address, gap), good = text.words(lines, 3)
        block = lines.block
        letter = block[kind.start]
        ok = (kind.end - kind.start == 1) & ((letter == ord("l")) | (letter == ord("s")))
        second = np.minimum(address.start + 1, len(block) - 1)
        ok &= (block[address.start] == ord("0")) & (block[second] == ord("x"))
        value, negative, numeric = text.integers(text.Tokens(block, address.start + 2, address.end), base=16)
        ok &= numeric & ~negative & text.integers(gap)[2]
        bad = np.flatnonzero(~ok)
        if len(bad) or good < len(lines):
            at = int(bad[0]) if len(bad) else good
            raise self.wrong(int(numbers[at]), expected, lines.text(at))
        return Requests(value)


@dataclass
class Csv(Lines):
    """Columns by name from the first line; a key column, and a size and a time column where there are any."""

    key_column: str | None = None
    size_column: str | None = None
    delimiter: str | None = None
    header: list[str] = field(default_factory=list)

    def parse(self, lines: text.Tokens, numbers: NDArray[np.int64]) -> Requests:
        if not self.header and len(lines):
            self._read_header(lines)
            lines, numbers = lines.where(np.arange(len(lines)) > 0), numbers[1:]
        if not len(lines):
            return Requests(np.zeros(0, np.uint64))
        if (lines.block == ord('"')).any():
            lines, quotes = _unquoted(lines, self.delimiter or ",")
            odd = np.flatnonzero(quotes % 2)
            if len(odd):
                raise self.wrong(int(numbers[odd[0]]), "a quote does not end on its line", lines.text(odd[0]))
        fields, good = text.columns(lines, len(self.header), (self.delimiter or ",").encode())
        size, time = self._column(self.size_column, SIZE_NAMES), self._column(None, TIME_NAMES)
        key = self._column(self.key_column, KEY_NAMES)
        assert key is not None  # the header was checked
        empty = np.flatnonzero(fields[key].start == fields[key].end)
        if len(empty):
            raise self.wrong(int(numbers[empty[0]]), f"column {self.header[key]} has no key", lines.text(empty[0]))
        sizes = None if size is None else self.sizes(fields[size], numbers[:good])
        if good < len(lines):
            raise self.wrong(int(numbers[good]), f"the header names {len(self.header)} columns", lines.text(good))
        times = None if time is None else self.times(fields[time])
        return Requests(text.keys(fields[key]), sizes, times)

    def _read_header(self, lines: text.Tokens) -> None:
        line = lines.block[lines.start[0] : lines.end[0]].tobytes().decode("utf-8-sig", errors="replace")
        if self.delimiter is None:
            self.delimiter = max(",;\t", key=line.count)
        self.header = [name.strip().strip('"') for name in line.split(self.delimiter)]
        for wanted in (self.key_column, self.size_column):
            if wanted is not None and wanted not in self.header:
                raise UserError(f"{self.path}: no column {wanted}; the first line names {', '.join(self.header)}")
        if self._column(self.key_column, KEY_NAMES) is None:
            raise UserError(
                f"{self.path}: line 1 names no key column (one of {', '.join(KEY_NAMES[:6])}, ...) but "
                f"{', '.join(self.header)[:80]}; say which one holds the key"
            )

    def _column(self, chosen: str | None, names: Sequence[str]) -> int | None:
        if chosen is not None:
            return self.header.index(chosen)
        lower = [name.lower() for name in self.header]
        if names is KEY_NAMES and len(lower) == 1 and not lower[0].lstrip("-").isdigit():
            return 0
        return next((lower.index(name) for name in names if name in lower), None)


def _unquoted(lines: text.Tokens, delimiter: str) -> tuple[text.Tokens, NDArray[np.int64]]:
    """Quoted fields opened up: a delimiter inside quotes becomes a byte that text does not hold, and quotes go.

    Returns the lines, and how many quotes each had.
    """
    block = lines.block.copy()
    quotes = block == ord('"')
    before = np.concatenate(([0], np.cumsum(quotes)))
    marks = np.flatnonzero(block == ord(delimiter))
    line = np.maximum(np.searchsorted(lines.start, marks, side="right") - 1, 0)
    block[marks[(before[marks] - before[lines.start[line]]) % 2 == 1]] = 0
    shift = np.concatenate(([0], np.cumsum(~quotes)))
    opened = text.strip(text.Tokens(block[~quotes], shift[lines.start], shift[lines.end]))
    return opened, before[lines.end] - before[lines.start]
