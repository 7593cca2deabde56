"""Rollouts: each decision is the one after which a fast policy does best in simulations of what follows.

G. Tesauro, G. R. Galperin, "On-line Policy Improvement using Monte-Carlo Search", NIPS 1996; D. P. Bertsekas, D. A.
Castañon, "Rollout Algorithms for Stochastic Scheduling Problems", Journal of Heuristics 5, 1999. The fast policy's own
answer is tried beside other amounts of executors and the stages that it would choose next. An answer takes the place of
its own only if it is better by some standard errors: of many answers the luckiest looks good.

What is simulated is what a scheduler knows: the jobs that have come, and the durations that were recorded of the same
queries. How long running tasks still take is drawn anew, as are all that follow, and no job comes any more.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import numpy as np

from unseat.core.jit import inlined, jit
from unseat.core.learner import Learner, Study
from unseat.core.policy import Policy, Session, View
from unseat.tasks.schedule.challengers.scorer import Scorer
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.cluster import advance, answer, granted
from unseat.tasks.schedule.engine.layout import NONE, Float64, Int32, Memory
from unseat.tasks.schedule.engine.memory import Cluster
from unseat.tasks.schedule.engine.moves import draw, drawn, held, measured, push
from unseat.tasks.schedule.policies import Fast, FastPolicy, Fused, RuleOf

SHARES = 0.5, 0.75
"""Of the executors that the fast policy would send, what else is tried (more of them is seldom better) ..."""
SHARES_OF = 2
"""... for the first stages of its choice."""
GO_ON = 2
"""Answers that are in the race after the first simulation."""
ENOUGH, BEYOND_DOUBT = 3, 5.0
"""Simulations, and standard errors that an answer is better by, after which it is not simulated any more."""
REDRAWS = 4
"""Draws of a running task's duration until it is drawn from those alone that are long enough."""

_S33, _ONE, _HEADS = np.uint64(33), np.uint64(1), np.uint64(0xFFFFFFFF00000000)


@dataclass(frozen=True, kw_only=True)
class Rollout(FastPolicy):
    """Rollouts of a fast policy.

    Attributes:
        stages: How many stages are tried.
        simulations: Of each answer.
        horizon_s: Simulated seconds.
        errors: Standard errors by which another answer must be better than the fast policy's.
    """

    stages: int = 4
    simulations: int = 8
    horizon_s: float = 80.0
    errors: float = 1.7

    def start(self, view: View, seed: int) -> Session:
        """There is nothing to prepare."""
        return Fused(partial(self.play, seed=seed))

    def play(self, m: Memory, cluster: Cluster, seed: int = 0) -> float:
        """Run a state to its end; the seed is of the simulations. Gives the seconds that decisions took."""
        rng = np.random.default_rng([seed, 1])  # not the stream that the run's own tasks are drawn from
        known = cluster.known
        fast, room, took_s = self.fast(m, known), Room(m), 0.0
        while advance(m, cluster.durations):
            began = time.perf_counter()
            stage, limit = self.decide(m, known, fast, rng.integers(2**62, size=self.simulations).tolist(), room)
            took_s += time.perf_counter() - began
            answer(m, cluster.durations, stage, limit)
        return took_s

    def decide(self, m: Memory, cluster: Cluster, fast: Fast, seeds: Sequence[int], room: Room) -> tuple[int, int]:
        """Answer the open question.

        A race: every answer meets the same durations in a simulation, and what it saves over the fast policy's is
        averaged. After each simulation only the best go on that save something at all, and no more are needed once one
        is better beyond doubt.

        Args:
            m: The state.
            cluster: What it is of, as far as a scheduler knows it.
            fast: The fast policy.
            seeds: Of the simulations.
            room: To simulate in.
        """
        options = find_options(m, fast, self.stages)
        saved, alive = np.zeros((len(options), 0)), list(range(1, len(options)))
        until = int(m[at.NOW]) + round(1000 * self.horizon_s)
        for seed in seeds:
            if not alive or (saved.shape[1] >= ENOUGH and surely_best(saved, alive, BEYOND_DOUBT)):
                break
            ends = np.full(len(options), math.nan)
            for option in (0, *alive):
                imagined = room.imagine(m, cluster.durations, seed)
                answer(imagined, cluster.durations, *options[option])
                fast.play(imagined, until)
                ends[option] = total_until(imagined, room.first, until)
            saved = np.column_stack([saved, ends[0] - ends])
            alive = [option for option in np.argsort(-saved.sum(axis=1)).tolist() if saved[option].sum() > 0][:GO_ON]
        return options[surely_best(saved, alive, self.errors)]


@dataclass(frozen=True)
class ScorerRollout(Rollout, Scorer):
    """Rollouts of the compact scorer."""


@dataclass(frozen=True)
class RuleRollout(Rollout, RuleOf):
    """Rollouts of a rule."""


def ahead(name: str, base: Policy, **settings: Any) -> Rollout:
    """Rollouts of a scorer or a rule, with the record of its fit."""
    made: Rollout
    if isinstance(base, Scorer):
        weights = {key: getattr(base, key) for key in ("inputs", "bias", "outputs", "prices")}
        made = ScorerRollout(name=name, **weights, **settings)
    else:
        assert isinstance(base, RuleOf)
        made = RuleRollout(name=name, rule=base.rule, parameters=base.parameters, **settings)
    object.__setattr__(made, "fit_record", base.fit_record)
    return made


class RolloutOf(Learner):
    """Fits the fast policy and looks ahead with it; how far is not fitted.

    Args:
        name: Its name.
        base: Fits a scorer or a rule.
        settings: Of `Rollout`.
    """

    def __init__(self, name: str, base: Learner, **settings: Any) -> None:
        self.name, self.base, self.settings = name, base, settings

    def config(self) -> Mapping[str, Any]:
        """The fast policy's, and the settings."""
        return {"base": self.base.name, **self.base.config(), "settings": self.settings}

    def fit(self, study: Study) -> Policy:
        """The fast policy is fitted; all that is put forward looks ahead."""
        return ahead(self.name, self.base.fit(cast(Study, _Ahead(study, self))), **self.settings)


class _Ahead:
    """A study that puts forward rollouts of what it is given."""

    def __init__(self, study: Study, learner: RolloutOf) -> None:
        self._study, self._learner = study, learner

    def propose(self, policy: Policy) -> None:
        self._study.propose(ahead(self._learner.name, policy, **self._learner.settings))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._study, name)


def find_options(m: Memory, fast: Fast, stages: int) -> list[tuple[int, int]]:
    """Stages and limits that are tried, the fast policy's own first."""
    first, candidates = int(m[at.CANDIDATE_LIST]), int(m[at.CANDIDATES])
    kept = m[first : first + candidates].copy()
    options: list[tuple[int, int]] = []
    for tried in range(min(stages, candidates)):
        stage, limit = fast.choose(m)
        if stage == NONE:
            options = options or [(stage, limit)]
            break
        options.append((stage, limit))
        if tried < SHARES_OF:
            usual, holds = granted(m, stage, limit), held(m, m[stage + at.OF_JOB])
            amounts = {max(1, int(usual * share)) for share in SHARES} - {usual}
            options += [(stage, holds + amount) for amount in sorted(amounts)]
        # What the policy would choose if this stage were none of the candidates.
        rest = m[first : first + m[at.CANDIDATES]]
        rest[:-1] = rest[rest != stage]
        m[at.CANDIDATES] -= 1
    m[first : first + candidates], m[at.CANDIDATES] = kept, candidates
    return options


def surely_best(saved: Float64, alive: Sequence[int], errors: float) -> int:
    """The answer that saves most in the mean, among those that save something by so many standard errors.

    Args:
        saved: float64 [answers, simulations], over the fast policy's answer, which is the first.
        alive: Which are still in the running.
        errors: How many.
    """
    best, most = 0, 0.0
    for option in alive:
        mean, error = saved[option].mean(), saved[option].std() / math.sqrt(saved.shape[1])
        if mean > most and mean > errors * error:
            best, most = option, mean
    return best


class Room:
    """Memory to simulate in, and what of it differs from a run's.

    A simulation changes jobs that are in the system, and so does the run until the next one: only these are copied, so
    that a long history costs no more than a short one.

    Args:
        m: The run's state.

    Attributes:
        first: The first job of those that the last copy was of.
    """

    def __init__(self, m: Memory) -> None:
        self._imagined = m[: m[at.LOG] if m[at.LOG] != NONE else m.size].copy()
        self.first = self._next = int(m[at.ALL_JOBS])

    def imagine(self, m: Memory, durations: Int32, seed: int) -> Memory:
        """See `imagine`; the state is changed by the next call."""
        if m[at.ACTIVE_JOBS]:
            # What was in the system at the question before is copied, too: it may be done now.
            now = int(m[m[at.ACTIVE]])
            if now != self._next:
                self.first, self._next = self._next, now
        imagine(m, durations, seed, self.first, self._imagined)
        return self._imagined


@jit
def total_until(m: Memory, first: int, until_ms: int) -> float:
    """The sum of the times at which jobs are done, or of the given one for those that are not done by then, in ms.

    Args:
        m: The state.
        first: The job to begin with.
        until_ms: The time.
    """
    total = 0.0
    for job in range(first, m[at.ALL_JOBS] + m[at.JOBS] * at.JOB, at.JOB):
        total += min(m[job + at.DONE_AT], until_ms) if m[job + at.STATE] == at.DONE else until_ms
    return total


@jit
def imagine(m: Memory, durations: Int32, seed: int, first: int, imagined: Memory) -> None:
    """Copy what can have changed of a state but for what nobody can know: jobs to come, and how long tasks take.

    Args:
        m: The state.
        durations: See `engine.library`.
        seed: Of the durations.
        first: The first job that differs.
        imagined: The state without a log as it was, but for later jobs.
    """
    promises = (2 * m[at.EXECUTORS] + 2) * at.PROMISE  # the last of all
    copy(m, 0, m[at.ALL_JOBS], imagined)  # the header and the executors
    copy_jobs(m, first, imagined)
    for begin, count in (
        (m[at.ACTIVE], m[at.ACTIVE_JOBS]), (m[at.CANDIDATE_LIST], m[at.CANDIDATES]),
        (m[at.PENDING_LIST], m[at.PENDING]), (m[at.POOLS], m[at.CLASSES] * at.POOL),
        (imagined.size - promises, promises),
    ):  # fmt: skip
        copy(m, begin, begin + count, imagined)
    imagined[at.SEED], imagined[at.JOBS] = seed, m[at.NEXT_ARRIVAL]
    imagined[at.LOG], imagined[at.EVENTS] = NONE, 0
    for place in range(m[at.EVENTS]):
        key, executor = m[m[at.HEAP] + 2 * place], m[m[at.HEAP] + 2 * place + 1]
        end = key >> at.SEQUENCE_BITS
        if m[executor + at.TARGET] == NONE:
            ran = m[at.NOW] - m[executor + at.BEGAN]
            end = m[executor + at.BEGAN] + longer(m, durations, executor, ran, seed)
        push(imagined, executor, end)


@inlined
def copy(m: Memory, begin: int, end: int, imagined: Memory) -> None:
    """Copy a part."""
    imagined[begin:end] = m[begin:end]


@inlined
def copy_jobs(m: Memory, first: int, imagined: Memory) -> None:
    """Copy the jobs from one to the last that has come, their stages, pools and lists."""
    last, classes = m[at.ALL_JOBS] + (m[at.NEXT_ARRIVAL] - 1) * at.JOB, m[at.CLASSES]
    begin, end = m[first + at.FIRST_STAGE], m[last + at.END_STAGE]
    copy(m, first, last + at.JOB, imagined)
    copy(m, begin, end, imagined)
    ready = m[first + at.READY_LIST]
    copy(m, ready, ready + (end - begin) // at.STAGE, imagined)
    copy(m, m[first + at.JOB_POOLS], m[last + at.JOB_POOLS] + classes * at.POOL, imagined)
    sources = m[begin + at.STAGE_SOURCES]
    copy(m, sources, sources + (end - begin) // at.STAGE * classes * at.PROMISES, imagined)


@jit
def longer(m: Memory, durations: Int32, executor: int, ran: int, seed: int) -> int:
    """A duration for an executor's task that is at least as long as it has run, in ms.

    Where the number of executors was not measured, a coin says which measured one a task is drawn from: it is tossed
    anew with each draw, as nobody saw it.
    """
    waves, wave, executors = m[m[executor + at.AT_STAGE] + at.WAVES], m[executor + at.TASK_WAVE], m[executor + at.WITH]
    number = (1 << 40) + executor * REDRAWS
    for again in range(REDRAWS):
        bits = draw(seed, number + again)
        span, added = measured(m, durations, bits, waves, executors, wave)
        took = drawn(durations, bits, span) + added
        if took >= ran:
            return int(took)
    bits = draw(seed, number)
    for coin in (bits | _HEADS, bits & ~_HEADS) if bits & _ONE else (bits & ~_HEADS, bits | _HEADS):
        span, added = measured(m, durations, coin, waves, executors, wave)
        took = one_of(durations, span, ran - added, bits)
        if took >= 0:
            return took + added
    return ran


@inlined
def one_of(durations: Int32, span: int, least: int, bits: np.uint64) -> int:
    """One of a wave's durations that are at least so long, in ms; -1 where none is."""
    first, count, enough = durations[span], durations[span + 1], 0
    for place in range(first, first + count):
        enough += durations[place] >= least
    if enough == 0:
        return -1
    skip = np.int64(bits >> _S33) % enough
    for place in range(first, first + count):
        if durations[place] >= least:
            if skip == 0:
                return int(durations[place])
            skip -= 1
    return -1
