"""Tasks whose instances come from sources: values that say what to draw or read, cheap until a problem is asked for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property, lru_cache
from typing import Any, Generic, Protocol, TypeVar

from unseat.core.task import Instance, Task


class Source(Protocol):
    """What one instance is made from; hashable."""

    @property
    def name(self) -> str:
        """The instance's id."""

    def instance(self) -> Instance:
        """The instance."""

    def problem(self) -> Any:
        """Draw or read the problem."""

    def digest(self) -> str:
        """Hash of all that the problem is made from."""


S = TypeVar("S", bound=Source)


class SourcedTask(Task, Generic[S]):
    """A task over its built-in sources, or over others.

    Attributes:
        kept: How many problems are kept, those that were used last.
    """

    kept = 64

    def __init__(self, sources: Sequence[S] | None = None) -> None:
        super().__init__()
        self._sources = sources

    @abstractmethod
    def built_in(self) -> Sequence[S]:
        """The sources that the task brings along."""

    @cached_property
    def sources(self) -> Mapping[str, S]:
        """Sources by their instances' ids."""
        return {one.name: one for one in (self.built_in() if self._sources is None else self._sources)}

    def instances(self) -> Sequence[Instance]:
        """One for each source."""
        return [source.instance() for source in self.sources.values()]

    def load(self, instance: Instance) -> Any:
        """Draw or read it; the last few are kept."""
        return _loading(self.kept)(self.sources[instance.id])

    def content(self, instance: Instance) -> str:
        """The source's digest."""
        return self.sources[instance.id].digest()


@cache
def _loading(kept: int) -> Callable[[Any], Any]:
    return lru_cache(maxsize=kept)(lambda source: source.problem())
