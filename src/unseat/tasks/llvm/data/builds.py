"""A program as bitcode, and what it takes to measure it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias, TypeVar

from unseat.core.errors import UserError
from unseat.core.policy import InvalidAnswer
from unseat.tasks.llvm.data.programs import Program
from unseat.tasks.llvm.engine import workplace
from unseat.tasks.llvm.engine.compiler import Compiler
from unseat.tasks.llvm.engine.elf import text_bytes
from unseat.tasks.llvm.engine.execution import differs
from unseat.tasks.llvm.engine.process import ToolError

_TIMES_WORSE = 10

Compile: TypeAlias = Callable[[Path, Path], object]
"""Compiles a module, the first path, to an object, the second."""


@dataclass(frozen=True)
class Module:
    """A module before any optimisation."""

    name: str
    bitcode: bytes


@dataclass(frozen=True)
class Sizes:
    """Bytes of machine code.

    Attributes:
        program: In the linked, stripped program.
        modules: In each module's object; their sum is not the program's.
        metrics: What else the task has measured of the program; see `Problem.measured`.
    """

    program: int
    modules: Mapping[str, int]
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Problem:
    """What the engine runs; a task adds what its policies are told.

    Attributes:
        name: The program's name.
        modules: Its modules, in the order in which they are compiled.
        plus_plus: Whether C++ is in it.
        expected: What it prints; None where it is not to be linked and run.
        given: What it reads on standard input.
        default_bytes: Its size as clang makes it.
    """

    name: str
    modules: tuple[Module, ...]
    plus_plus: bool
    expected: bytes | None
    given: bytes
    default_bytes: int = 0

    @property
    def worst(self) -> float:
        """What a failed run counts with: more than the growth at which LLVM stops inlining."""
        return float(_TIMES_WORSE * self.default_bytes)

    def build(self, compiler: Compiler, compile_one: Compile) -> Sizes:
        """Compile every module, link them, see that the program does what it should, and measure it.

        Raises:
            InvalidAnswer: The program does something else than before.
            ToolError: A step fails.
            DeadlineReached: The run's time is up.
        """
        with workplace.folder() as folder:
            sizes = {}
            for number, module in enumerate(self.modules):
                source, made = folder / f"{number}.bc", folder / f"{number}.o"
                source.write_bytes(module.bitcode)
                compile_one(source, made)
                sizes[module.name] = text_bytes(made)
            objects, output = [folder / f"{number}.o" for number in range(len(self.modules))], folder / "program"
            if self.expected is None:
                compiler.joined(objects, output)
                return Sizes(text_bytes(output), sizes)
            compiler.linked(objects, output, plus_plus=self.plus_plus)
            (folder / "run").mkdir()
            fault = differs(output, self.given, self.expected, folder / "run", compiler.deadline)
            if fault:
                raise InvalidAnswer(f"{self.name} is miscompiled: {fault}")
            return Sizes(text_bytes(output), sizes, self.measured(output, folder / "run", compiler.deadline))

    def measured(self, program: Path, folder: Path, deadline: float | None) -> Mapping[str, float]:
        """What a task measures of a program that does what it should; nothing here.

        Args:
            program: The program.
            folder: Where it has been run, and may be run again.
            deadline: `time.monotonic()` at which the run ends.
        """
        return {}


P = TypeVar("P", bound=Problem)


def load(program: Program, kind: type[P], *, whole: bool) -> P:
    """Translate a program to bitcode, and measure it as clang makes it.

    Args:
        program: The program.
        kind: The task's class of problem.
        whole: Whether its modules are first put together and all but ``main`` is hidden.

    Raises:
        UserError: It does not compile, or does not do what it should even then.
        MissingExtra: There is no LLVM.
    """
    compiler = Compiler.here()
    try:
        modules = (together(program, compiler, ["main"]),) if whole else tuple(translated(program, compiler))
        problem = kind(program.name, modules, program.plus_plus, program.expected, program.given)
        size = problem.build(compiler, compiler.compiled).program
    except ToolError as error:
        raise UserError(f"{program.name} cannot be built: {error}") from error
    except InvalidAnswer as error:
        raise UserError(f"{program.name} does not do what its expected.txt says: {error}") from error
    if not size:
        raise UserError(f"{program.name} holds no machine code" + (" once all but main is hidden" if whole else ""))
    return replace(problem, default_bytes=size)


def translated(program: Program, compiler: Compiler) -> Iterator[Module]:
    """Each source as a module.

    Raises:
        UserError: One does not compile.
    """
    with workplace.folder() as folder:
        for unit in program.units:
            try:
                compiler.bitcode(unit.source, unit.flags, unit.folder, folder / "module.bc")
            except ToolError as error:
                raise UserError(f"{unit.folder / unit.source} does not compile: {error}") from error
            yield Module(str(unit.source), (folder / "module.bc").read_bytes())


def together(program: Program, compiler: Compiler, keep: Sequence[str] | None) -> Module:
    """All sources as one module; see `Compiler.whole`.

    Raises:
        UserError: A source does not compile.
        ToolError: They do not fit together.
    """
    with workplace.folder() as folder:
        parts = []
        for number, module in enumerate(translated(program, compiler)):
            parts.append(folder / f"{number}.bc")
            parts[-1].write_bytes(module.bitcode)
        compiler.whole(parts, keep, folder / "whole.bc")
        return Module("whole", (folder / "whole.bc").read_bytes())
