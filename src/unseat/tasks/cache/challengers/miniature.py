"""An online mixture that chooses among published policies by simulating each in miniature.

See `unseat.tasks.cache.engine.miniature` for the method and its papers. Unlike `mixture`, which simulates every policy
at full size beside the cache, it pays for the followed policy and for a sample of the objects, and a policy that takes
over begins with the contents but without its own past.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from unseat.core.policy import Form, Policy, Session, View


class MiniatureSession(Session):
    """A cache whose policy changes on its own inside the loop."""

    def __init__(self, n_objects: int, capacity: int, seed: int) -> None:
        from unseat.tasks.cache.engine import miniature

        self.kernel: Any = (miniature.run, miniature.init(n_objects, capacity, seed))
        self.capacity, self.n_objects = capacity, n_objects

    def metadata_bytes(self) -> int:
        """Bytes that the policy and the miniatures hold besides the objects."""
        from unseat.tasks.cache.engine import miniature

        return miniature.metadata_bytes(self.kernel[1], self.capacity, self.n_objects)


@dataclass(frozen=True)
class Miniature(Policy):
    """Run the published policy whose miniature misses least."""

    form: ClassVar[Form] = Form.FUSED
    name: str = "miniature"

    def start(self, view: View, seed: int) -> Session:
        """Begin with an empty cache under S3-FIFO; the seed draws the sample."""
        return MiniatureSession(view.facts["id_space"], view.facts["capacity"], seed)
