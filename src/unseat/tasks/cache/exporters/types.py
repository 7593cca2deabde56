"""The few types that a kernel's values can have, and how C writes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from unseat.core.errors import UserError


@dataclass(frozen=True)
class Scalar:
    """A number: ``i`` int64, ``u`` uint64, ``f`` float32, ``d`` float64, ``b`` bool."""

    kind: str


@dataclass(frozen=True)
class Array:
    """A C-contiguous array of one or two dimensions; ``element`` is a NumPy type name."""

    element: str
    ndim: int


@dataclass(frozen=True)
class Requests:
    """The ids of a stretch of requests, indexed by request number."""


@dataclass(frozen=True)
class Tuple:
    """A fixed sequence of values of any type."""

    items: tuple[Type, ...]


@dataclass(frozen=True)
class Callee:
    """A kernel that is passed as an argument; in C the call is written out and nothing is passed."""

    kernel: Any


Type = Scalar | Array | Requests | Tuple | Callee
INT, UINT, FLOAT, DOUBLE, BOOL = (Scalar(kind) for kind in "iufdb")
C_SCALARS = {INT: "int64_t", UINT: "uint64_t", FLOAT: "float", DOUBLE: "double", BOOL: "bool"}
C_ELEMENTS = {
    "int8": "int8_t",
    "int32": "int32_t",
    "int64": "int64_t",
    "uint64": "uint64_t",
    "float32": "float",
    "float64": "double",
    "bool": "bool",
    "uint8": "uint8_t",
}
_LOADED = {"float32": FLOAT, "float64": DOUBLE, "uint64": UINT, "bool": BOOL}


def loaded(array: Array) -> Scalar:
    """The type of an element once it is read: small integers widen, as they do in Numba's arithmetic."""
    return _LOADED.get(array.element, INT)


def type_of(value: Any) -> Type:
    """The type of a state array, a nested tuple of them, or a number."""
    if isinstance(value, tuple):
        return Tuple(tuple(type_of(item) for item in value))
    if isinstance(value, np.ndarray):
        if value.dtype.name not in C_ELEMENTS or value.ndim not in (1, 2):
            raise UserError(f"an array of {value.dtype} with {value.ndim} dimensions cannot be exported to C")
        return Array(value.dtype.name, value.ndim)
    if isinstance(value, bool | np.bool_):
        return BOOL
    if isinstance(value, np.uint64):
        return UINT
    if isinstance(value, np.float32):
        return FLOAT
    if isinstance(value, int | np.integer):
        return INT
    if isinstance(value, float | np.floating):
        return DOUBLE
    raise UserError(f"a value of type {type(value).__name__} cannot be exported to C")


def unify(a: Type, b: Type) -> Type | None:
    """The type that holds both, by Numba's rules; None where there is none."""
    if a == b:
        return a
    if not (isinstance(a, Scalar) and isinstance(b, Scalar)):
        return None
    kinds = {a.kind, b.kind}
    if kinds == {"b", "i"}:
        return INT
    if "u" in kinds:
        return None  # Numba would go on in floating point; kernels cast instead
    return DOUBLE


def c_name(kind: Type) -> str:
    """The C type's name; arrays and tuples are structs that `declarations` writes."""
    if isinstance(kind, Scalar):
        return C_SCALARS[kind]
    if isinstance(kind, Requests):
        return "requests"
    if isinstance(kind, Array):
        return f"array_{kind.element}"
    return "tuple_" + _tag(kind)


def _tag(kind: Type) -> str:
    if isinstance(kind, Callee):
        raise UserError("a kernel inside a tuple cannot be exported to C")
    if isinstance(kind, Tuple):
        return "t" + "".join(_tag(item) for item in kind.items) + "e"
    if isinstance(kind, Array):
        return f"{'n' if kind.ndim == 2 else 'a'}{kind.element}_"
    return "r" if isinstance(kind, Requests) else f"{kind.kind}"


def declarations(kinds: list[Type]) -> str:
    """Struct declarations for all arrays and tuples in ``kinds``, each once, parts before wholes."""
    lines: dict[str, str] = {"requests": "typedef struct { const int32_t *data; int64_t first; } requests;"}

    def visit(kind: Type) -> None:
        name = c_name(kind)
        if isinstance(kind, Array):
            lines[name] = f"typedef struct {{ {C_ELEMENTS[kind.element]} *data; int64_t rows, columns; }} {name};"
        elif isinstance(kind, Tuple) and name not in lines:
            for item in kind.items:
                visit(item)
            fields = " ".join(f"{c_name(item)} f{k};" for k, item in enumerate(kind.items))
            lines[name] = f"typedef struct {{ {fields} }} {name};"

    for kind in kinds:
        visit(kind)
    return "\n".join(lines.values())
