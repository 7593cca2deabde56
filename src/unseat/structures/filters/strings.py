"""Many strings in one array of bytes, and their hashes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import jit
from unseat.structures.hashing.mixing import XX1, XX5, rotated, xx_avalanche, xx_round


@dataclass(frozen=True, eq=False)
class Strings:
    """Strings as a kernel reads them.

    Attributes:
        data: uint8, the bytes of all strings one after the other.
        offsets: int64[n + 1], where each begins and the last one ends.
    """

    data: NDArray[np.uint8]
    offsets: NDArray[np.int64]

    @classmethod
    def of(cls, strings: Iterable[str | bytes]) -> Strings:
        """Pack strings; text is taken as UTF-8."""
        parts = [part.encode() if isinstance(part, str) else part for part in strings]
        offsets = np.zeros(len(parts) + 1, np.int64)
        np.cumsum([len(part) for part in parts], out=offsets[1:])
        # Of a bytearray, as Numba compiles arrays that must not be written to a second time.
        return cls(np.frombuffer(bytearray().join(parts), np.uint8), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __iter__(self) -> Iterator[bytes]:
        data = self.data.tobytes()
        for start, stop in zip(self.offsets[:-1].tolist(), self.offsets[1:].tolist(), strict=True):
            yield data[start:stop]

    def take(self, places: NDArray[np.int64]) -> Strings:
        """The strings at these places."""
        lengths = np.diff(self.offsets)[places]
        offsets = np.zeros(len(places) + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        shift = np.repeat(self.offsets[:-1][places] - offsets[:-1], lengths)
        return Strings(self.data[np.arange(offsets[-1]) + shift], offsets)

    def hashes(self) -> NDArray[np.uint64]:
        """A 64-bit hash of each: what the filters take."""
        out = np.empty(len(self), np.uint64)
        hash_strings(self.data, self.offsets, out)
        return out


@jit
def hash_strings(data: NDArray[np.uint8], offsets: NDArray[np.int64], out: NDArray[np.uint64]) -> None:
    """XXH64's rounds for short inputs over the bytes of each string, eight at a time (xxHash specification 0.1.1).

    Longer strings take the same rounds, so that from 32 bytes on the values are not XXH64's own.
    """
    for i in range(len(out)):
        place, stop = offsets[i], offsets[i + 1]
        state = XX5 + np.uint64(stop - place)
        while place + 8 <= stop:
            word = np.uint64(0)
            for byte in range(8):
                word |= np.uint64(data[place + byte]) << np.uint64(8 * byte)
            state = np.uint64(xx_round(state, word))
            place += 8
        while place < stop:
            state = np.uint64(rotated(state ^ (np.uint64(data[place]) * XX5), 11)) * XX1
            place += 1
        out[i] = xx_avalanche(state)
