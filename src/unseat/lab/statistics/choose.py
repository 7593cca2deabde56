"""Choosing what to compare: the incumbent to beat, the headline challenger, ranks, and bounds that were beaten."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from unseat.core.learner import Kind, Role
from unseat.core.outcome import Status
from unseat.core.task import Objective
from unseat.lab.records import Run, Violation
from unseat.lab.statistics import bootstrap
from unseat.lab.statistics.bootstrap import MIN_GROUPS, RESAMPLES
from unseat.lab.statistics.pairs import paired, sign

HINDSIGHT = "best of each instance"


def by_contender(runs: Sequence[Run], *roles: Role) -> dict[str, list[Run]]:
    """Runs of each contender, in the order of first appearance; of these roles, or of all."""
    found: dict[str, list[Run]] = {}
    for run in runs:
        if not roles or run.role in roles:
            found.setdefault(run.contender, []).append(run)
    return found


def mean_values(runs: Sequence[Run], objective: Objective) -> dict[str, float]:
    """The weighted mean of each contender over the instances, in the objective's unit; repeats and seeds averaged.

    Raises:
        ContractError: A contender lacks a run that another one has.
    """
    contenders = by_contender(runs)
    if not contenders:
        return {}
    design, costs = paired(list(contenders.values()), objective)
    means = [np.average(matrix.mean(axis=1), weights=design.weight) for matrix in costs]
    return {name: float(sign(objective) * mean) for name, mean in zip(contenders, means, strict=True)}


def choose_incumbent(runs: Sequence[Run], objective: Objective) -> str | None:
    """The best single incumbent by mean cost, from runs on ``valid``; tuned incumbents count, baselines do not."""
    return _best(runs, objective, Role.INCUMBENT)


def choose_challenger(runs: Sequence[Run], objective: Objective) -> str | None:
    """The headline challenger, chosen by mean cost from runs on ``valid``."""
    return _best(runs, objective, Role.CHALLENGER)


def _best(runs: Sequence[Run], objective: Objective, role: Role) -> str | None:
    means = mean_values([run for run in runs if run.role is role], objective)
    return min(means, key=lambda name: (sign(objective) * means[name], name), default=None)


def hindsight(runs: Sequence[Run], objective: Objective, name: str = HINDSIGHT) -> list[Run]:
    """The runs of the best incumbent of each instance, under one name: a contender that knew which one to take.

    Args:
        runs: Runs of any contenders; only incumbents are looked at.
        objective: The task's objective.
        name: The name that they are given.
    """
    cells: dict[str, dict[str, list[Run]]] = defaultdict(lambda: defaultdict(list))
    for run in runs:
        if run.role is Role.INCUMBENT:
            cells[run.instance][run.contender].append(run)
    best = []
    for own in cells.values():
        costs = {who: sign(objective) * float(np.mean([run.outcome.value for run in ran])) for who, ran in own.items()}
        best += own[min(costs, key=lambda who: (costs[who], who))]
    return [replace(run, contender=name) for run in best]


def ranks_with_ties(
    runs: Sequence[Run], objective: Objective, *, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, int]:
    """Ranks by mean cost: one more than the number of contenders that are better beyond the interval.

    Two contenders whose paired difference has zero in its interval share a rank, if nothing else parts them. With too
    few groups for intervals only equal means are ties.

    Returns:
        Contender to rank, best first.
    """
    contenders = by_contender(runs)
    if not contenders:
        return {}
    design, costs = paired(list(contenders.values()), objective)
    means = np.array([np.average(matrix.mean(axis=1), weights=design.weight) for matrix in costs])
    names, groups = list(contenders), len(design.groups)
    better = means[:, np.newaxis] < means
    if groups >= MIN_GROUPS:
        drawn = bootstrap.values(
            design, costs, lambda weights, piece: np.stack(
                [np.einsum("ri,ri->r", weights, np.broadcast_to(one, weights.shape)) for one in piece], axis=1
            ) / weights.sum(axis=1, keepdims=True), resamples=resamples, seed=seed)  # fmt: skip
        for first in range(len(names)):
            worse = np.flatnonzero(better[first])
            better[first, worse] = bootstrap.below_zero(drawn[:, [first]] - drawn[:, worse], groups)
    ranks = 1 + better.sum(axis=0)
    return {names[index]: int(ranks[index]) for index in np.lexsort((means, ranks))}


def violations(
    runs: Sequence[Run], kinds: Mapping[str, Kind], objective: Objective, *, timed: bool = False
) -> list[Violation]:
    """Runs that beat a bound that cannot be beaten: an error in the one or the other.

    Args:
        runs: Every run, bounds included.
        kinds: What each bound proves; the best known is no bound.
        objective: The task's objective.
        timed: Whether values are noisy: then a contender's repetitions must all lie beyond the bound's.
    """
    turn = sign(objective)
    proven: dict[str, dict[str, dict[int, list[float]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    measured: dict[tuple[str, int, str, str | None], list[Run]] = defaultdict(list)
    for run in runs:
        if run.outcome.status is not Status.OK:
            continue
        if run.role is not Role.BOUND:
            measured[run.instance, run.seed, run.contender, run.block if timed else run.key].append(run)
        elif kinds.get(run.contender) in (Kind.OPTIMAL, Kind.RELAXATION):
            proven[run.instance][run.contender][run.seed].append(turn * run.outcome.value)
    found = []
    for (instance, seed, contender, _), ran in measured.items():
        cost = max(turn * run.outcome.value for run in ran)
        for bound, seeds in proven[instance].items():
            # A bound that was solved with other seeds only counts with the loosest of them.
            limit = min(seeds[seed] if seed in seeds else [value for own in seeds.values() for value in own])
            if cost < limit - 1e-12 * max(abs(limit), abs(cost)):
                found.append(Violation(ran[0].task, instance, seed, contender, turn * cost, bound, turn * limit))
    return found
