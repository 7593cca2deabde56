"""A search for a few sequences that are good together: on every training program at least one of them is.

Each program has its own climb, which changes a sequence a little and keeps what makes the program no larger. From round
to round the sequences travel: every one is tried on every program, and each program goes on from the one that is best
for it, whoever found it. The result is the few that cover most, the one that is best by itself first (a portfolio:
B. Huberman, R. Lukose, T. Hogg, Science 275, 1997; for passes the "coreset" of Liang et al., ICML 2023). LLVM's passes
have faults: what a sequence makes of a program is run before it is kept.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import LimitReached
from unseat.core.learner import Learner, Study
from unseat.core.policy import Artefact, InvalidAnswer, Policy
from unseat.core.task import Instance
from unseat.tasks.llvm.engine.elf import text_bytes
from unseat.tasks.llvm.engine.optimizer import Optimizer
from unseat.tasks.llvm.engine.process import ToolError
from unseat.tasks.llvm.passes.actions import LEVELS, PIPELINES
from unseat.tasks.llvm.passes.policies import PLAIN, Climb, Portfolio, mutated
from unseat.tasks.llvm.passes.problem import Problem

Passes: TypeAlias = tuple[str, ...]
Float64: TypeAlias = NDArray[np.float64]

DEFAULT: Passes = ("-Oz",)

SHIPPED = Path(__file__).parents[1] / "shipped" / "passes" / "portfolio"
"""Where learners that build on a portfolio find one."""

SHARE = 0.85
"""Of a study's limit that is spent on climbing; what is found in the last round must still be tried on all programs."""

_TRIES = 16
"""Sequences that are tried on a program in a round."""

_TRIAL = 5
"""Programs after which a sequence is given up that is good neither in the mean nor for one of them."""


@dataclass
class Bench:
    """Measures sequences on a study's programs; every size that is measured counts as one run.

    Attributes:
        study: The study.
        sizes: What was measured: bytes by program and sequence; infinite where a pass could not be run.
    """

    study: Study
    sizes: dict[tuple[str, Passes], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._stack = contextlib.ExitStack()
        self._open: dict[str, Optimizer] = {}
        self._sound: dict[tuple[str, Passes], bool] = {}

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *raised: Any) -> None:
        self._stack.close()

    def size(self, instance: Instance, sequence: Passes) -> float:
        """Bytes of a program's module after a sequence.

        Raises:
            LimitReached: The study's limit is spent.
        """
        key = (instance.id, sequence)
        if key not in self.sizes:
            problem: Problem = self.study.load(instance)
            self.study.charge(1)
            self.sizes[key] = self._measured(instance.id, problem, sequence)
        return self.sizes[key]

    def ratio(self, instance: Instance, sequence: Passes) -> float:
        """Logarithm of a program's size after a sequence, to that after -Oz."""
        return math.log(self.size(instance, sequence) / self.size(instance, DEFAULT))

    def sound(self, instance: Instance, sequence: Passes) -> bool:
        """Whether the program still does what it did; not counted, as nothing is measured."""
        if (instance.id, sequence) not in self._sound:
            try:
                self.study.load(instance).build(sequence)
                self._sound[instance.id, sequence] = True
            except (InvalidAnswer, ToolError):
                self._sound[instance.id, sequence] = False
        return self._sound[instance.id, sequence]

    def _measured(self, name: str, problem: Problem, sequence: Passes) -> float:
        if name not in self._open:
            self._open[name] = self._stack.enter_context(Optimizer(problem.bitcode, problem.counts))
        optimizer = self._open[name]
        head = [PIPELINES[one] for one in sequence[:1] if one in LEVELS]
        try:
            if optimizer.done != head:
                optimizer.restart()
            for one in head[len(optimizer.done) :]:
                optimizer.run(one)
            made = optimizer.object(*(PIPELINES[one] for one in sequence[len(optimizer.done) :]))
            return float(text_bytes(made))
        except ToolError:
            return math.inf


@dataclass
class Found:
    """What a search has found.

    Attributes:
        members: The sequences, the best one by itself first.
        logs: float64 [members, programs], `Bench.ratio` on the training programs.
    """

    members: list[Passes]
    logs: Float64


def search(
    study: Study, bench: Bench, count: int, share: float = SHARE, seeds: Sequence[Passes] = ()
) -> Iterator[Found]:
    """Look for sequences until a share of the study's limit is spent; what is best so far is given after every round.

    Args:
        study: The study.
        bench: What measures.
        count: Members of the portfolio.
        share: Of the study's limits.
        seeds: Sequences to begin with, besides -Oz and `PLAIN`.

    Raises:
        LimitReached: As the study.
    """
    rng, programs, clock = np.random.default_rng(study.seed), list(study.train), _Clock(study, bench)
    pool = list(dict.fromkeys([DEFAULT, PLAIN, *seeds]))
    logs = np.array([[bench.ratio(one, sequence) for one in programs] for sequence in pool])
    yield ordered(Found(pool, logs), count)
    while clock.spent() < share:
        climbed = []
        for place in rng.permutation(len(programs)):
            if clock.spent() > share:
                break
            climbed.append(_climbed(bench, programs[place], pool[int(np.argmin(logs[:, place]))], rng))
        new = [sequence for sequence in dict.fromkeys(climbed) if sequence not in pool]
        for sequence in new:
            logs = np.vstack([logs, _tried(bench, programs, sequence, logs, rng)])
        kept = ordered(Found([*pool, *new], logs), 2 * count)
        pool, logs = kept.members, kept.logs
        yield ordered(_sound(bench, programs, kept), count)


def _climbed(bench: Bench, program: Instance, start: Passes, rng: np.random.Generator) -> Passes:
    """The best sequence for a program that a few changes lead to, and that does not spoil it."""
    kept, least = [start], bench.ratio(program, start)
    for _ in range(_TRIES):
        tried = tuple(mutated(kept[-1], rng))
        value = bench.ratio(program, tried)
        if value < least or (value == least and len(tried) <= len(kept[-1])):
            least = value
            kept.append(tried)
    while len(kept) > 1 and not bench.sound(program, kept[-1]):
        kept.pop()
    return kept[-1]


def _tried(
    bench: Bench, programs: Sequence[Instance], sequence: Passes, logs: Float64, rng: np.random.Generator
) -> Float64:
    """`Bench.ratio` of a sequence on all programs; infinite on those that it was given up before."""
    found = np.full(len(programs), np.inf)
    for number, place in enumerate(rng.permutation(len(programs))):
        found[place] = bench.ratio(programs[place], sequence)
        if number + 1 == _TRIAL:
            seen = np.isfinite(found)
            usual = logs[:, seen].mean(1).min()
            if found[seen].mean() > usual + 0.01 and (found[seen] >= logs[:, seen].min(0)).all():
                break
    return found


def _sound(bench: Bench, programs: Sequence[Instance], found: Found) -> Found:
    """Without the sequences that spoil a program."""
    kept = [
        place for place, member in enumerate(found.members)
        if member == DEFAULT or all(bench.sound(one, member) for one in programs)
    ]  # fmt: skip
    return Found([found.members[place] for place in kept], found.logs[kept])


class _Clock:
    """Which part of a study's limits is spent: of its time, or of its runs where they are nearer."""

    def __init__(self, study: Study, bench: Bench) -> None:
        self.limits, self.bench, self.began = study.limits, bench, time.monotonic()

    def spent(self) -> float:
        """From 0 to 1; 1 where there is no limit."""
        wall = (time.monotonic() - self.began) / self.limits.wall_s if self.limits.wall_s else 0.0
        runs = len(self.bench.sizes) / self.limits.runs if self.limits.runs else 0.0
        return max(wall, runs) if self.limits.wall_s or self.limits.runs else 1.0


def ordered(found: Found, count: int) -> Found:
    """The few of the sequences that cover most, each next one that which adds most to those before it."""
    left, chosen = list(range(len(found.members))), list[int]()
    covered = np.full(found.logs.shape[1], np.inf)
    while left and len(chosen) < count:
        best = min(left, key=lambda place: float(np.minimum(covered, found.logs[place]).mean()))
        covered = np.minimum(covered, found.logs[best])
        chosen.append(best)
        left.remove(best)
    return Found([found.members[place] for place in chosen], found.logs[chosen])


def shipped(study: Study) -> list[Passes]:
    """The shipped portfolio's sequences, if it was fitted on no program that is not of the study; else none."""
    if not SHIPPED.is_dir():
        return []
    artefact = Artefact.load(SHIPPED)
    record = artefact.fit or {}
    groups = {instance.group for instance in (*study.train, *study.valid)}
    known = {*record.get("train_groups", [""]), *record.get("valid_groups", [""])}
    return [tuple(sequence) for sequence in artefact.config["sequences"]] if known <= groups else []


class SequenceSearch(Learner):
    """Searches for sequences.

    Args:
        name: Name of the learner and of what it finds.
        count: How many sequences the policy tries.
    """

    def __init__(self, name: str, count: int) -> None:
        self.name, self.count = name, count

    def config(self) -> Mapping[str, Any]:
        """The learner's settings."""
        return {"count": self.count}

    def fit(self, study: Study) -> Policy:
        """Search until the limit; what is best so far is always proposed."""
        best = self._policy([DEFAULT])
        study.propose(best)
        with contextlib.suppress(LimitReached), Bench(study) as bench:
            for found in search(study, bench, self.count):
                best = self._policy(found.members)
                study.propose(best)
        return best

    def _policy(self, members: Sequence[Passes]) -> Policy:
        return Portfolio(self.name, [list(member) for member in members])


class ClimbingSearch(SequenceSearch):
    """The same search; the policy climbs from what was found, on the program itself.

    Args:
        name: Name of the learner and of what it finds.
        count: How many sequences the policy begins with.
        tries: How many sequences it tries in all.
        late: How long it goes through what is larger; see `Climb`.
    """

    def __init__(self, name: str, count: int, tries: int, late: int = 1) -> None:
        super().__init__(name, count)
        self.tries, self.late = tries, late

    def config(self) -> Mapping[str, Any]:
        """The learner's settings."""
        return {**super().config(), "tries": self.tries, "late": self.late}

    def _policy(self, members: Sequence[Passes]) -> Policy:
        return Climb(self.name, [list(member) for member in members], self.tries, self.late)
