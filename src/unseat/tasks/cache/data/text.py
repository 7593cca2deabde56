"""Text parsed in blocks with NumPy: tokens are index pairs into the bytes; all integers and hashes at once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Index = NDArray[np.int64]

LONGEST = 2**16
"""The longest token in bytes; a longer one means that the file is no text."""

_FNV_OFFSET = np.uint64(0xCBF29CE484222325)
_FNV_PRIME = np.uint64(0x100000001B3)
_SPACES = np.zeros(256, dtype=bool)
_SPACES[list(b" \t\r\n\v\f")] = True
_DIGITS = np.full(256, 255, dtype=np.uint8)
_DIGITS[list(b"0123456789")] = range(10)
_DIGITS[list(b"abcdef")] = range(10, 16)
_DIGITS[list(b"ABCDEF")] = range(10, 16)


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of one block: bytes start[i] to end[i] (exclusive) of `block`."""

    block: Bytes
    start: Index
    end: Index

    def __len__(self) -> int:
        return len(self.start)

    def where(self, mask: NDArray[np.bool_] | Index) -> Tokens:
        """The chosen tokens, by mask or by position."""
        return Tokens(self.block, self.start[mask], self.end[mask])

    def text(self, at: int) -> str:
        """One token for a message, cut to a readable length."""
        raw = self.block[self.start[at] : min(self.end[at], self.start[at] + 40)].tobytes()
        return raw.decode("utf-8", errors="replace")


def lines(block: Bytes) -> Tokens:
    """The lines of a block without the white space around them; a last one without a newline is a line too."""
    breaks = np.flatnonzero(block == ord("\n"))
    start = np.concatenate(([0], breaks + 1))
    end = np.concatenate((breaks, [len(block)]))
    if len(block) == 0 or block[-1] == ord("\n"):
        start, end = start[:-1], end[:-1]
    return strip(Tokens(block, start, end))


def strip(tokens: Tokens) -> Tokens:
    """Tokens without the white space at either side."""
    start, end = tokens.start.copy(), tokens.end.copy()
    for edge, step, offset in ((start, 1, 0), (end, -1, -1)):
        active = np.flatnonzero(start < end)
        while len(active):
            active = active[_SPACES[tokens.block[edge[active] + offset]]]
            edge[active] += step
            active = active[start[active] < end[active]]
    return Tokens(tokens.block, start, end)


def words(tokens: Tokens, count: int) -> tuple[list[Tokens], int]:
    """Lines split at white space into exactly `count` words.

    Returns:
        One Tokens a column, over the lines before the first that has another number of words, and that line's index
        (the number of lines where all are well).
    """
    block = tokens.block
    black = ~_SPACES[block]
    black[1:] &= _SPACES[block[:-1]]
    begins = np.flatnonzero(black)
    black = ~_SPACES[block]
    black[:-1] &= _SPACES[block[1:]]
    ends = np.flatnonzero(black) + 1
    first = np.searchsorted(begins, tokens.start)
    held = np.searchsorted(begins, tokens.end) - first
    wrong = np.flatnonzero(held != count)
    good = int(wrong[0]) if len(wrong) else len(tokens)
    return [Tokens(block, begins[first[:good] + i], ends[first[:good] + i]) for i in range(count)], good


def columns(tokens: Tokens, count: int, delimiter: bytes) -> tuple[list[Tokens], int]:
    """Lines split at a delimiter into exactly `count` fields, which may be empty; returns as `words` does."""
    marks = np.flatnonzero(tokens.block == delimiter[0])
    first = np.searchsorted(marks, tokens.start)
    held = np.searchsorted(marks, tokens.end) - first
    wrong = np.flatnonzero(held != count - 1)
    good = int(wrong[0]) if len(wrong) else len(tokens)
    cuts = [tokens.start[:good] - 1, *(marks[first[:good] + i] for i in range(count - 1)), tokens.end[:good]]
    return [strip(Tokens(tokens.block, left + 1, right)) for left, right in pairwise(cuts)], good


def integers(tokens: Tokens, base: int = 10) -> tuple[NDArray[np.uint64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Whole numbers of up to 64 bits.

    Returns:
        value (uint64, the magnitude), negative, ok: whether the token is a number that fits.
    """
    length = tokens.end - tokens.start
    first = tokens.block[np.minimum(tokens.start, max(len(tokens.block) - 1, 0))] if len(tokens) else tokens.start
    negative = (first == ord("-")) & (length > 1)
    digits = length - negative
    longest = 20 if base == 10 else 16
    ok = (digits > 0) & (digits <= longest)
    value = np.zeros(len(tokens), dtype=np.uint64)
    at = tokens.start + negative
    top = np.uint64((2**64 - 1) // base)
    rest = np.uint64((2**64 - 1) % base)
    active = np.flatnonzero(ok)
    step = 0
    while len(active):
        digit = _DIGITS[tokens.block[at[active] + step]].astype(np.uint64)
        so_far = value[active]
        fits = (digit < base) & ((so_far < top) | ((so_far == top) & (digit <= rest)))
        ok[active[~fits]] = False
        value[active] = np.where(fits, so_far * np.uint64(base) + np.where(fits, digit, np.uint64(0)), so_far)
        step += 1
        active = active[ok[active] & (digits[active] > step)]
    return value, negative, ok


def hashes(tokens: Tokens) -> NDArray[np.uint64]:
    """64-bit FNV-1a of each token's bytes, mixed once more (Stafford variant 13); the same on every machine."""
    value = np.full(len(tokens), _FNV_OFFSET, dtype=np.uint64)
    length = tokens.end - tokens.start
    active = np.flatnonzero(length > 0)
    step = 0
    while len(active):
        byte = tokens.block[tokens.start[active] + step].astype(np.uint64)
        value[active] = (value[active] ^ byte) * _FNV_PRIME
        step += 1
        active = active[length[active] > step]
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def keys(tokens: Tokens, base: int = 10) -> NDArray[np.uint64]:
    """Integers as themselves (negative ones in two's complement), any other text as its 64-bit hash."""
    value, negative, ok = integers(tokens, base)
    ok &= ~negative | (value <= np.uint64(2**63))
    value[negative] = ~value[negative] + np.uint64(1)
    if not ok.all():
        value[~ok] = hashes(tokens.where(~ok))
    return value
