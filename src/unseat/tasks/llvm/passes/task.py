"""The task `passes`."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unseat.core.outcome import Limits, Outcome
from unseat.core.policy import Form, InvalidAnswer, Policy, Question, View
from unseat.core.task import Need, Task
from unseat.tasks.llvm.data.task import CompilerTask
from unseat.tasks.llvm.passes.suites import Options, Source, built_in, opened

if TYPE_CHECKING:
    from unseat.core.learner import Contender
    from unseat.core.task import Exported
    from unseat.tasks.llvm.passes.problem import Problem


class PassesTask(CompilerTask):
    """Which passes, in which order, are run over a program?"""

    forms = frozenset({Form.DECIDE, Form.ANSWERS})
    options = Options

    def __init__(self, sources: Sequence[Source] | None = None) -> None:
        super().__init__(
            Path(__file__).with_name("card.toml"), lambda problem: float(problem.program.worst),
            built_in if sources is None else lambda: sources,
        )  # fmt: skip

    @cached_property
    def questions(self) -> Mapping[str, Question]:
        """One question, put until the policy stops."""
        from unseat.tasks.llvm.passes.question import passes

        return {"passes": passes()}

    def _load(self, source: Source) -> Problem:
        return _loaded(source)

    def run(self, problem: Problem, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        """Let the policy try sequences; the smallest is reported, and scored once the clock has stopped."""
        from unseat.tasks.llvm.engine.process import ToolError
        from unseat.tasks.llvm.passes.episode import play
        from unseat.tasks.llvm.passes.question import facts

        began = time.perf_counter()
        view = View("passes", facts(), deadline=limits.deadline())
        session = policy.start(view, seed)
        start_s = time.perf_counter() - began
        try:
            ended = play(problem, session, self.questions["passes"], view)
        except ToolError as error:
            return Outcome(float("nan"), error.status, start_s=start_s, message=str(error))
        return Outcome(float("nan"), decisions=ended.asker.decisions, start_s=start_s,
                       decide_s=ended.asker.decide_s, metrics=ended.metrics)  # fmt: skip

    def score(self, problem: Problem, answer: Any) -> Outcome:
        """Build the program with this sequence, see that it does what it did, and measure it."""
        from unseat.tasks.llvm.engine.process import ToolError
        from unseat.tasks.llvm.passes.actions import checked

        sequence = checked(answer)
        try:
            sizes = problem.build(sequence)
        except ToolError as error:
            raise InvalidAnswer(f"the sequence cannot be run: {error}") from error
        metrics = {
            "default_bytes": float(problem.program.default_bytes), "module_bytes": float(sizes.modules["whole"]),
            "length": float(len(sequence)),
        }  # fmt: skip
        return Outcome(float(sizes.program), metrics=metrics)

    def contenders(self) -> Mapping[str, Contender]:
        """Incumbents, challengers, baselines."""
        from unseat.tasks.llvm.passes.contenders import contenders

        return contenders()

    def open(self, source: str, options: Mapping[str, Any]) -> Task:
        """Any folder of C or C++, or a compilation database."""
        return PassesTask(opened(source, options))

    def exporters(self) -> Mapping[str, Exported]:
        """A script that runs a sequence with LLVM's own tools."""
        from unseat.tasks.llvm.passes.exporters import exporters

        return exporters()

    def needs(self) -> Sequence[Need]:
        """LLVM with its library, and what a program is linked with."""
        from unseat.tasks.llvm.engine.doctor import library_need, needs

        return (*needs(), *library_need())


@lru_cache(maxsize=64)
def _loaded(source: Source) -> Problem:
    from unseat.tasks.llvm.passes.problem import load

    return load(source.program, source.steps)
