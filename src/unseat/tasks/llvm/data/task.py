"""What the compiler's tasks have in common: programs as instances, and what an outcome hangs on."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from unseat.core.card import Card
from unseat.core.errors import UserError
from unseat.core.task import Instance, Objective, Task
from unseat.tasks.llvm.data.programs import Program

if TYPE_CHECKING:
    import numpy as np

WORST_BYTES = 1e7
"""What a run counts with whose problem could not even be loaded, in bytes."""


def printable(name: str) -> str:
    """A name for a comment of a script: a stranger's policy may be called what would be a line of it."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)


class Listed(Protocol):
    """A program in one of the ways in which a task compiles it."""

    @property
    def program(self) -> Program: ...
    @property
    def name(self) -> str: ...
    @property
    def way(self) -> str:
        """What tells it from other ways to compile the program."""
        ...

    def instance(self) -> Instance: ...


class CompilerTask(Task):
    """A task whose objective is bytes of a program's machine code.

    Args:
        card: The task's card.
        worst: What a failed run on a problem counts with, in bytes.
        sources: Gives the programs; they are listed when first asked for.
    """

    recorded = "compile_commands.json"

    def __init__(self, card: Path, worst: Callable[[Any], float], sources: Callable[[], Sequence[Listed]]) -> None:
        super().__init__()
        self.card = _card(card)
        self.objective = Objective(
            "code size", "B", worst=lambda problem, limits: worst(problem) if problem else WORST_BYTES
        )
        self._sources = sources

    @abstractmethod
    def _load(self, source: Any) -> Any:
        """The problem of a source."""

    @cached_property
    def sources(self) -> Mapping[str, Any]:
        """The programs by the ids of their instances."""
        return {source.name: source for source in self._sources()}

    def instances(self) -> Sequence[Instance]:
        """Every program, in each way in which it is compiled."""
        return [source.instance() for source in self.sources.values()]

    def load(self, instance: Instance) -> Any:
        """Translate the program to bitcode; the last few are kept."""
        return self._load(self.sources[instance.id])

    def content(self, instance: Instance) -> str:
        """Hash of the program's sources, of what the compiler is and of the code that runs it."""
        from unseat.tasks.llvm.engine.toolchain import code, find

        source, llvm = self.sources[instance.id], find()
        what = f"{source.program.digest} {source.way} {llvm.identity if llvm else None} {code()}"
        return hashlib.sha256(what.encode()).hexdigest()

    def draw(self, rng: np.random.Generator, folder: Path) -> None:
        from unseat.tasks.llvm.data.drawing import draw

        draw(rng, folder)

    def record(self, command: Sequence[str] | None, log: Path | None, output: Path) -> str:
        """Watch a build, and write down what it compiles and how."""
        from unseat.tasks.llvm.data.recorder import record

        if command is None:
            raise UserError(f"{self.card.id} records a build: unseat record {self.card.id} -- make")
        return record(self.card.id, command, output)


@lru_cache(maxsize=8)
def _card(path: Path) -> Card:
    """Tasks are made often, and must be cheap to make."""
    return Card.read(path)
