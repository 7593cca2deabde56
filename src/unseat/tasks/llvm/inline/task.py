"""The task `inline`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unseat.core.card import Card
from unseat.core.errors import UserError
from unseat.core.outcome import Limits, Outcome
from unseat.core.policy import Form, Policy, Question
from unseat.core.task import Exported, Instance, Need, Objective, Task
from unseat.tasks.llvm.inline.suites import Options, Source, built_in, opened

if TYPE_CHECKING:
    from unseat.core.learner import Contender
    from unseat.tasks.llvm.inline.problem import Problem

WORST_BYTES = 1e7
"""What a run counts with whose problem could not even be loaded, in bytes."""


class InlineTask(Task):
    """Is the body of the called function put in the place of this call?"""

    forms = frozenset({Form.DECIDE, Form.KERNEL})
    options = Options
    recorded = "compile_commands.json"

    def __init__(self, sources: Sequence[Source] | None = None) -> None:
        super().__init__()
        self.card = _card()
        self.objective = Objective(
            "code size", "B", worst=lambda problem, limits: problem.worst if problem else WORST_BYTES
        )
        self._sources = sources

    @cached_property
    def sources(self) -> Mapping[str, Source]:
        """The programs by the ids of their instances."""
        return {source.name: source for source in (built_in() if self._sources is None else self._sources)}

    @cached_property
    def questions(self) -> Mapping[str, Question]:
        """One question, put for every call that could be inlined."""
        from unseat.tasks.llvm.inline.question import inline

        return {"inline": inline()}

    def instances(self) -> Sequence[Instance]:
        """Every program, module by module or as a whole."""
        return [source.instance() for source in self.sources.values()]

    def load(self, instance: Instance) -> Problem:
        """Translate the program to bitcode; the last few are kept."""
        return _loaded(self.sources[instance.id])

    def content(self, instance: Instance) -> str:
        """Hash of the program's sources, of what the compiler is and of the code that runs it."""
        from unseat.tasks.llvm.engine.toolchain import code, find

        source, llvm = self.sources[instance.id], find()
        what = f"{source.program.digest} {source.whole} {llvm.identity if llvm else None} {code()}"
        return hashlib.sha256(what.encode()).hexdigest()

    def run(self, problem: Problem, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        """Build the program with the policy in the place of the inliner's heuristic."""
        from unseat.tasks.llvm.engine.compiler import Compiler
        from unseat.tasks.llvm.engine.process import ToolError
        from unseat.tasks.llvm.inline.building import Build

        deadline = limits.deadline()
        compiler, build = Compiler.here(deadline), Build(self.questions["inline"], problem, policy, seed, deadline)
        try:
            sizes = problem.build(compiler, lambda module, made: compiler.asked(module, made, build.next()))
        except ToolError as error:
            return Outcome(
                float("nan"), error.status, build.decisions, build.start_s, build.decide_s, message=str(error)
            )
        metrics = {
            "default_bytes": problem.default_bytes, "modules_bytes": sum(sizes.modules.values()),
            "inlined": build.inlined, **{f"bytes of {name}": size for name, size in sizes.modules.items()},
        }  # fmt: skip
        return Outcome(float(sizes.program), decisions=build.decisions, start_s=build.start_s,
                       decide_s=build.decide_s if build.decisions else None, metrics=metrics)  # fmt: skip

    def contenders(self) -> Mapping[str, Contender]:
        """Incumbents, tuned incumbents, baselines."""
        from unseat.tasks.llvm.inline.contenders import contenders

        return contenders()

    def exporters(self) -> Mapping[str, Exported]:
        """A clang that asks the policy."""
        from unseat.tasks.llvm.inline.exporters import exporters

        return exporters()

    def record(self, command: Sequence[str] | None, log: Path | None, output: Path) -> str:
        """Watch a build, and write down what it compiles and how."""
        from unseat.tasks.llvm.data.recorder import record

        if command is None:
            raise UserError("inline records a build: unseat record inline -- make")
        return record(command, output)

    def open(self, source: str, options: Mapping[str, Any]) -> Task:
        """Any folder of C or C++, or a compilation database."""
        return InlineTask(opened(source, options))

    def needs(self) -> Sequence[Need]:
        """LLVM, and what a program is linked with."""
        from unseat.tasks.llvm.engine.doctor import needs

        return needs()


@lru_cache(maxsize=64)
def _loaded(source: Source) -> Problem:
    from unseat.tasks.llvm.inline.problem import load

    return load(source.program, whole=source.whole)


@lru_cache(maxsize=1)
def _card() -> Card:
    return Card.read(Path(__file__).with_name("card.toml"))
