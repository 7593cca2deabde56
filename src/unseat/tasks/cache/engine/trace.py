"""What every kernel reads: requests as dense ids, and one size per object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from unseat.core.errors import UserError

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Array = npt.NDArray[Any]

MAX_REQUESTS = 2**31 - 2
"""Request numbers and object ids are 32-bit in every kernel; one value is kept for "never"."""


@dataclass(frozen=True, eq=False)
class Trace:
    """A request sequence.

    Attributes:
        ids: ``int32[n]``, the object of each request, numbered 0, 1, 2, ... in order of first appearance.
        sizes: ``int64[n_objects]`` in bytes, or None when all objects count one. An object's size is the size
            at its *first* request: kernels and bounds hold one size per object, and a trace in which an object
            changes its size is read as if it had not.
        n_objects: distinct objects in ``ids``.
        name: where the trace came from, for messages.
    """

    ids: Int32
    sizes: Int64 | None
    n_objects: int
    name: str

    @property
    def n_requests(self) -> int:
        """Number of requests."""
        return int(self.ids.size)

    @property
    def footprint(self) -> int:
        """What a cache that holds everything needs: objects, or bytes when the trace has sizes."""
        return self.n_objects if self.sizes is None else int(self.sizes.sum())

    def prefix(self, n_requests: int) -> Trace:
        """The first requests of this trace; dense ids stay dense because they are numbered by first appearance."""
        ids = self.ids[:n_requests]
        n_objects = int(ids.max()) + 1 if ids.size else 0
        return Trace(ids, None if self.sizes is None else self.sizes[:n_objects], n_objects, self.name)


def from_raw(raw: Array, sizes: Array | None = None, name: str = "trace") -> Trace:
    """Make a trace from keys as a system logged them.

    Args:
        raw: integer keys, any 1-D integer array; negative keys are taken by their 64-bit pattern.
        sizes: bytes of each *request*, or None; each object keeps the size at its first request.
        name: where the trace came from, for messages.

    Raises:
        UserError: more than 2^31 - 2 requests, or a size that is not positive.
    """
    from unseat.tasks.cache.engine.dense import dense_ids, first_requests

    ids, n_objects = dense_ids(raw, name)
    if sizes is None:
        return Trace(ids, None, n_objects, name)
    per_object = np.asarray(sizes)[first_requests(ids, n_objects)].astype(np.int64)
    if per_object.size and int(per_object.min()) <= 0:
        bad = int(np.argmin(per_object))
        raise UserError(
            f"{name}: object {bad} (by first appearance) has size {per_object[bad]}; sizes must be positive"
        )
    return Trace(ids, per_object, n_objects, name)
