"""What a trace is before an engine numbers its objects densely."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAX_SIZE = 2**50
"""The largest object size in bytes that a reader believes (one pebibyte); more is taken for a wrong format."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RawTrace:
    """Requests in order.

    Attributes:
        name: what reports call it.
        keys: uint64, shape (n,): the object asked for; text keys that are no integers are hashed to 64 bits.
        sizes: int64, shape (n,): bytes of the object at this request, as the source gives them; None without sizes.
        times: int64, shape (n,): the source's own clock, in its own unit; None where it has none.
    """

    name: str
    keys: NDArray[np.uint64]
    sizes: NDArray[np.int64] | None = None
    times: NDArray[np.int64] | None = None

    def __repr__(self) -> str:
        return f"RawTrace({self.name!r}, {len(self):,} requests{'' if self.sizes is None else ', sized'})"

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def objects(self) -> int:
        """How many different objects are asked for: the footprint."""
        return len(np.unique(self.keys))

    def head(self, requests: int) -> RawTrace:
        """The first requests of the trace."""
        cut = slice(0, requests)
        return RawTrace(
            self.name,
            self.keys[cut],
            None if self.sizes is None else self.sizes[cut],
            None if self.times is None else self.times[cut],
        )

    def content_hash(self) -> str:
        """SHA-256 (hex) over keys and sizes: equal for equal requests, whatever file and format they came from."""
        digest = hashlib.sha256(b"unseat-trace-1")
        digest.update(len(self.keys).to_bytes(8, "little"))
        digest.update(np.ascontiguousarray(self.keys, dtype="<u8").data)
        if self.sizes is not None:
            digest.update(np.ascontiguousarray(self.sizes, dtype="<i8").data)
        return digest.hexdigest()
