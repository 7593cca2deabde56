"""How many bytes of machine code a file holds, and each function in it: ELF, in 64 or 32 bits, of either byte order."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from unseat.tasks.llvm.engine.process import ToolError

_MAGIC = b"\x7fELF"
_PROGBITS, _SYMTAB, _FUNCTION = 1, 2, 2
_BROKEN = (struct.error, IndexError, ValueError, OverflowError)


class NotElf(ToolError):
    """A file is no ELF file, or a damaged one."""


class _Section(NamedTuple):
    name: bytes
    kind: int
    offset: int
    size: int
    link: int


def text_bytes(path: Path) -> int:
    """Bytes in ``.text`` and in the parts of it that a compiler keeps by themselves (``.text.startup``).

    Raises:
        NotElf: The file is something else.
    """
    data = _read(path)
    try:
        texts = [one for one in _sections(data) if one.name == b".text" or one.name.startswith(b".text.")]
    except _BROKEN as error:
        raise NotElf(f"{path.name} is a damaged ELF file") from error
    return sum(one.size for one in texts if one.kind == _PROGBITS)


def functions(path: Path) -> Mapping[str, int]:
    """Bytes of every function that an object defines, by its symbol.

    Raises:
        NotElf: The file is something else.
    """
    data = _read(path)
    try:
        sections = _sections(data)
        found: dict[str, int] = {}
        for table in (one for one in sections if one.kind == _SYMTAB):
            symbol = struct.Struct(_order(data) + ("IBBHQQ" if _wide(data) else "IIIBBH"))
            for at in range(table.offset, table.offset + table.size, symbol.size):
                values = symbol.unpack_from(data, at)
                name, kind, section, size = (
                    (values[0], values[1], values[3], values[5]) if _wide(data)
                    else (values[0], values[3], values[5], values[2])
                )  # fmt: skip
                if kind & 15 == _FUNCTION and section:
                    found[_string(data, sections[table.link].offset + name).decode(errors="replace")] = size
    except _BROKEN as error:
        raise NotElf(f"{path.name} is a damaged ELF file") from error
    return found


def _read(path: Path) -> bytes:
    data = path.read_bytes()
    if data[:4] != _MAGIC or len(data) < 64:
        raise NotElf(f"{path.name} is no ELF file")
    return data


def _wide(data: bytes) -> bool:
    return data[4] == 2


def _order(data: bytes) -> str:
    return "<" if data[5] == 1 else ">"


def _string(data: bytes, at: int) -> bytes:
    return data[at : data.index(0, at)]


def _sections(data: bytes) -> Sequence[_Section]:
    order, wide = _order(data), _wide(data)
    at, each, count, names = struct.unpack_from(order + ("40xQ10xHHH" if wide else "32xI10xHHH"), data)
    section = struct.Struct(order + ("IIQQQQI" if wide else "IIIIIII"))
    headers = [section.unpack_from(data, at + number * each) for number in range(count)]
    start = headers[names][4]
    return [
        _Section(_string(data, start + name), kind, offset, size, link)
        for name, kind, _, _, offset, size, link in headers
    ]
