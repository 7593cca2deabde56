"""The task `regalloc`."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unseat.core.card import Card
from unseat.core.outcome import Limits, Outcome, Status
from unseat.core.policy import Asker, Form, InvalidAnswer, Policy, Question
from unseat.core.task import Instance, Need, Objective, Task
from unseat.tasks.llvm.data.suites import Source, opened
from unseat.tasks.llvm.regalloc.suites import Options, built_in, counted

if TYPE_CHECKING:
    from unseat.core.learner import Contender
    from unseat.tasks.llvm.regalloc.problem import Problem

WORST_BYTES = 1e7
"""What a run counts with whose problem could not even be loaded, in bytes."""


class RegallocTask(Task):
    """Which live range is evicted when the register allocator has run out of registers?"""

    forms = frozenset({Form.DECIDE, Form.KERNEL, Form.FUSED})
    options = Options

    def __init__(self, sources: Sequence[Source] | None = None, *, instructions: bool | None = None) -> None:
        """Of these sources, or the built-in ones; instructions are counted of all, of none, or of some (`counted`)."""
        super().__init__()
        self.card = _card()
        self.objective = Objective(
            "code size", "B", worst=lambda problem, limits: problem.worst if problem else WORST_BYTES
        )
        self._sources, self._instructions = sources, instructions

    @cached_property
    def sources(self) -> Mapping[str, Source]:
        """The programs by the ids of their instances."""
        return {source.name: source for source in (built_in() if self._sources is None else self._sources)}

    @cached_property
    def questions(self) -> Mapping[str, Question]:
        """One question, put whenever a range could be evicted for another."""
        from unseat.tasks.llvm.regalloc.question import evict

        return {"evict": evict()}

    def instances(self) -> Sequence[Instance]:
        """Every program, module by module or as a whole."""
        return [source.instance() for source in self.sources.values()]

    def load(self, instance: Instance) -> Problem:
        """Translate the program to bitcode; the last few are kept."""
        source = self.sources[instance.id]
        return _loaded(source, self._counts(source))

    def _counts(self, source: Source) -> bool:
        return counted(source) if self._instructions is None else self._instructions

    def content(self, instance: Instance) -> str:
        """Hash of the program's sources, of what the compiler is and of the code that runs it."""
        from unseat.tasks.llvm.engine.toolchain import code, find

        source, llvm = self.sources[instance.id], find()
        what = (
            f"{source.program.digest} {source.whole} {llvm.identity if llvm else None} {code()} {self._counts(source)}"
        )
        return hashlib.sha256(what.encode()).hexdigest()

    def run(self, problem: Problem, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        """Build the program with the policy in the place of the allocator's heuristic."""
        from unseat.tasks.llvm.engine.compiler import Compiler
        from unseat.tasks.llvm.engine.process import ToolError
        from unseat.tasks.llvm.regalloc.question import Answering

        deadline = limits.deadline()
        began = time.perf_counter()
        session = policy.start(problem.view(deadline), seed)
        start_s = time.perf_counter() - began
        asker = Asker(session, self.questions["evict"], deadline)
        answering, compiler = Answering(asker), Compiler.here(deadline)

        def asked(module: Path, made: Path) -> int:
            return compiler.asked_evictions(module, made, answering.begin)

        try:
            # LLVM's own heuristic lies in the compiler; to ask for it is to leave the compiler alone.
            sizes = problem.build(compiler, compiler.compiled if policy.form is Form.FUSED else asked)
        except (ToolError, InvalidAnswer) as error:
            # A masked answer ends an environment's episode as it ends a run: Gymnasium's own checker draws such.
            status = error.status if isinstance(error, ToolError) else Status.INVALID
            return Outcome(float("nan"), status, asker.decisions, start_s, asker.decide_s, message=str(error))
        metrics = {
            "default_bytes": problem.default_bytes, "modules_bytes": sum(sizes.modules.values()),
            "evicted": answering.evicted, **sizes.metrics,
            **{f"bytes of {name}": size for name, size in sizes.modules.items()},
        }  # fmt: skip
        return Outcome(float(sizes.program), decisions=asker.decisions, start_s=start_s,
                       decide_s=asker.decide_s if asker.decisions else None, metrics=metrics)  # fmt: skip

    def contenders(self) -> Mapping[str, Contender]:
        """Incumbents, tuned incumbents, challengers, baselines."""
        from unseat.tasks.llvm.regalloc.contenders import contenders

        return contenders()

    def open(self, source: str, options: Mapping[str, Any]) -> Task:
        """Any folder of C or C++, or a compilation database."""
        found = opened(source, options, Options)
        return RegallocTask(found, instructions=Options(**options).instructions)

    def needs(self) -> Sequence[Need]:
        """An LLVM that asks about evictions, what a program is linked with, and what counts instructions."""
        from unseat.tasks.llvm.engine import counting, doctor

        return (*doctor.needs(), *doctor.evictions(), counting.need())


@lru_cache(maxsize=64)
def _loaded(source: Source, instructions: bool) -> Problem:
    from unseat.tasks.llvm.data.builds import load
    from unseat.tasks.llvm.regalloc.problem import Problem

    return replace(load(source.program, Problem, whole=source.whole), instructions=instructions)


@lru_cache(maxsize=1)
def _card() -> Card:
    return Card.read(Path(__file__).with_name("card.toml"))
