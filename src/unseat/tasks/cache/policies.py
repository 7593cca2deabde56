"""The classical policies as contenders, and their tuned forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from unseat.core.policy import Form, Policy, Session, View
from unseat.tasks.cache.incumbents import FUSED

TITLES: Mapping[str, str] = {
    "fifo": "FIFO",
    "lru": "LRU",
    "clock": "CLOCK",
    "sieve": "SIEVE",
    "s3fifo": "S3-FIFO",
    "lfu": "LFU",
    "arc": "ARC",
    "lirs": "LIRS",
    "wtinylfu": "W-TinyLFU",
    "fifo-sized": "FIFO",
    "lru-sized": "LRU",
    "sieve-sized": "SIEVE",
    "s3fifo-sized": "S3-FIFO",
    "gdsf": "GDSF",
}
"""The names that papers and people use."""


@dataclass(frozen=True)
class Classical(Policy):
    """A compiled policy of `FUSED` with its parameters.

    Attributes:
        name: Its name in tables.
        algorithm: Its key in `FUSED`.
        parameters: Values that differ from the published defaults.
    """

    form: ClassVar[Form] = Form.FUSED
    name: str
    algorithm: str
    parameters: Mapping[str, float] = field(default_factory=dict)

    def start(self, view: View, seed: int) -> Session:
        """Allocate the loop's state; the size of the id space is the engine's bookkeeping, no knowledge of a policy."""
        fused = FUSED[self.algorithm]
        values = fused.rounded(self.parameters)
        if self.algorithm in ("random", "random-sized"):
            values = {"seed": seed, **values}
        session = Session()
        session.kernel = fused.run, fused.init(view.facts["id_space"], view.facts["capacity"], **values)
        return session
