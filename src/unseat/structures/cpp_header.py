"""An index as a C++17 header that gives the same answers: the model of any structure, the keys by pointer.

The C++ is in ``cpp/``: ``index.hpp`` is the class, and a file for each kernel has the model's half of the lookup, which
names a window of the array. The class searches the window and looks beside its ends, so that an answer never rests on
the model alone.
"""

from __future__ import annotations

import inspect
import os
import re
import struct
import zlib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import unseat
from unseat.core.errors import UserError
from unseat.core.jit import python
from unseat.structures.contents import Contents, TextKeys
from unseat.structures.selection import Choice, name_of

EMBEDDED = 1 << 18
"""Bytes of a model up to which it is written into the header itself."""
LINE = 64
_MAGIC = 0x7865646E69_75  # "uindex" in the order of a little-endian machine
_WRITTEN = b"Written by unseat"
_TAKEN = """
alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t char32_t class compl const
const_cast constexpr continue decltype default delete do double dynamic_cast else enum explicit export extern false
float for friend goto if inline int long mutable namespace new noexcept not not_eq nullptr operator or or_eq private
protected public register reinterpret_cast return short signed sizeof static static_assert static_cast struct switch
template this thread_local throw true try typedef typeid typename union unsigned using virtual void volatile wchar_t
while xor xor_eq char8_t co_await co_return co_yield concept consteval constinit requires linux unix
std posix abs atof atoi atol bcmp bcopy bsearch bzero clock div exit exp free gamma index log main pow qsort raise rand
random remove rename rindex round select signal sin sqrt srand system tan time
"""
"""C++'s keywords, namespaces of others, and names that C's headers declare outside of any."""
_TYPES = {
    "u8": "std::uint64_t", "i8": "std::int64_t", "u4": "std::uint32_t", "i4": "std::int32_t", "u1": "std::uint8_t",
    "f8": "double", "f4": "float",
}  # fmt: skip


@dataclass(frozen=True)
class _Array:
    """One array of a model, by the name that its kernel has for it."""

    name: str
    values: NDArray[Any]

    @property
    def type(self) -> str:
        return _TYPES[self.values.dtype.str[1:]]


def export(contents: Contents, choice: Choice, path: Path, name: str) -> list[Path]:
    """Write an index as a C++ header, with the model beside it (``<header>.model``) where that is large.

    Files appear whole or not at all, and replace only what this wrote before.

    Args:
        contents: The keys.
        choice: The structure.
        path: The header to write.
        name: Its namespace.

    Returns:
        The files written.

    Raises:
        UserError: The name is no C++ name, the structure has no C++ form, or another file is in the way.
        OSError: A file cannot be written.
    """
    if not re.fullmatch("[A-Za-z](_?[A-Za-z0-9])*_?", name) or name in _TAKEN.split():
        raise UserError(f"name = {name!r}: give a name that a C++ namespace can have, such as 'unseat_index'")
    arrays = _arrays(choice)
    large = sum(array.values.nbytes for array in arrays) > EMBEDDED
    packed = _pack(arrays) if large else b""
    text = _template("index.hpp")
    for field, value in _fields(contents, choice, arrays, packed, name).items():
        text = text.replace(f"@{field}@", value.rstrip("\n"))
    # The model first: a header never stands beside a model that is not its own for longer than a moment.
    contents_of = {path.with_name(f"{path.name}.model"): packed} if large else {}
    contents_of[path] = text.encode()
    for each in contents_of:
        _check_free(each)
    for each, content in contents_of.items():
        _replace(each, content)
    return [path, *(each for each in contents_of if each != path)]


def _check_free(path: Path) -> None:
    """Refuse to write over a file that is not an export's: it may be the very keys."""
    if path.is_dir():
        raise UserError(f"{path}: is a folder: name a file to write")
    if path.exists():
        with path.open("rb") as file:
            start = file.read(1024)
        if not (start.startswith(struct.pack("<Q", _MAGIC)) or (start.startswith(b"//") and _WRITTEN in start)):
            raise UserError(f"{path}: a file that is no such export is there: write to another name, or remove it")


def _replace(path: Path, content: bytes) -> None:
    """Write a file at once: whoever has the old one open, or mapped, keeps it."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _arrays(choice: Choice) -> list[_Array]:
    locator = choice.locator
    names = list(inspect.signature(python(locator.run)).parameters)[3:]
    return [_Array(name, array) for name, array in zip(names, locator.arrays, strict=True)]


def template_of(kernel: str) -> str:
    """The file that holds a kernel's window."""
    whole = kernel.startswith(("search:", "interpolation:"))
    return "search.hpp" if whole else f"{kernel.replace(':', '.')}.hpp"


def _template(name: str) -> str:
    return files("unseat.structures").joinpath("cpp", name).read_text()


def _fields(contents: Contents, choice: Choice, arrays: list[_Array], packed: bytes, name: str) -> dict[str, str]:
    kernel = name_of(choice.locator)
    model = _TYPES[contents.modelled.dtype.str[1:]]
    # The plain searches share a window: the whole array.
    try:
        window = _template(template_of(kernel))
    except FileNotFoundError:
        raise UserError(f"{choice.locator.name} cannot be written as C++: save it to a file for Python") from None
    text = isinstance(contents, TextKeys)
    return {
        "TITLE": f"Where keys lie in a sorted array of {len(contents):,} keys of type {contents.kind}.",
        "VERSION": unseat.__version__,
        "NAME": name,
        "KEY": "std::string_view" if text else model,
        "MODEL": model,
        "SIZE": str(len(contents)),
        "KERNEL": kernel,
        "WINDOW": window.replace("@ROOT@\n", _template("root.hpp")).replace("@SPREAD@\n", _template("spread.hpp")),
        "CODE": _code(contents, text),
        "AROUND": _template("around_text.hpp") if text else "    return window(query);",
        "ARRAYS": "" if packed else "\n".join(_literal(array) for array in arrays),
        "CONSTRUCTOR": _reading(arrays, packed) if packed else _embedding(arrays),
        "MEMBERS": _members(arrays, bool(packed)),
    }


def _code(contents: Contents, text: bool) -> str:
    """The functions that give a query's code, and what they need."""
    if not text:
        return _template(
            {"u": "code_unsigned.hpp", "i": "code_signed.hpp"}.get(contents.modelled.dtype.kind, "code_float.hpp")
        )
    assert isinstance(contents, TextKeys)
    prefix = contents.texts.data[contents.texts.ends[0] :][: contents.skip].tobytes() if contents.skip else b""
    octal = "".join(f"\\{byte:03o}" for byte in prefix)
    return _template("code_text.hpp").replace("@PREFIX@", octal).replace("@SKIP@", str(len(prefix)))


def _literal(array: _Array) -> str:
    """An array as C++ text."""
    pieces = [_number(value, array.values.dtype) for value in array.values.tolist()]
    rows = [", ".join(pieces[start : start + 8]) for start in range(0, len(pieces), 8)]
    body = ",\n    ".join(rows)
    return f"alignas({LINE}) inline constexpr {array.type} {array.name}[] = {{\n    {body}}};"


def _number(value: Any, dtype: np.dtype[Any]) -> str:
    if dtype.kind == "f":
        if np.isinf(value):
            limits = f"std::numeric_limits<{_TYPES[dtype.str[1:]]}>"
            return f"{'-' if value < 0 else ''}{limits}::infinity()"
        return str(float(value).hex()) + ("f" if dtype.itemsize == 4 else "")
    if dtype.kind == "u":
        return f"{value}u" + ("ll" if dtype.itemsize == 8 else "")
    # The least integer has no literal: its digits alone are one too many.
    return (
        f"({value + 1}ll - 1)" if value == np.iinfo(dtype).min else f"{value}" + ("ll" if dtype.itemsize == 8 else "")
    )


def _embedding(arrays: list[_Array]) -> str:
    arguments = "".join(f",\n        {array.name}(detail::{array.name})" for array in arrays)
    return f"  explicit index(const key_type* keys) : keys_(keys){arguments} {{}}\n"


def _reading(arrays: list[_Array], packed: bytes) -> str:
    """A constructor that reads the model's file."""
    lines = []
    at = LINE
    for array in arrays:
        lines.append(f"    {array.name} = reinterpret_cast<const {array.type}*>(model_.get() + {at});")
        at += _padded(array.values.nbytes)
    text = _template("reading.hpp").replace("@BYTES@", str(len(packed))).replace("@ASSIGN@", "\n".join(lines))
    return text.replace("@MAGIC@", hex(_MAGIC)).replace("@CRC@", f"{zlib.crc32(packed):#x}")


def _members(arrays: list[_Array], read: bool) -> str:
    lines = [f"  const {array.type}* {array.name} = nullptr;" for array in arrays]
    lines += [f"  static constexpr std::size_t {array.name}_size = {array.values.size};" for array in arrays]
    if read:
        lines.append("  struct release {\n    void operator()(unsigned char* bytes) const {")
        lines.append(f"      ::operator delete[](bytes, std::align_val_t{{{LINE}}});\n    }}\n  }};")
        lines.append("  std::unique_ptr<unsigned char[], release> model_;")
    return "\n".join(lines)


def _padded(size: int) -> int:
    return size + -size % LINE


def _pack(arrays: list[_Array]) -> bytes:
    """The model's file: a line that names it, then each array from a line on."""
    body = b"".join(array.values.tobytes().ljust(_padded(array.values.nbytes), b"\0") for array in arrays)
    return struct.pack("<QQ", _MAGIC, LINE + len(body)).ljust(LINE, b"\0") + body
