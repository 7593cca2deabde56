"""How many bytes of machine code a file holds: the sections of an ELF file, in 64 or 32 bits, of either byte order."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from unseat.tasks.llvm.engine.process import ToolError

_MAGIC = b"\x7fELF"
_PROGBITS, _SYMBOLS = 1, 2
_LOCAL, _UNDEFINED, _FUNCTION = 0, 0, 2


class NotElf(ToolError):
    """A file is no ELF file, or a damaged one."""


def text_bytes(file: Path | bytes) -> int:
    """Bytes in ``.text`` and in the parts of it that a compiler keeps by themselves (``.text.startup``).

    Args:
        file: The file, or what is in it.

    Raises:
        NotElf: The file is something else.
    """
    data, name = _data(file)
    with _whole(name):
        found = _sections(data)
        code = (one for one in found if one.kind == _PROGBITS and (one.name + b".").startswith(b".text."))
        return sum(one.length for one in code)


def exported(file: Path | bytes) -> frozenset[str]:
    """Names of the functions and variables that an object lets others see.

    Raises:
        NotElf: The file is something else.
    """
    data, name = _data(file)
    with _whole(name):
        return frozenset(one.name for one in _symbols(data) if one.info >> 4 != _LOCAL)


def functions(file: Path | bytes) -> Mapping[str, int]:
    """Bytes of every function that an object defines, by its symbol.

    Raises:
        NotElf: The file is something else.
    """
    data, name = _data(file)
    with _whole(name):
        return {one.name: one.length for one in _symbols(data) if one.info & 15 == _FUNCTION}


class _Symbol(NamedTuple):
    name: str
    info: int
    length: int


class _Section(NamedTuple):
    name: bytes
    kind: int
    at: int
    length: int
    link: int


def _data(file: Path | bytes) -> tuple[bytes, str]:
    data, name = (file, "it") if isinstance(file, bytes) else (file.read_bytes(), file.name)
    if data[:4] != _MAGIC or len(data) < 64:
        raise NotElf(f"{name} is no ELF file")
    return data, name


@contextlib.contextmanager
def _whole(name: str) -> Iterator[None]:
    try:
        yield
    except (struct.error, IndexError, ValueError, OverflowError) as error:
        raise NotElf(f"{name} is a damaged ELF file") from error


def _layout(data: bytes) -> tuple[bool, str]:
    """Whether it is of 64 bits, and the order of its bytes."""
    return data[4] == 2, "<" if data[5] == 1 else ">"


def _sections(data: bytes) -> list[_Section]:
    wide, order = _layout(data)
    table = struct.Struct(order + ("40xQ10xHHH" if wide else "32xI10xHHH"))
    section = struct.Struct(order + ("IIQQQQI" if wide else "IIIIIII"))
    at, each, count, names = table.unpack_from(data)
    headers = [section.unpack_from(data, at + number * each) for number in range(count)]
    start = headers[names][4]
    return [_Section(_text(data, start + name), kind, begin, length, link)
            for name, kind, _, _, begin, length, link in headers]  # fmt: skip


def _symbols(data: bytes) -> Iterator[_Symbol]:
    """What an object defines, local or not."""
    sections = _sections(data)
    wide, order = _layout(data)
    symbol = struct.Struct(order + ("IBxH8xQ" if wide else "I4xIBxH"))
    for table in (one for one in sections if one.kind == _SYMBOLS):
        texts = sections[table.link].at
        for at in range(table.at, table.at + table.length, symbol.size):
            first, *rest = symbol.unpack_from(data, at)
            info, section, length = rest if wide else (rest[1], rest[2], rest[0])
            if section != _UNDEFINED:
                yield _Symbol(_text(data, texts + first).decode(errors="replace"), info, length)


def _text(data: bytes, at: int) -> bytes:
    return data[at : data.index(0, at)]
