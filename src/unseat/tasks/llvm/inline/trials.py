"""What learners try out: a module compiled with a policy, one decision of it turned over if they like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseat.core.policy import Asker, Policy
from unseat.learn.imitate import Episode
from unseat.tasks.llvm.engine import workplace
from unseat.tasks.llvm.engine.channel import Answer, Header
from unseat.tasks.llvm.engine.compiler import Compiler
from unseat.tasks.llvm.engine.elf import text_bytes
from unseat.tasks.llvm.engine.process import ToolError
from unseat.tasks.llvm.inline.building import seed_of
from unseat.tasks.llvm.inline.problem import Module, Problem
from unseat.tasks.llvm.inline.question import FEATURES, Answering, inline, reader

NEVER = -1
"""The number of no decision."""


@dataclass(frozen=True)
class Trial:
    """A module compiled once.

    Attributes:
        observations: int64 [n, 39], the calls that were asked about.
        actions: int64 [n], the answers.
        nbytes: Bytes of the object's machine code.
    """

    observations: NDArray[np.int64]
    actions: NDArray[np.int64]
    nbytes: int


def tried(problem: Problem, module: Module, policy: Policy, seed: int, turned: int = NEVER) -> Trial:
    """Compile a module.

    Args:
        problem: The program that it is a part of.
        module: The module.
        policy: Who answers.
        seed: Of the run.
        turned: The number of the decision that is turned over.

    Raises:
        ToolError: The compiler fails.
        InvalidAnswer: An answer is none.
    """
    number = problem.modules.index(module)
    answering = Answering(Asker(policy.start(problem.view(number), seed_of(seed, number)), inline()))
    seen: list[NDArray[np.int64]] = []
    acted: list[int] = []

    def begin(header: Header) -> Answer:
        observe, asker = reader(header), answering.asker

        def answer(data: bytes) -> int:
            seen.append(observe(data))
            decided = int(asker(seen[-1]))
            acted.append(1 - decided if len(acted) == turned else decided)
            return acted[-1]

        return answer

    with workplace.folder() as folder:
        source, made = folder / "module.bc", folder / "module.o"
        source.write_bytes(module.bitcode)
        Compiler.here().asked(source, made, begin)
        size = text_bytes(made)
    return Trial(np.array(seen, np.int64).reshape(-1, len(FEATURES)), np.array(acted, np.int64), size)


def play(problem: Problem, policy: Policy, seed: int) -> Sequence[Episode]:
    """An episode for each module; see `unseat.learn.imitate.Play`. One that fails costs what a failed run does."""
    return [_episode(problem, module, policy, seed) for module in problem.modules]


def _episode(problem: Problem, module: Module, policy: Policy, seed: int) -> Episode:
    context = f"{problem.name} {module.name}"
    try:
        trial = tried(problem, module, policy, seed)
    except ToolError:
        return Episode(context, np.zeros((0, len(FEATURES)), np.int64), np.zeros(0, np.int64), problem.worst)
    return Episode(context, trial.observations, trial.actions, float(trial.nbytes))
