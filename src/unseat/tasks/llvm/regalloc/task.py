"""The task `regalloc`."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unseat.core.outcome import Limits, Outcome, Status
from unseat.core.policy import Asker, Form, InvalidAnswer, Policy, Question
from unseat.core.task import Need, Task
from unseat.tasks.llvm.data.task import CompilerTask
from unseat.tasks.llvm.regalloc.suites import Options, Source, built_in, opened

if TYPE_CHECKING:
    from unseat.core.learner import Contender
    from unseat.tasks.llvm.regalloc.problem import Problem


class RegallocTask(CompilerTask):
    """Which live range is evicted when the register allocator has run out of registers?"""

    forms = frozenset({Form.DECIDE, Form.KERNEL, Form.FUSED})
    options = Options

    def __init__(self, sources: Sequence[Source] | None = None) -> None:
        super().__init__(
            Path(__file__).with_name("card.toml"), lambda problem: float(problem.worst),
            built_in if sources is None else lambda: sources,
        )  # fmt: skip

    @cached_property
    def questions(self) -> Mapping[str, Question]:
        """One question, put whenever a range could be evicted for another."""
        from unseat.tasks.llvm.regalloc.question import evict

        return {"evict": evict()}

    def _load(self, source: Source) -> Problem:
        return _loaded(source)

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
        return RegallocTask(opened(source, options))

    def needs(self) -> Sequence[Need]:
        """An LLVM that asks about evictions, what a program is linked with, and what counts instructions."""
        from unseat.tasks.llvm.engine import counting, doctor

        return (*doctor.needs(), *doctor.evictions(), counting.need())


@lru_cache(maxsize=64)
def _loaded(source: Source) -> Problem:
    from unseat.tasks.llvm.data.builds import load
    from unseat.tasks.llvm.regalloc.problem import Problem

    return replace(load(source.program, Problem, whole=source.whole), instructions=source.instructions)
