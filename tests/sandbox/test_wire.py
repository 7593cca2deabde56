"""What comes out of a sandbox is data: exactly what was said, or an error, whatever the bytes are."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from unseat.sandbox.inside.wire import WireError, decode, encode

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | arrays.arrays(
    st.sampled_from([np.int8, np.uint16, np.int64, np.float32, np.float64, np.bool_]), arrays.array_shapes(max_side=3)
)  # fmt: skip
KEYS = st.text().filter(lambda key: key != "__array__")
TREES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3))


def same(left: Any, right: Any) -> bool:
    """Equality to the bit, arrays and what is not a number included."""
    if isinstance(left, np.ndarray):
        return bool(left.dtype == right.dtype and left.shape == right.shape and left.tobytes() == right.tobytes())
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return type(left) is type(right) and repr(left) == repr(right)


@settings(max_examples=50, deadline=None)
@given(TREES)
def test_round_trip(tree: Any) -> None:
    """Red: an answer is not what the candidate gave."""
    try:
        told = encode(tree)
    except WireError:
        return  # half of a surrogate pair is no text
    assert same(decode(told), tree)


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    """Red: bytes of a candidate raise in the scorer what it does not catch."""
    try:
        told = decode(data)
    except WireError:
        return
    assert encode(told)  # nothing but what can be told came out


def message(head: Any, rest: bytes = b"") -> bytes:
    """A message with a head of one's own."""
    text = head if isinstance(head, bytes) else json.dumps(head).encode()
    return struct.pack("<Q", len(text)) + text + rest


@pytest.mark.parametrize(
    "data",
    [
        message({"tree": None, "arrays": [["<f8", [1 << 60]]]}),
        message({"tree": None, "arrays": [["<f8", [-1]]]}, bytes(8)),
        message({"tree": None, "arrays": [["<f8", [0, 1 << 70]]]}, bytes(8)),
        message({"tree": None, "arrays": [["|O8", [1]]]}, bytes(8)),
        message({"tree": {"__array__": -1}, "arrays": [["<f8", [1]]]}, bytes(8)),
        message({"tree": {"__array__": True}, "arrays": [["<f8", [1]]]}, bytes(8)),
        message({"tree": {"__array__": 1}, "arrays": []}),
        message(b"[" * 100_000),
        message(b'{"tree": ' + b"9" * 10_000 + b', "arrays": []}'),
        message({"tree": 1, "arrays": []}, b"more"),
        message([1, 2]),
        struct.pack("<Q", 1 << 62) + b"{}",
    ],
    ids=["huge", "negative", "overflow", "objects", "minus one", "truth", "missing", "nested", "digits", "more",
         "no object", "cut"],
)  # fmt: skip
def test_crafted_bytes(data: bytes) -> None:
    """Red: a message that lies about itself costs the scorer memory, or gets through."""
    with pytest.raises(WireError):
        decode(data)


class Sly:
    """Equal to whatever it is compared with."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> Any:
        return eval, ("1/0",)


class SlyText(str):
    """A text that brings code."""


@pytest.mark.parametrize("value", [Sly(), [Sly()], SlyText("x"), {1: 2}, {"__array__": 0}, 1j, np.array([Sly()])])
def test_objects_do_not_pass(value: Any) -> None:
    """Red: an object that equals everything, or brings code of its own, reaches the scorer."""
    with pytest.raises(WireError):
        encode(value)
