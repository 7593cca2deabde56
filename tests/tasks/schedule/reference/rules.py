"""The rules as their papers define them, each looking at the whole `Simulator`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from tests.tasks.schedule.reference.simulator import Job, Question, Simulator, Stage

Rule = Callable[[Simulator, Question], tuple[int | None, int]]

NO_LIMIT = 1 << 40


def play(simulator: Simulator, rule: Rule) -> None:
    """Run a simulator by a rule."""
    simulator.decide = lambda question: rule(simulator, question)
    simulator.run()


# What rules look at.


def candidates(sim: Simulator, question: Question) -> dict[Job, list[Stage]]:
    """Of each job that has any, jobs by arrival."""
    found: dict[Job, list[Stage]] = {}
    for job in sim.jobs:
        stages = [stage for stage in job.stages if stage.number in question.stages]
        if stages:
            found[job] = stages
    return found


def mean_ms(stage: Stage) -> float:
    """Mean of all that was measured."""
    measured = [int(ms) for profile in stage.graph.profiles for wave in profile.waves() for ms in wave]
    return sum(measured) / len(measured)


def mean_us(stage: Stage) -> int:
    return round(1000 * mean_ms(stage))


def work(job: Job) -> int:
    return sum(mean_us(stage) * stage.graph.tasks for stage in job.stages)


def left(job: Job) -> int:
    """Work of tasks that have not begun."""
    return sum(mean_us(stage) * (stage.graph.tasks - stage.started) for stage in job.stages)


def path(stage: Stage) -> int:
    """The longest chain of one task a stage, from this stage to the end of its job, in µs."""
    return mean_us(stage) + max((path(child) for child in stage.children), default=0)


def work_path(stage: Stage) -> float:
    """The most work on a chain of stages, from this stage to the end of its job, in ms."""
    return stage.graph.tasks * mean_ms(stage) + max((work_path(child) for child in stage.children), default=0.0)


def first_ready(job: Job, stages: list[Stage]) -> Stage:
    """That which was ready first, or else the first."""
    return next((stage for stage in job.ready if stage in stages), stages[0])


def held(sim: Simulator, question: Question, job: Job) -> int:
    """Executors of a job but for those that look for work."""
    return sim.held(job) - (question.offered if job.number == question.source else 0)


def share(sim: Simulator, job: Job, alpha: float | None) -> int:
    """ceil of a job's part of the cluster by work ** alpha, among jobs with tasks that nobody is to run yet."""
    if alpha is None:
        return NO_LIMIT
    unfinished = [one for one in sim.active if any(sim.claimed(stage) < stage.graph.tasks for stage in one.stages)]
    total = sum(work(one) ** alpha for one in unfinished)
    part = float(work(job) ** alpha / total)
    return math.ceil(sim.machines.executors * part - 1e-9)


def best_by(stages: Iterable[Stage], ranks: Sequence[float]) -> Stage:
    return max(stages, key=lambda stage: (ranks[stage.number], -stage.number))


def alignment(sim: Simulator, question: Question, stage: Stage) -> float:
    """Demand of one executor and of memory, times what an executor of this class offers."""
    return 1.0 + stage.graph.memory * sim.machines.memory[question.group]


# The rules.


def fifo(sim: Simulator, question: Question) -> tuple[int | None, int]:
    found = candidates(sim, question)
    own = [job for job in found if job.number == question.source]
    job = own[0] if own else next(iter(found))
    return first_ready(job, found[job]).number, NO_LIMIT


def fair(alpha: float) -> Rule:
    """As published: who has work stays, others go to the first job below its share."""

    def rule(sim: Simulator, question: Question) -> tuple[int | None, int]:
        found = candidates(sim, question)
        for job, stages in found.items():
            if job.number == question.source:
                return first_ready(job, stages).number, NO_LIMIT
        for job, stages in found.items():
            cap = share(sim, job, alpha)
            if sim.held(job) < cap:
                return first_ready(job, stages).number, cap
        return None, 0

    return rule


def conserving(alpha: float, shortest: bool) -> Rule:
    """Jobs below their share first, of these the own one, then by arrival or by work left; else any, in that order."""

    def rule(sim: Simulator, question: Question) -> tuple[int | None, int]:
        found = candidates(sim, question)
        below = {job: held(sim, question, job) < share(sim, job, alpha) for job in found}
        order = sorted(found, key=lambda job: left(job) if shortest else job.number)
        order.sort(key=lambda job: (not below[job], job.number != question.source))
        job = order[0]
        return first_ready(job, found[job]).number, share(sim, job, alpha) if below[job] else NO_LIMIT

    return rule


def sjf(sim: Simulator, question: Question) -> tuple[int | None, int]:
    found = candidates(sim, question)
    job = min(found, key=work)
    return first_ready(job, found[job]).number, NO_LIMIT


def sjf_cp(sim: Simulator, question: Question) -> tuple[int | None, int]:
    found = candidates(sim, question)
    stages = found[min(found, key=work)]
    return max(stages, key=work_path).number, NO_LIMIT


def tetris(cap: float | None, fairness: float, short: float) -> Rule:
    def rule(sim: Simulator, question: Question) -> tuple[int | None, int]:
        found = candidates(sim, question)
        scores = [alignment(sim, question, stage) for stages in found.values() for stage in stages]
        mean_left = sum(map(left, found)) / len(found)
        epsilon = short * (sum(scores) / len(scores)) / max(mean_left, 1.0)
        counts = [held(sim, question, job) for job in found]
        front = max(1, math.ceil((1 - fairness) * len(found)))
        best: list[tuple[float, Stage]] = []
        for job, stages in found.items():
            if sum(count < held(sim, question, job) for count in counts) < front:
                most = max(stage.graph.memory for stage in stages)
                first = first_ready(job, stages)
                stage = first if first.graph.memory == most else next(s for s in stages if s.graph.memory == most)
                best.append((alignment(sim, question, stage) - epsilon * left(job), stage))
        stage = max(best, key=lambda one: one[0])[1]
        return stage.number, share(sim, stage.job, cap)

    return rule


def heft(cap: float | None) -> Rule:
    def rule(sim: Simulator, question: Question) -> tuple[int | None, int]:
        stages = [stage for some in candidates(sim, question).values() for stage in some]
        stage = max(stages, key=path)
        return stage.number, share(sim, stage.job, cap)

    return rule


def graphene(cap: float | None, short: float, ranks: Sequence[float]) -> Rule:
    def rule(sim: Simulator, question: Question) -> tuple[int | None, int]:
        found = candidates(sim, question)
        best = {job: best_by(stages, ranks) for job, stages in found.items()}
        mean_score = sum(alignment(sim, question, stage) for stage in best.values()) / len(best)
        mean_left = sum(map(left, best)) / len(best)
        epsilon = short * mean_score / max(mean_left, 1e-9)
        job = max(best, key=lambda one: alignment(sim, question, best[one]) - epsilon * left(one))
        return best[job].number, share(sim, job, cap)

    return rule
