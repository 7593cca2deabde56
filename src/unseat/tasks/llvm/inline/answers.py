"""Whole answers: the decisions of a build that are not LLVM's advice, by module.

An answer is ``{"2": [0, 5]}``: the first and the sixth decision of the third module are turned over, all else is as
LLVM advises. A session reports only the list of its own module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from unseat.core.policy import InvalidAnswer, View
from unseat.tasks.llvm.data.builds import Sizes
from unseat.tasks.llvm.engine import workplace
from unseat.tasks.llvm.engine.channel import Answer, Header
from unseat.tasks.llvm.engine.compiler import Compiler
from unseat.tasks.llvm.inline.problem import Problem
from unseat.tasks.llvm.inline.question import ADVICE, reader


@dataclass
class ModuleView(View):
    """What a module's session is told; what it reports becomes an answer for the program.

    Attributes:
        number: The module's number.
        known: What was reported of the program so far; all of its sessions share it.
    """

    number: int = 0
    known: dict[str, Any] = field(default_factory=dict)

    def report(self, answer: Any) -> None:
        """See `View.report`; of what was reported before nothing is scored twice."""
        if isinstance(answer, list):
            first, before = not self.known, self.known.get(str(self.number), [])
            self.known[str(self.number)] = answer
            if answer == before and not first:
                return
            answer = {number: turned for number, turned in self.known.items() if turned}
        super().report(answer)


def checked(answer: Any, modules: int) -> Mapping[int, frozenset[int]]:
    """The decisions that are turned over, by module.

    Raises:
        InvalidAnswer: It is none for a program of so many modules.
    """
    names = {str(number): number for number in range(modules)}
    if not isinstance(answer, Mapping) or not all(
        name in names and isinstance(turned, list) and all(type(each) is int and each >= 0 for each in turned)
        for name, turned in answer.items()
    ):
        raise InvalidAnswer(f"no lists of decisions by the numbers of modules: {answer!r:.80}")
    return {names[name]: frozenset(turned) for name, turned in answer.items()}


def built(problem: Problem, answer: Any) -> tuple[Sizes, int]:
    """Build the program as an answer says, and run it; also how many calls were inlined.

    Raises:
        InvalidAnswer: It is no answer, or the program does something else than before.
        ToolError: A step fails.
    """
    turned = checked(answer, len(problem.modules))
    numbers, inlined = iter(range(len(problem.modules))), 0

    def compile_one(source: Path, made: Path) -> None:
        nonlocal inlined
        number = next(numbers)
        code, count = _compiled(problem.modules[number].bitcode, turned.get(number, frozenset()))
        inlined += count
        made.write_bytes(code)

    return problem.build(Compiler.here(), compile_one), inlined


@lru_cache(maxsize=256)
def _compiled(bitcode: bytes, turned: frozenset[int]) -> tuple[bytes, int]:
    """A module's object, and how many of its calls were inlined; most reports of a run differ in one module only."""
    decisions: list[int] = []

    def begin(header: Header) -> Answer:
        observe = reader(header)

        def answer(data: bytes) -> int:
            decisions.append(int(observe(data)[ADVICE]) ^ (len(decisions) in turned))
            return decisions[-1]

        return answer

    with workplace.folder() as folder:
        source, made = folder / "module.bc", folder / "module.o"
        source.write_bytes(bitcode)
        Compiler.here().asked(source, made, begin)
        if turned and max(turned) >= len(decisions):
            raise InvalidAnswer(f"decision {max(turned)} of a module that has {len(decisions)}")
        return made.read_bytes(), sum(decisions)
