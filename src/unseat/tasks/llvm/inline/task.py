"""The task `inline`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unseat.core.outcome import Limits, Outcome, Status
from unseat.core.policy import Form, InvalidAnswer, Policy, Question
from unseat.core.task import Exported, Need, Task
from unseat.tasks.llvm.data.task import CompilerTask
from unseat.tasks.llvm.inline.suites import Options, Source, built_in, opened

if TYPE_CHECKING:
    from unseat.core.learner import Contender
    from unseat.tasks.llvm.inline.problem import Problem, Sizes


class InlineTask(CompilerTask):
    """Is the body of the called function put in the place of this call?"""

    forms = frozenset({Form.DECIDE, Form.KERNEL, Form.ANSWERS})
    options = Options

    def __init__(self, sources: Sequence[Source] | None = None) -> None:
        super().__init__(
            Path(__file__).with_name("card.toml"), lambda problem: float(problem.worst),
            built_in if sources is None else lambda: sources,
        )  # fmt: skip

    @cached_property
    def questions(self) -> Mapping[str, Question]:
        """One question, put for every call that could be inlined."""
        from unseat.tasks.llvm.inline.question import inline

        return {"inline": inline()}

    def _load(self, source: Source) -> Problem:
        return _loaded(source)

    def run(self, problem: Problem, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        """Build the program with the policy in the place of the inliner's heuristic."""
        from unseat.tasks.llvm.engine.compiler import Compiler
        from unseat.tasks.llvm.engine.process import ToolError
        from unseat.tasks.llvm.inline.building import Build

        deadline = limits.deadline()
        compiler, build = Compiler.here(deadline), Build(self.questions["inline"], problem, policy, seed, deadline)
        try:
            sizes = problem.build(compiler, lambda module, made: compiler.asked(module, made, build.next()))
        except (ToolError, InvalidAnswer) as error:
            # A program that is miscompiled ends an environment's episode as it ends a run.
            status, told = error.status if isinstance(error, ToolError) else Status.INVALID, str(error)
            return Outcome(float("nan"), status, build.decisions, build.start_s, build.decide_s, message=told)
        return Outcome(float(sizes.program), decisions=build.decisions, start_s=build.start_s,
                       decide_s=build.decide_s if build.decisions else None,
                       metrics=_metrics(problem, sizes, build.inlined))  # fmt: skip

    def score(self, problem: Problem, answer: Any) -> Outcome:
        """Build the program with these decisions, see that it does what it did, and measure it."""
        from unseat.tasks.llvm.engine.process import ToolError
        from unseat.tasks.llvm.inline.answers import built

        try:
            sizes, inlined = built(problem, answer)
        except ToolError as error:
            raise InvalidAnswer(f"the decisions cannot be compiled: {error}") from error
        return Outcome(float(sizes.program), metrics=_metrics(problem, sizes, inlined))

    def contenders(self) -> Mapping[str, Contender]:
        """Incumbents, tuned incumbents, baselines."""
        from unseat.tasks.llvm.inline.contenders import contenders

        return contenders()

    def exporters(self) -> Mapping[str, Exported]:
        """A clang that asks the policy."""
        from unseat.tasks.llvm.inline.exporters import exporters

        return exporters()

    def open(self, source: str, options: Mapping[str, Any]) -> Task:
        """Any folder of C or C++, or a compilation database."""
        return InlineTask(opened(source, options))

    def needs(self) -> Sequence[Need]:
        """LLVM, and what a program is linked with."""
        from unseat.tasks.llvm.engine.doctor import needs

        return needs()


def _metrics(problem: Problem, sizes: Sizes, inlined: int) -> Mapping[str, float]:
    modules = {f"bytes of {name}": size for name, size in sizes.modules.items()}
    return {
        "default_bytes": problem.default_bytes, "modules_bytes": sum(sizes.modules.values()), "inlined": inlined,
        **modules,
    }  # fmt: skip


@lru_cache(maxsize=64)
def _loaded(source: Source) -> Problem:
    from unseat.tasks.llvm.inline.problem import load

    return load(source.program, whole=source.whole)
