"""Batches of operations on an ordered map, and what every such map has in common.

A map holds unique keys (uint64, int64 or float64) with an int64 payload each, as ALEX's and YCSB's maps do. A batch is
three arrays, and its operations take effect in their order: a read behind an insert of the same key sees it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import UserError
from unseat.core.jit import jit
from unseat.structures.codes import SIGN, codes
from unseat.structures.exact import has_nan
from unseat.structures.lanes import aligned

Words = NDArray[np.uint64]
Int64 = NDArray[np.int64]
Ops = NDArray[np.uint8]
Flags = NDArray[np.bool_]

READ, INSERT, UPDATE, DELETE, ADD, SCAN = range(6)
"""The operations; see `OrderedMap.apply`."""
COUNT, HAS_LAST, LAST = range(3)
"""What every structure's state begins with: entries; whether the key whose code is `unseat.structures.slots.EMPTY` is
there, and its payload."""
KEY_TYPES = ("u8", "i8", "f8")
"""The NumPy types of keys that updatable structures take."""
LONGEST = 2**31 - 1
"""The most entries a scan may ask for."""


class OrderedMap(ABC):
    """An ordered map that is changed in batches; made by the class method `build` of a structure.

    ``build(keys, values, **parameters)`` takes keys uint64, int64 or float64 [n], strictly ascending and without NaN,
    and their payloads int64 [n]; n may be 0. It raises `UserError` for keys that are not, and parameters out of range.

    Not safe for use by several threads at once, not even for reading beside a writer.

    Attributes:
        dtype: The keys' type.
    """

    dtype: np.dtype[Any]

    @abstractmethod
    def __len__(self) -> int:
        """The number of entries."""

    @property
    @abstractmethod
    def nbytes(self) -> int:
        """Bytes in use, entries included; room that was set aside and never written to does not count."""

    @property
    @abstractmethod
    def config(self) -> Mapping[str, float]:
        """How it was built."""

    @abstractmethod
    def _run(self, ops: Ops, words: Words, values: Int64, results: Int64, done: Flags) -> None:
        """Apply checked operations on codes."""

    @abstractmethod
    def _entries(self, start: np.uint64, stop: np.uint64) -> tuple[Words, Int64]:
        """Codes and payloads of the entries with ``start <= code <= stop``, in order."""

    def apply(self, ops: Ops, keys: NDArray[Any], values: Int64) -> tuple[Int64, Flags]:
        """Apply operations in their order.

        Args:
            ops: uint8 [m]. `READ` the payload. `INSERT` an entry unless its key is there. `UPDATE` the payload of a key
                that is there. `DELETE` an entry. `ADD` to the payload of a key that is there (read, modify, write).
                `SCAN` the sum of the payloads, modulo 2**64, of the first ``values[i]`` entries from the key on.
            keys: [m], of the map's type.
            values: int64 [m], the payload, the summand, or the number of entries to scan.

        Returns:
            results: int64 [m]: the payload before the operation (0 where the key was not there), or the scan's sum.
            done: bool [m]: for `INSERT`, that the entry is new; for `SCAN`, that there was an entry; else, that the
            key was there.

        Raises:
            UserError: Lengths or types do not fit, an operation is unknown, a scan's length is out of range, or a key
                is NaN. Nothing has been applied then.
        """
        ops, values = np.asarray(ops), np.asarray(values)
        if ops.dtype != np.uint8 or values.dtype != np.int64 or not ops.shape == values.shape == (len(keys),):
            raise UserError("a batch is ops uint8 [m], keys [m] and values int64 [m]; convert them with .astype()")
        if fault := int(_check(ops, values)):
            raise UserError(f"operation {fault - 1} of the batch is unknown, or its scan is not of 0 to {LONGEST} keys")
        words = self._words(keys)
        results, done = np.empty(len(ops), np.int64), np.empty(len(ops), np.bool_)
        self._run(ops, words, values, results, done)
        return results, done

    def items(self) -> tuple[NDArray[Any], Int64]:
        """All entries in order: keys and payloads."""
        words, values = self._entries(np.uint64(0), np.uint64(2**64 - 1))
        return decode(words, self.dtype), values

    def range(self, low: Any, high: Any) -> tuple[NDArray[Any], Int64]:
        """The entries with ``low <= key <= high``, in order: keys and payloads."""
        start, stop = self._words(np.array([low, high], self.dtype)).tolist()
        words, values = self._entries(np.uint64(start), np.uint64(stop))
        return decode(words, self.dtype), values

    def _words(self, keys: NDArray[Any]) -> Words:
        keys = np.asarray(keys)
        if keys.dtype != self.dtype or keys.ndim != 1:
            raise UserError(f"the keys are {keys.dtype} {keys.shape}, the map's are {self.dtype} [m]; convert them")
        return encode(keys)


def encode(keys: NDArray[Any]) -> Words:
    """The codes of keys, which for uint64 are the keys themselves.

    Raises:
        UserError: A key is NaN.
    """
    if keys.dtype.kind == "u":
        return np.ascontiguousarray(keys)
    if keys.dtype.kind == "f" and has_nan(keys):
        raise UserError(f"key {int(np.isnan(keys).argmax())} is NaN, which has no place in an order; leave it out")
    return codes(keys)


def decode(words: Words, dtype: np.dtype[Any]) -> NDArray[Any]:
    """The keys of codes: the inverse of `encode`, but for -0.0, which comes back as 0.0."""
    if dtype.kind == "u":
        return words
    if dtype.kind == "i":
        return (words ^ SIGN).view(np.int64)
    return np.where(words >= SIGN, words ^ SIGN, ~words).view(np.float64)


def checked(keys: NDArray[Any], values: Int64) -> tuple[Words, Int64]:
    """The codes and payloads of what `build` was given.

    Raises:
        UserError: See `OrderedMap`.
    """
    keys, values = np.asarray(keys), np.asarray(values)
    if keys.dtype.str[1:] not in KEY_TYPES or keys.dtype.byteorder not in "=|" or keys.ndim != 1:
        raise UserError(f"keys of {keys.dtype} {keys.shape}; give a row of uint64, int64 or float64")
    if values.dtype != np.int64 or values.shape != keys.shape:
        raise UserError(f"payloads of {values.dtype} {values.shape}; give int64 {keys.shape}")
    words = encode(keys)
    if fault := int(_first_fault(words)):
        raise UserError(f"key {fault} is not above the one before; sort the keys and keep one of each")
    return words, np.ascontiguousarray(values)


def longer(array: NDArray[Any], used: int) -> NDArray[Any]:
    """An array of twice the length with the same first `used` elements; the rest is not touched, so costs nothing."""
    larger = aligned(2 * len(array), array.dtype)
    larger[:used] = array[:used]
    return larger


@jit
def _first_fault(words: Words) -> int:
    for i in range(1, len(words)):
        if words[i] <= words[i - 1]:
            return i
    return 0


@jit
def _check(ops: Ops, values: Int64) -> int:
    """One above the number of the first operation that is no operation; 0 where all are."""
    for i in range(len(ops)):
        if ops[i] > SCAN or (ops[i] == SCAN and not 0 <= values[i] <= LONGEST):
            return i + 1
    return 0


@jit
def apply_to_last(state: Int64, op: int, value: int) -> tuple[int, bool]:
    """An operation other than a scan on the one key that no node holds: result, and whether it was there (or new)."""
    there, before = bool(state[HAS_LAST]), int(state[LAST]) if state[HAS_LAST] else 0
    if op == INSERT and not there:
        state[HAS_LAST], state[LAST] = 1, value
        state[COUNT] += 1
        return before, True
    if there and op == UPDATE:
        state[LAST] = value
    elif there and op == ADD:
        state[LAST] += value
    elif there and op == DELETE:
        state[HAS_LAST] = 0
        state[COUNT] -= 1
    return before, there and op != INSERT
