"""Online mixtures: follow the best of several policies, with or without trees that learn among them.

See `unseat.tasks.cache.engine.mixture` for the method and its papers. `mixture` chooses among published policies;
`lrb-mixture` has the learned relaxed Belady among them too, so that what it learns is used where it helps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from unseat.core.policy import Form, Policy, Session, View
from unseat.tasks.cache.challengers.lrb import Apprentice, Recipe

if TYPE_CHECKING:
    from unseat.tasks.cache.problem import Seen


BOUNDARIES = (1.0, 4.0)
"""Capacities within which a return counts, for each forest: no one suits all traces."""


class MixtureSession(Session):
    """A followed policy that changes on its own inside the loop."""

    def __init__(self, n_objects: int, capacity: int, seed: int, forests: int) -> None:
        from unseat.tasks.cache.engine import mixture

        self.kernel: Any = (mixture.run, mixture.init(n_objects, capacity, seed, forests))
        self.capacity, self.n_objects = capacity, n_objects

    def metadata_bytes(self) -> int:
        """Bytes that the policies hold besides the objects."""
        from unseat.tasks.cache.engine import mixture

        return mixture.metadata_bytes(self.kernel[1], self.capacity, self.n_objects)


class LearningMixtureSession(MixtureSession):
    """The same with a learned policy among those that may be followed."""

    def __init__(self, recipe: Recipe, n_objects: int, capacity: int, seed: int) -> None:
        super().__init__(n_objects, capacity, seed, forests=2)
        self.apprentices = [Apprentice(recipe, capacity, seed, boundary) for boundary in BOUNDARIES]

    def learn(self, seen: Seen) -> None:
        """Exchange the learned policy's forest when a new one is due."""
        run, state = self.kernel
        *others, caches = state
        caches = [one.learn(cache, seen.ids.size) for one, cache in zip(self.apprentices, caches, strict=True)]
        self.kernel = run, (*others, tuple(caches))


@dataclass(frozen=True)
class Mixture(Policy):
    """Follow the best of the published policies."""

    form: ClassVar[Form] = Form.FUSED
    name: str = "mixture"

    def start(self, view: View, seed: int) -> Session:
        """Begin with an empty cache that follows S3-FIFO."""
        return MixtureSession(view.facts["id_space"], view.facts["capacity"], seed, forests=0)


@dataclass(frozen=True)
class LearningMixture(Policy):
    """Follow the best of the published policies and of trees that learn as it runs.

    Attributes:
        name: Its name in tables.
        recipe: Values that differ from `Recipe`'s.
    """

    form: ClassVar[Form] = Form.FUSED
    name: str = "lrb-mixture"
    recipe: Mapping[str, float] = field(default_factory=dict)

    def start(self, view: View, seed: int) -> Session:
        """Begin with an empty cache that follows S3-FIFO."""
        return LearningMixtureSession(
            Recipe(**self.recipe),  # type: ignore[arg-type]
            view.facts["id_space"],
            view.facts["capacity"],
            seed,
        )
