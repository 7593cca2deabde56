"""How many bytes of machine code a file holds: the sections of an ELF file, in 64 or 32 bits, of either byte order."""

from __future__ import annotations

import struct
from pathlib import Path

from unseat.tasks.llvm.engine.process import ToolError

_MAGIC = b"\x7fELF"
_PROGBITS = 1


class NotElf(ToolError):
    """A file is no ELF file, or a damaged one."""


def text_bytes(path: Path) -> int:
    """Bytes in ``.text`` and in the parts of it that a compiler keeps by themselves (``.text.startup``).

    Raises:
        NotElf: The file is something else.
    """
    data = path.read_bytes()
    if data[:4] != _MAGIC or len(data) < 64:
        raise NotElf(f"{path.name} is no ELF file")
    wide, order = data[4] == 2, "<" if data[5] == 1 else ">"
    table = struct.Struct(order + ("40xQ10xHHH" if wide else "32xI10xHHH"))
    section = struct.Struct(order + ("IIQQQQ" if wide else "IIIIII"))
    try:
        at, each, count, names = table.unpack_from(data)
        headers = [section.unpack_from(data, at + number * each) for number in range(count)]
        start = headers[names][4]
        total = 0
        for name_at, kind, _, _, _, length in headers:
            name = data[start + name_at : data.index(0, start + name_at)]
            if kind == _PROGBITS and (name == b".text" or name.startswith(b".text.")):
                total += length
    except (struct.error, IndexError, ValueError, OverflowError) as error:
        raise NotElf(f"{path.name} is a damaged ELF file") from error
    return total
