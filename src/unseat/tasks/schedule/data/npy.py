"""Read `.npy` files without trusting them: numbers by their header, and one pickled tree of plain values.

`numpy.load(allow_pickle=True)` runs whatever a file asks for. Here the unpickler knows three names, those by which
NumPy writes an array of objects, and stands its own inert objects in for them; a file that names anything else is
refused.
"""

from __future__ import annotations

import math
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from unseat.core.errors import UserError

_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
_MODULES = ("numpy", "numpy.core.multiarray", "numpy._core.multiarray")


def read_numbers(path: Path) -> NDArray[Any]:
    """An array of integers, booleans or floats.

    Raises:
        UserError: The file cannot be read, is cut short or too long, or holds anything but numbers.
    """
    with _opened(path) as file:
        shape, fortran, dtype = _header(path, file)
        if dtype.kind not in "biuf":
            raise UserError(f"{path}: holds {dtype}, and numbers are expected; give the published file")
        content = file.read()
        wanted = math.prod(shape) * dtype.itemsize
        if len(content) != wanted:
            raise UserError(f"{path}: {len(content):,} bytes of numbers, its header tells {wanted:,}; fetch it again")
        return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")


def read_object(path: Path) -> Any:
    """The one value that a 0-dimensional array of objects holds: numbers, text, lists, tuples and dicts of them.

    Raises:
        UserError: The file cannot be read, is damaged, or wants to load anything but such a value.
    """
    with _opened(path) as file:
        shape, _, dtype = _header(path, file)
        if dtype.kind != "O" or shape != ():
            raise UserError(f"{path}: {dtype} of shape {shape}, and one object is expected; give the published file")
        try:
            array = _Unpickler(file).load()
        except _Refused as refused:
            raise UserError(f"{path}: wants to load {refused}, as no file of numbers does; do not use it") from refused
        except Exception as error:  # whatever the unpickler stumbles over, the file is at fault
            raise UserError(f"{path}: damaged or truncated ({_one_line(error)}); fetch it again") from error
        if not isinstance(array, _Array) or array.content is None:
            raise UserError(f"{path}: damaged: no array after its header; fetch it again")
        return array.content


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from error


def _header(path: Path, file: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    try:
        version = npy.read_magic(file)
        if version not in _HEADERS:
            raise UserError(f"{path}: version {version} of the .npy format; give the published file")
        shape, fortran, dtype = _HEADERS[version](file)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise UserError(f"{path}: not a .npy file ({_one_line(error)}); fetch it again") from error
    if any(length < 0 for length in shape) or dtype.fields is not None or dtype.subdtype is not None:
        raise UserError(f"{path}: {dtype} of shape {shape} is no plain array; give the published file")
    return shape, bool(fortran), dtype


def _one_line(error: BaseException) -> str:
    lines = str(error).splitlines()
    return lines[0][:120] if lines else type(error).__name__


class _Refused(pickle.UnpicklingError):
    """What a file wanted to load or to call."""


class _Array:
    """Stands in for an array of objects that is being restored."""

    __slots__ = ("content",)

    def __init__(self) -> None:
        self.content: Any = None

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise _Refused("an array of unknown state")
        _, shape, dtype, _, content = state
        if shape != () or not isinstance(dtype, _Object) or not isinstance(content, list) or len(content) != 1:
            raise _Refused("an array that is no single object")
        self.content = content[0]


class _Object:
    """Stands in for the dtype "object"."""

    __slots__ = ()

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) != 8 or state[1] != "|" or state[2:5] != (None, None, None):
            raise _Refused("a dtype that is not plain")


class _Name:
    """A name that a file may load: an inert object, so that a file can change nothing about it."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __setstate__(self, state: Any) -> None:
        raise _Refused(f"other attributes of {self._name}")

    def __call__(self, *arguments: Any) -> _Array | _Object:
        if self._name == "_reconstruct" and len(arguments) == 3:
            kind, shape, code = arguments
            if isinstance(kind, _Name) and kind._name == "ndarray" and shape == (0,) and code in ("b", b"b"):
                return _Array()
        if self._name == "dtype" and arguments[:1] in (("O8",), ("O4",), ("O",)):
            return _Object()
        raise _Refused(f"numpy's {self._name} with other arguments")


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str, /) -> _Name:
        """One of the three names by which NumPy writes an array of objects."""
        if module not in _MODULES or name not in ("_reconstruct", "ndarray", "dtype"):
            raise _Refused(f"{module}.{name}")
        return _Name(name)
