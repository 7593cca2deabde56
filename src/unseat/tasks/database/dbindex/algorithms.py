"""The published index advisors, as generators: they yield what they ask, and get costs and sizes.

An advisor yields ``("what_if", configuration)`` or ``("measure", configuration)``, and is sent the cost of every query,
the size of every index of it, and the numbers of every query's plan; what it returns is its choice.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from unseat.tasks.database.dbindex.candidates import Index, candidates

Config = tuple[Index, ...]
Told = tuple[list[float], list[int], list[list[float]]]
Advisor = Generator[tuple[str, Config], Told, Config]
Facts = Mapping[str, Any]

Ask = Callable[[Sequence[Index]], Generator[tuple[str, Config], Told, tuple[float, dict[Index, int]]]]
"""Says what a configuration costs, and how large its indexes are."""

TRUST, ROUNDS = 0.3, 5
"""How much of an estimated gain the bandit believes, and how many configurations it measures."""

SEEDS = 2
"""AutoAdmin finds the best configurations of so many indexes by trying all (m of Greedy(m, k))."""


def none(facts: Facts, rng: np.random.Generator) -> Advisor:
    """No index but the primary keys."""
    return ()
    yield


def _try(config: Sequence[Index]) -> Generator[tuple[str, Config], Told, tuple[float, dict[Index, int]]]:
    """The total cost of a configuration, and the sizes of its indexes."""
    asked = tuple(sorted(set(config)))
    costs, sizes, _ = yield ("what_if", asked)
    return sum(costs), dict(zip(asked, sizes, strict=True))


def _singles(facts: Facts) -> list[Index]:
    return [tuple(one) for one in facts["candidates"] if len(one) == 2]


def drop(facts: Facts, rng: np.random.Generator) -> Advisor:
    """Whang, Index Selection in Relational Databases, 1987: begin with all, drop what is missed least."""
    chosen = _singles(facts)
    cost, sizes = yield from _try(chosen)
    while chosen:
        trials = []
        for index in chosen:
            rest = [one for one in chosen if one != index]
            trials.append(((yield from _try(rest))[0], index))
        least, index = min(trials)
        fits = sum(sizes[one] for one in chosen) <= facts["budget"]
        if fits and least > cost:
            break
        chosen, cost = [one for one in chosen if one != index], least
    return tuple(chosen)


def autoadmin(facts: Facts, rng: np.random.Generator) -> Advisor:
    """Chaudhuri and Narasayya, VLDB 1997: candidates are the best of each query; Greedy(m, k), then wider."""
    useful: set[Index] = set()
    for text in facts["queries"]:
        own = [index for index in candidates(text) if len(index) == 2]
        useful |= set((yield from _greedy(own, facts, SEEDS)))
    chosen = yield from _greedy(sorted(useful), facts, SEEDS)
    # The next width: two columns whose first is in what was chosen.
    wider = [tuple(one) for one in facts["candidates"] if len(one) == 3 and tuple(one[:2]) in chosen]
    return (yield from _greedy(sorted({*chosen, *wider}), facts, SEEDS))


def _greedy(pool: Sequence[Index], facts: Facts, seeds: int) -> Advisor:
    """The best of at most `seeds` indexes by trying all, and then one by one for as long as it helps and fits."""
    budget = facts["budget"]
    best: Config = ()
    cost, _ = yield from _try(())
    for config in (each for count in range(1, seeds + 1) for each in combinations(pool, count)):
        trial, sizes = yield from _try(config)
        if trial < cost and sum(sizes.values()) <= budget:
            best, cost = config, trial
    while True:
        found = None
        for index in pool:
            if index in best:
                continue
            trial, sizes = yield from _try((*best, index))
            if trial < cost and sum(sizes.values()) <= budget:
                found, cost = (*best, index), trial
        if found is None:
            return best
        best = found


def db2advis(facts: Facts, rng: np.random.Generator) -> Advisor:
    """Valentin et al., ICDE 2000: benefit of a query's indexes by gain a byte into a knapsack, then random swaps."""
    benefit: dict[Index, float] = {}
    sizes: dict[Index, int] = {}
    plain, _, _ = yield ("what_if", ())
    for number, text in enumerate(facts["queries"]):
        own = tuple(candidates(text))
        costs, held, _ = yield ("what_if", own)
        sizes |= dict(zip(own, held, strict=True))
        for index in own:
            alone, _, _ = yield ("what_if", (index,))
            # An index that the query's plan would not use alone has a share of nothing.
            if alone[number] < plain[number]:
                benefit[index] = benefit.get(index, 0.0) + plain[number] - max(alone[number], costs[number])
    ranked = sorted(benefit, key=lambda index: (-benefit[index] / max(1, sizes[index]), index))
    chosen: list[Index] = []
    for index in ranked:
        covered = any(index[: len(one)] == one or one[: len(index)] == index for one in chosen)
        if not covered and sum(sizes[one] for one in chosen) + sizes[index] <= facts["budget"]:
            chosen.append(index)
    cost, _ = yield from _try(chosen)
    for _ in range(20):
        rest = [index for index in ranked if index not in chosen]
        if not rest or not chosen:
            break
        swapped = list(chosen)
        swapped[int(rng.integers(len(swapped)))] = rest[int(rng.integers(len(rest)))]
        if sum(sizes[one] for one in swapped) <= facts["budget"]:
            trial, _ = yield from _try(swapped)
            if trial < cost:
                chosen, cost = swapped, trial
    return tuple(chosen)


def extend(facts: Facts, rng: np.random.Generator) -> Advisor:
    """Schlosser, Kossmann and Boissier, ICDE 2019: the step with the most gain a byte, a new index or a wider one."""
    return (yield from grow(facts, _try))


def grow(facts: Facts, ask: Ask) -> Advisor:
    """Extend's steps, whatever says what a configuration costs."""
    chosen: Config = ()
    cost, sizes = yield from ask(())
    while True:
        steps: list[tuple[float, Config, float, dict[Index, int]]] = []
        for index in (tuple(one) for one in facts["candidates"]):
            if len(index) == 2 and index not in chosen and not any(one[:2] == index for one in chosen):
                trial = (*chosen, index)
            elif len(index) == 3 and index[:2] in chosen:
                trial = (*(one for one in chosen if one != index[:2]), index)
            else:
                continue
            less, held = yield from ask(trial)
            more = sum(held.values()) - sum(sizes.values())
            if less < cost and sum(held.values()) <= facts["budget"]:
                steps.append(((cost - less) / max(1, more), trial, less, held))
        if not steps:
            return chosen
        _, chosen, cost, sizes = max(steps)


def measured(facts: Facts, rng: np.random.Generator) -> Advisor:
    """What the advisors choose, measured for real; the best counts. Estimates mislead, and running does not."""
    found: list[Config] = []
    for advisor in (extend, autoadmin, db2advis, drop):
        config = yield from advisor(facts, rng)
        if tuple(sorted(config)) not in found:
            found.append(tuple(sorted(config)))
    took = {}
    for config in [*found[:5], ()]:
        costs, _, _ = yield ("measure", config)
        took[config] = sum(costs)
    return min(took, key=lambda config: took[config])


def bandit(facts: Facts, rng: np.random.Generator) -> Advisor:
    """Perera et al., DBA bandits, ICDE 2021, in small: Thompson sampling over linear gains of single indexes.

    What a configuration saves is taken to be the sum over its indexes. Estimates give the beginning, and are
    discounted, as they overstate; every measured configuration corrects all its indexes. The first is Extend's, the
    one that measured best is chosen.
    """
    first = yield from extend(facts, rng)
    plain, _, _ = yield ("what_if", ())
    before = facts["default_ms"]
    pool: list[Index] = []
    guess, sizes = list[float](), dict[Index, int]()
    for index in sorted({*_singles(facts), *first}):
        costs, held, _ = yield ("what_if", (index,))
        gain = sum(ms * (1 - cost / old) for ms, cost, old in zip(before, costs, plain, strict=True) if cost < old)
        if gain > 0:
            pool.append(index)
            guess.append(TRUST * gain)
            sizes[index] = held[0]
    none, _, _ = yield ("measure", ())
    before_ms = sum(none)
    took: dict[Config, list[float]] = {(): [before_ms]}
    if not pool:
        return ()
    precision = np.diag(1.0 / (np.array(guess) + 0.01 * before_ms) ** 2)
    pull = precision @ np.array(guess)
    config: Config = tuple(sorted(first))
    for _ in range(ROUNDS):
        costs, _, _ = yield ("measure", config)
        took.setdefault(config, []).append(sum(costs))
        row, noise = np.array([float(index in config) for index in pool]), (0.03 * before_ms) ** 2
        precision += np.outer(row, row) / noise
        pull += row * (before_ms - sum(costs)) / noise
        drawn = rng.multivariate_normal(np.linalg.solve(precision, pull), np.linalg.inv(precision))
        config = _packed(dict(zip(pool, drawn.tolist(), strict=True)), sizes, facts["budget"])
    return min(took, key=lambda one: float(np.mean(took[one])))


def _packed(gain: Mapping[Index, float], sizes: Mapping[Index, int], budget: int) -> Config:
    """Indexes with a gain, the most a byte first, for as long as they fit."""
    chosen: list[Index] = []
    for index in sorted(gain, key=lambda one: -gain[one] / max(1, sizes[one])):
        held = sum(sizes[one] for one in chosen) + sizes[index]
        if gain[index] > 0 and held <= budget and not any(index[: len(one)] == one for one in chosen):
            chosen.append(index)
    return tuple(sorted(chosen))


ADVISORS: Mapping[str, Callable[[Facts, np.random.Generator], Advisor]] = {
    "none": none, "drop": drop, "AutoAdmin": autoadmin, "DB2Advis": db2advis, "Extend": extend, "measured": measured,
    "bandit": bandit,
}  # fmt: skip
