"""A program as one module, and what it takes to measure a sequence of passes on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from unseat.core.errors import UserError
from unseat.core.policy import InvalidAnswer
from unseat.tasks.llvm.data.builds import Problem as Built
from unseat.tasks.llvm.data.builds import Sizes, together
from unseat.tasks.llvm.data.programs import Program
from unseat.tasks.llvm.engine.compiler import Compiler
from unseat.tasks.llvm.engine.elf import exported
from unseat.tasks.llvm.engine.optimizer import Counts, Optimizer
from unseat.tasks.llvm.engine.process import ToolError
from unseat.tasks.llvm.passes.actions import PIPELINES


@dataclass(frozen=True)
class Problem:
    """What the engine runs.

    Attributes:
        program: The program of one module, and its size as ``clang -Oz`` makes it.
        exports: Names that its object lets others see.
        counts: int64 [COUNTS], what is counted in the module before any pass (`optimizer`).
        steps: Passes that an episode may run.
    """

    program: Built
    exports: frozenset[str]
    counts: Counts
    steps: int

    @property
    def bitcode(self) -> bytes:
        """The module before any pass."""
        return self.program.modules[0].bitcode

    def build(self, sequence: tuple[str, ...]) -> Sizes:
        """Run a sequence from the beginning, and `check` what it makes.

        Raises:
            InvalidAnswer: As `check`.
            ToolError: A pass that is a part of the sequence fails, or another step.
        """
        with Optimizer(self.bitcode, self.counts) as optimizer:
            made = optimizer.object(*(PIPELINES[name] for name in sequence))
        return self.check(made)

    def check(self, made: bytes, deadline: float | None = None) -> Sizes:
        """Link the program of an object, see that it does what it did, and measure it.

        Raises:
            InvalidAnswer: It does something else, or shows other symbols.
            ToolError: It cannot be linked.
            DeadlineReached: The run's time is up.
        """
        changed = sorted(exported(made) ^ self.exports)
        if changed:
            raise InvalidAnswer(f"{self.program.name} shows other symbols: {changed[0]}")
        return self.program.build(Compiler.here(deadline), lambda source, output: output.write_bytes(made))


def load(program: Program, steps: int) -> Problem:
    """Translate a program to one module of bitcode, and measure it as clang makes it.

    Where the program is run, all of it but ``main`` is hidden; of other sources everything stays to be seen.

    Raises:
        UserError: It does not compile, or does not do what it should even then.
        MissingExtra: There is no LLVM.
    """
    compiler = Compiler.here()
    exports: list[frozenset[str]] = []

    def compiled(source: Path, made: Path) -> None:
        compiler.compiled(source, made)
        exports.append(exported(made))

    try:
        module = together(program, compiler, None if program.expected is None else ["main"])
        built = Built(program.name, (module,), program.plus_plus, program.expected, program.given)
        size = built.build(compiler, compiled).program
        with Optimizer(module.bitcode) as optimizer:
            optimizer.restart()
            counts = optimizer.counts
    except ToolError as error:
        raise UserError(f"{program.name} cannot be built: {error}") from error
    except InvalidAnswer as error:
        raise UserError(f"{program.name} does not do what its expected.txt says: {error}") from error
    if not size:
        raise UserError(f"{program.name} holds no machine code")
    return Problem(replace(built, default_bytes=size), exports[0], counts, steps)
