"""Bytes that a kernel holds: its arrays, and what was compiled into it.

Numba takes a global, a closure's variable or a default that is an array for a constant, and copies it into the machine
code: without counting these, a table of any size would be free.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Iterable, Iterator
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.policy import InvalidAnswer

PADDING = 4096
"""Bytes by which the memory behind an array may exceed it, for the array to begin at a cache line or page."""

_FREE = (int, float, complex, np.generic, type, type(None), type(Ellipsis), BuiltinFunctionType, ModuleType)
_LIBRARIES = ("numpy", "numba", "math", "builtins")
_STATEFUL = ("numba.typed", "numba.experimental")


def footprint(kernel: Any, arrays: Iterable[Any]) -> int:
    """Bytes of a kernel's arrays and constants.

    An array that is a part of another one counts as the whole: a kernel reads beyond its part as well.

    Raises:
        InvalidAnswer: An argument is no array, the kernel is no function, or it reads an object whose bytes nobody can
            count.
    """
    compiled = _source(kernel)
    if compiled is None:
        raise InvalidAnswer(f"the kernel is a {type(kernel).__name__}, not a function: what it holds cannot be counted")
    return _arrays(arrays) + sum(_constants(compiled, set()))


def _arrays(arrays: Iterable[Any]) -> int:
    shown: dict[int, int] = {}
    behind: dict[int, int] = {}
    for array in arrays:
        if not isinstance(array, np.ndarray):
            raise InvalidAnswer(f"a kernel's arrays are NumPy arrays, and one is a {type(array).__name__}")
        place, whole = _memory(array)
        shown[place] = shown.get(place, 0) + array.nbytes
        behind[place] = whole
    return sum(behind[place] if behind[place] > told + PADDING else told for place, told in shown.items())


def _memory(array: NDArray[Any]) -> tuple[int, int]:
    """What tells the memory behind an array from others', and its bytes."""
    root: Any = array
    while isinstance(root.base, np.ndarray):
        root = root.base
    try:
        return id(root if root.base is None else root.base), memoryview(root.base).nbytes
    except TypeError:
        return id(root), int(root.nbytes)


def _source(kernel: Any) -> FunctionType | None:
    """The Python function of a kernel, compiled or not."""
    inner = getattr(kernel, "py_func", None) or getattr(getattr(kernel, "_dispatcher", None), "py_func", None)
    found = inner or kernel
    return found if isinstance(found, FunctionType) else None


def _constants(function: FunctionType, seen: set[int]) -> Iterator[int]:
    """Bytes of each constant of a function and of those that it calls."""
    if id(function) in seen or _of_library(function):
        return
    seen.add(id(function))
    for name, value in _read(function):
        if id(value) in seen:
            continue
        called = _source(value)
        if called is not None:
            yield from _constants(called, seen)
        else:
            yield _size(name, value)
            seen.add(id(value))


def _of_library(function: FunctionType) -> bool:
    name = str(function.__globals__.get("__name__"))
    home = sys.modules.get(name)
    return name.split(".")[0] in _LIBRARIES and home is not None and vars(home) is function.__globals__


def _read(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """What a function reads besides its arguments, by name."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        # A cell is empty as long as its variable has no value.
        yield from ((name, value) for value in _content(cell))
    yield from (("a default", value) for value in function.__defaults__ or ())
    yield from (function.__kwdefaults__ or {}).items()
    for code in _codes(function.__code__):
        yield from (("a constant", value) for value in code.co_consts if isinstance(value, tuple | frozenset))
        modules = []
        for name in {one.argval for one in dis.get_instructions(code) if one.opname == "LOAD_GLOBAL"}:
            if name in function.__globals__:
                value = function.__globals__[name]
                yield name, value
                modules += [value] if isinstance(value, ModuleType) else []
        yield from _of_modules(modules, code.co_names)


def _content(cell: Any) -> list[Any]:
    try:
        return [cell.cell_contents]
    except ValueError:
        return []


def _of_modules(modules: list[ModuleType], names: Iterable[str]) -> Iterator[tuple[str, Any]]:
    """What of some modules goes by one of the names, and of their own modules."""
    met = set()
    while modules:
        module = modules.pop()
        if id(module) in met or module.__name__.split(".")[0] in _LIBRARIES:
            continue
        met.add(id(module))
        for name in names:
            if name in vars(module):
                value = vars(module)[name]
                yield f"{module.__name__}.{name}", value
                modules += [value] if isinstance(value, ModuleType) else []


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _codes(inner)


def _size(name: str, value: Any) -> int:
    if isinstance(value, np.ndarray):
        return _arrays([value])
    if isinstance(value, str | bytes | bytearray):
        return len(value)
    if isinstance(value, tuple | list | frozenset | set):
        return sum(8 if isinstance(one, int | float | complex) else _size(name, one) for one in value)
    kind = type(value).__module__
    if isinstance(value, _FREE) or (kind.split(".")[0] in _LIBRARIES[:2] and not kind.startswith(_STATEFUL)):
        return 0
    raise InvalidAnswer(f"the kernel reads {name}, a {type(value).__name__}; pass what it reads among its arrays")
