"""The rules that systems schedule by. Each gives a job, the place of its stage and a limit, or None to wait."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from unseat.tasks.schedule.exporters.parts.cluster import (
    NO_LIMIT,
    Job,
    Question,
    children_of,
    downward,
    held,
    left_us,
    millionths,
    shape,
    work_us,
)


def first_ready(job: Job, places: Sequence[int]) -> int:
    """Of a job's candidates the one that was ready first, or else the first."""
    return next((place for place in job.ready if place in places), places[0])


def stay(asked: Question) -> tuple[Job, int] | None:
    """A stage of the job whose executors are asked about, if it has a candidate."""
    for job, places in asked.candidates:
        if job is asked.source:
            return job, first_ready(job, places)
    return None


def weight(job: Job, alpha: float) -> float:
    """What a job's share is in proportion to: (its work) ** alpha."""
    return 1.0 if alpha == 0.0 else math.exp(alpha * math.log(max(work_us(job), 1)))


def all_weights(asked: Question, alpha: float) -> float:
    """The weights of all jobs with unclaimed tasks."""
    total = 0.0
    for job in asked.jobs:
        if any(stage.claimed < stage.tasks for stage in job.stages):
            total += weight(job, alpha)
    return total


def share(asked: Question, job: Job, alpha: float, total: float) -> int:
    """A job's part of all executors, in proportion to its weight."""
    # Rounding must not lift a share that is a whole number.
    return math.ceil(asked.executors * weight(job, alpha) / total - 1e-9)


def capped(asked: Question, job: Job, cap: float | None) -> int:
    """A job's share by the exponent `cap`, or no limit for None."""
    return NO_LIMIT if cap is None else share(asked, job, cap, all_weights(asked, cap))


def fifo(asked: Question) -> tuple[Job, int, int] | None:
    """An executor stays at its job while that has work; jobs are served in the order of their arrival."""
    job, places = asked.candidates[0]
    job, place = stay(asked) or (job, first_ready(job, places))
    return job, place, NO_LIMIT


def weighted_fair(
    asked: Question, alpha: float, conserving: bool = False, shortest: bool = False
) -> tuple[Job, int, int] | None:
    """The first job that holds fewer executors than its share.

    Args:
        asked: The question.
        alpha: A job's share is in proportion to (its work) ** alpha; 0 gives equal shares.
        conserving: Whether an executor leaves a job that is over its share, and one that every share excludes goes to a
            job all the same; else it stays at its job while that has work, or waits.
        shortest: Whether jobs come in the order of their remaining work, not of their arrival.
    """
    if not conserving:
        kept = stay(asked)
        if kept is not None:
            return (*kept, NO_LIMIT)
    total = all_weights(asked, alpha)
    best, best_key = None, (True, math.inf)
    for number, (job, places) in enumerate(asked.candidates):
        cap = share(asked, job, alpha, total)
        over = held(asked, job) >= cap
        if over and not conserving:
            continue
        # To stay costs no move.
        key = over, -1.0 if job is asked.source else float(left_us(job) if shortest else number)
        if best is None or key < best_key:
            best, best_key = (job, first_ready(job, places), NO_LIMIT if over else cap), key
    return best


def shortest_job(asked: Question) -> tuple[Job, list[int]]:
    """The job with the least work, and its candidates."""
    return min(asked.candidates, key=lambda candidate: work_us(candidate[0]))


def sjf(asked: Question) -> tuple[Job, int, int] | None:
    """Shortest job first, its stages in the order in which they were ready."""
    job, places = shortest_job(asked)
    return job, first_ready(job, places), NO_LIMIT


def sjf_cp(asked: Question) -> tuple[Job, int, int] | None:
    """Shortest job first, the next stage on its critical path; a path is as long as the work of its stages."""
    job, places = shortest_job(asked)
    return job, max(places, key=work_paths(shape(job)).__getitem__), NO_LIMIT


@lru_cache(maxsize=4096)
def work_paths(stages: tuple[tuple[int, tuple[int, ...], float], ...]) -> tuple[float, ...]:
    """The most work on a path from each stage to the end, in ms."""
    parents = [above for _, above, _ in stages]
    found, children = [0.0] * len(stages), children_of(parents)
    for place in reversed(downward(parents)):
        tasks, _, mean_ms = stages[place]
        found[place] = tasks * mean_ms + max((found[child] for child in children[place]), default=0.0)
    return tuple(found)


@lru_cache(maxsize=4096)
def upward_ranks(stages: tuple[tuple[int, tuple[int, ...], float], ...]) -> tuple[int, ...]:
    """HEFT's upward ranks: the longest path from each stage to the end, a task a stage, in microseconds."""
    parents = [above for _, above, _ in stages]
    found, children = [0.0] * len(stages), children_of(parents)
    for place in reversed(downward(parents)):
        found[place] = stages[place][2] + max((found[child] for child in children[place]), default=0.0)
    return tuple(round(1000 * path) for path in found)


def heft(asked: Question, cap: float | None = None) -> tuple[Job, int, int] | None:
    """The candidate with the highest upward rank, of whichever job; `cap` is the exponent of the jobs' limits."""
    best, highest = None, -1
    for job, places in asked.candidates:
        ranks = upward_ranks(shape(job))
        place = max(places, key=ranks.__getitem__)
        if ranks[place] > highest:
            best, highest = (job, place), ranks[place]
    assert best is not None
    return (*best, capped(asked, best[0], cap))


def alignment(asked: Question, job: Job, place: int) -> float:
    """Demand times what the executor has: one executor, and memory as shares of the largest."""
    return 1.0 + millionths(job.stages[place].memory) * 1e-6 * asked.memory * 1e-6


def tetris(
    asked: Question, cap: float | None = None, fairness: float = 0.25, short: float = 1.0
) -> tuple[Job, int, int] | None:
    """The candidate with the best sum of packing and little remaining work.

    Args:
        asked: The question.
        cap: Exponent of the jobs' limits; None: there are none.
        fairness: Only the jobs that are furthest below a fair share are looked at: 1 - fairness of all.
        short: Weight of the remaining work.
    """
    aligned, left, count = 0.0, 0.0, 0
    for job, places in asked.candidates:
        left += left_us(job)
        for place in places:
            aligned += alignment(asked, job, place)
            count += 1
    jobs = len(asked.candidates)
    epsilon = short * (aligned / count) / max(left / jobs, 1.0)
    considered = max(1, math.ceil((1.0 - fairness) * jobs))
    holds = [held(asked, job) for job, _ in asked.candidates]
    best, best_score = None, -math.inf
    for job, places in asked.candidates:
        if sum(other < held(asked, job) for other in holds) < considered:
            place = best_aligned(job, places)
            score = alignment(asked, job, place) - epsilon * left_us(job)
            if score > best_score:
                best, best_score = (job, place), score
    assert best is not None
    return (*best, capped(asked, best[0], cap))


def best_aligned(job: Job, places: Sequence[int]) -> int:
    """Of a job's candidates the one with the largest demand; of equal ones that which was ready first."""
    best = first_ready(job, places)
    for place in places:
        if millionths(job.stages[place].memory) > millionths(job.stages[best].memory):
            best = place
    return best
