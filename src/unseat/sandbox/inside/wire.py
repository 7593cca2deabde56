"""Values as bytes: JSON and raw arrays. Nothing that comes out of a sandbox is ever unpickled.

A message is eight bytes that say how long its JSON is, the JSON ``{"tree": ..., "arrays": [[dtype, shape], ...]}``, and
the arrays' bytes one after the other. A leaf ``{"__array__": i}`` of the tree stands for array ``i``.
"""

from __future__ import annotations

import json
import math
import struct

TYPE_CHECKING = False  # `typing` costs three milliseconds
if TYPE_CHECKING:
    from typing import Any

_LENGTH = struct.Struct("<Q")
_KINDS = frozenset({"|b1", "|i1", "|u1", *(f"<{kind}{size}" for kind in "iuf" for size in (2, 4, 8))})
_ARRAY = "__array__"


class WireError(ValueError):
    """The bytes are no message, or the value cannot be one."""


def encode(value: Any) -> bytes:
    """A value as bytes.

    Args:
        value: None, numbers, texts, lists, tuples (they become lists), dictionaries with texts as keys, NumPy arrays.

    Raises:
        WireError: A part of it is something else, or refers to itself.
    """
    arrays: list[Any] = []
    try:
        tree = _plain(value, arrays)
        kinds = [[array.dtype.str, list(array.shape)] for array in arrays]
        head = json.dumps({"tree": tree, "arrays": kinds}).encode()
    except (RecursionError, UnicodeEncodeError) as error:
        raise WireError(f"it cannot be told as JSON: {error}") from None
    return b"".join([_LENGTH.pack(len(head)), head, *(array.tobytes() for array in arrays)])


def decode(data: bytes) -> Any:
    """The value that bytes stand for, whoever wrote them.

    Returns:
        Built-in types of exactly these classes, and arrays of numbers; nothing that brings code of its own.

    Raises:
        WireError: They are no message.
    """
    try:
        (length,) = _LENGTH.unpack_from(data)
        head = json.loads(data[8 : 8 + length].decode())
        if 8 + length > len(data) or not isinstance(head, dict):
            raise WireError("its head is cut off")
        arrays, at = [], 8 + length
        for kind, shape in head["arrays"]:
            count = _size(kind, shape)
            arrays.append(_array(data, at, kind, shape))
            at += count * int(kind[2:])
        if at != len(data):
            raise WireError("there are more bytes than it says")
        return _whole(head["tree"], arrays)
    except WireError:
        raise
    except (struct.error, ValueError, KeyError, TypeError, IndexError, RecursionError, OverflowError) as error:
        raise WireError(f"{type(error).__name__}: {error!s:.100}") from None


def _plain(value: Any, arrays: list[Any]) -> Any:
    if value is None or type(value) in (str, bool, int, float):
        return value
    if type(value) in (list, tuple):
        return [_plain(part, arrays) for part in value]
    if type(value) is dict and _ARRAY not in value and all(type(key) is str for key in value):
        return {key: _plain(part, arrays) for key, part in value.items()}
    if type(value).__module__ == "numpy" and hasattr(value, "dtype"):
        if not value.shape:
            return _plain(value.item(), arrays)
        little = value.astype(value.dtype.newbyteorder("<"), order="C", copy=False)
        if type(value).__name__ == "ndarray" and little.dtype.str in _KINDS:
            arrays.append(little)
            return {_ARRAY: len(arrays) - 1}
    raise WireError(f"{type(value).__name__} is no JSON and no array of numbers")


def _size(kind: str, shape: list[int]) -> int:
    if kind not in _KINDS or not all(type(side) is int and side >= 0 for side in shape) or len(shape) > 8:
        raise WireError("an array is described wrongly")
    return math.prod(shape)


def _array(data: bytes, at: int, kind: str, shape: list[int]) -> Any:
    import numpy as np

    # A copy: arrays over the message's own bytes would be read-only, and keep all of it.
    return np.frombuffer(data, np.dtype(kind), _size(kind, shape), at).reshape(shape).copy()


def _whole(tree: Any, arrays: list[Any]) -> Any:
    if isinstance(tree, dict):
        if _ARRAY in tree:
            place = tree[_ARRAY]
            if type(place) is not int or place < 0 or len(tree) != 1:
                raise WireError("an array is named wrongly")
            return arrays[place]
        return {key: _whole(part, arrays) for key, part in tree.items()}
    return [_whole(part, arrays) for part in tree] if isinstance(tree, list) else tree
