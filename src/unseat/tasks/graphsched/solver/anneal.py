"""Annealing over schedules: the moves, and which of them to draw."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from unseat.tasks.graphsched.engine.problem import Problem
from unseat.tasks.graphsched.engine.schedule import Evaluator, Step

Move = Callable[[Problem, list[Step], np.random.Generator], list[Step] | None]


def _merge(problem: Problem, steps: list[Step], rng: np.random.Generator) -> list[Step] | None:
    """Two steps that follow each other become one."""
    if len(steps) < 2:
        return None
    at = int(rng.integers(len(steps) - 1))
    return [*steps[:at], Step(steps[at].ops | steps[at + 1].ops, steps[at + 1].keep), *steps[at + 2 :]]


def _split(problem: Problem, steps: list[Step], rng: np.random.Generator) -> list[Step] | None:
    """A step becomes two, cut somewhere along the order of operators."""
    at = int(rng.integers(len(steps)))
    ops = [op for op in problem.order if op in steps[at].ops]
    if len(ops) < 2:
        return None
    cut = int(rng.integers(1, len(ops)))
    return [*steps[:at], Step(frozenset(ops[:cut])), Step(frozenset(ops[cut:]), steps[at].keep), *steps[at + 1 :]]


def _shift(problem: Problem, steps: list[Step], rng: np.random.Generator) -> list[Step] | None:
    """An operator moves to the step before or after its own."""
    at, to = _pair(steps, rng)
    if to < 0:
        return None
    op = sorted(steps[at].ops)[int(rng.integers(len(steps[at].ops)))]
    found = steps.copy()
    found[to] = Step(steps[to].ops | {op}, steps[to].keep)
    found[at] = Step(steps[at].ops - {op}, steps[at].keep)
    return [step for step in found if step.ops]


def _swap(problem: Problem, steps: list[Step], rng: np.random.Generator) -> list[Step] | None:
    """A step moves to another place; nothing stays in fast memory around it."""
    if len(steps) < 2:
        return None
    at, to = (int(one) for one in rng.integers(len(steps), size=2))
    found = steps.copy()
    step = found.pop(at)
    found.insert(to, Step(step.ops))
    return found if at != to else None


def _keep(problem: Problem, steps: list[Step], rng: np.random.Generator) -> list[Step] | None:
    """A tensor that the next step reads stays in fast memory, or does so no longer."""
    if len(steps) < 2:
        return None
    at = int(rng.integers(len(steps) - 1))
    reads = {t for op in steps[at + 1].ops for t in problem.inputs[op]}
    here = {t for op in steps[at].ops for t in (*problem.inputs[op], problem.outputs[op])}
    able = sorted(t for t in (reads & here) | steps[at].keep if problem.size[t] <= problem.capacity)
    if not able:
        return None
    tensor = able[int(rng.integers(len(able)))]
    found = steps.copy()
    found[at] = Step(steps[at].ops, steps[at].keep ^ {tensor})
    return found


def _recompute(problem: Problem, steps: list[Step], rng: np.random.Generator) -> list[Step] | None:
    """What makes an input of a step is computed in it too; or an operator that runs twice leaves a step."""
    at = int(rng.integers(len(steps)))
    made = {problem.outputs[op] for op in steps[at].ops}
    able = sorted({problem.producer[t] for op in steps[at].ops for t in problem.inputs[op]
                   if t not in made and t in problem.producer})  # fmt: skip
    found = steps.copy()
    if able and rng.random() < 0.6:
        op = able[int(rng.integers(len(able)))]
        found[at] = Step(steps[at].ops | {op}, steps[at].keep)
        return found
    twice = sorted(op for op in steps[at].ops if sum(op in step.ops for step in steps) > 1)
    if not twice or len(steps[at].ops) < 2:
        return None
    found[at] = Step(steps[at].ops - {twice[int(rng.integers(len(twice)))]}, steps[at].keep)
    return found


def _pull(problem: Problem, steps: list[Step], rng: np.random.Generator) -> list[Step] | None:
    """An operator joins the step of one that reads it or that it reads, wherever that is."""
    op = int(rng.integers(problem.operators))
    near = [problem.producer[t] for t in problem.inputs[op] if t in problem.producer]
    near += problem.readers.get(problem.outputs[op], ())
    if not near:
        return None
    other = near[int(rng.integers(len(near)))]
    at = next(number for number, step in enumerate(steps) if op in step.ops)
    to = next(number for number, step in enumerate(steps) if other in step.ops)
    if at == to:
        return None
    found = steps.copy()
    found[to], found[at] = Step(steps[to].ops | {op}, steps[to].keep), Step(steps[at].ops - {op}, steps[at].keep)
    return [step for step in found if step.ops]


def _pair(steps: Sequence[Step], rng: np.random.Generator) -> tuple[int, int]:
    if len(steps) < 2:
        return 0, -1
    at = int(rng.integers(len(steps)))
    to = at + (1 if rng.random() < 0.5 else -1)
    return at, to if 0 <= to < len(steps) else 2 * at - to


MOVES: Mapping[str, Move] = {
    "merge": _merge, "split": _split, "shift": _shift, "swap": _swap, "keep": _keep, "recompute": _recompute,
    "pull": _pull,
}  # fmt: skip


@dataclass
class Seen:
    """What each move did: tries, and the sum of the logarithms of what it saved when it made the best better."""

    tries: dict[str, int] = field(default_factory=lambda: dict.fromkeys(MOVES, 0))
    gains: dict[str, float] = field(default_factory=lambda: dict.fromkeys(MOVES, 0.0))


def anneal(
    evaluator: Evaluator, start: list[Step], spent: Callable[[], float], report: Callable[[list[Step], float], None], *,
    seed: int, weights: Mapping[str, float], hot: float = 0.03, cold: float = 1e-4, seen: Seen | None = None,
) -> None:  # fmt: skip
    """Anneal until the time is up.

    Args:
        evaluator: Of the problem.
        start: A schedule.
        spent: The share of the time that is gone.
        report: Gets each schedule that is better than all before, and what it takes.
        seed: Of the draws.
        weights: How often each move is drawn.
        hot, cold: Temperature at the beginning and at the end, as a share of what the start takes.
        seen: Gets what moves did.
    """
    rng = np.random.default_rng(seed)
    names = list(MOVES)
    share = np.array([weights.get(name, 0.0) for name in names]) + 1e-3
    draws, place = rng.choice(len(names), size=4096, p=share / share.sum()), 0
    steps, now = start, evaluator.total(start)
    best, first = now, now if now < math.inf else 1.0
    while (done := spent()) < 1:
        temperature = hot * first * (cold / hot) ** done
        for _ in range(16):
            name = names[draws[place % len(draws)]]
            place += 1
            tried = MOVES[name](evaluator.problem, steps, rng)
            if tried is None:
                continue
            took = evaluator.total(tried)
            if seen:
                seen.tries[name] += 1
            if took > now and not (took < math.inf and rng.random() < math.exp((now - took) / temperature)):
                continue
            steps, now = tried, took
            if now < best * (1 - 1e-12):
                if seen and best < math.inf:
                    seen.gains[name] += math.log(best / now)
                best = now
                report(steps, best)
